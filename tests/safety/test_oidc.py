"""Logging in by a provider of OpenID Connect: who gets in, who may act, and what is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey

from partwarden.web.access.person import Circle
from partwarden.web.access.protection import OidcLogin, Protection
from partwarden.web.access.secret import Secret
from tests.safety.page import Browser, Page, served
from tests.safety.provider import CLIENT_ID, CLIENT_SECRET, Provider, provider

MINUTES = 60


@pytest.fixture(scope="module")
def known() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.fixture(scope="module")
def page(known: Provider) -> Iterator[Page]:
    """Everybody of example.com may look, and of them those in the group dba may act."""
    with served(protection(known)) as made:
        yield made


def protection(known: Provider, **login: str) -> Protection:
    return Protection(
        OidcLogin(known.issuer, CLIENT_ID, Secret(CLIENT_SECRET), **login),
        lookers=Circle(("*@example.com", "group:dba")), actors=Circle(("group:dba",)), allow_actions=True,
    )  # fmt: skip


def asked(browser: Browser, to: str = "/works") -> str:
    """The address of the provider that a login leads to."""
    answer = browser.get(f"/login/provider?next={to}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def answered(address: str) -> str:
    """What the provider sends a browser back to."""
    return httpx.get(address).headers["location"]


def log_in(browser: Browser) -> httpx.Response:
    """The whole way, as far as the page's answer to what the provider said."""
    back = urlsplit(answered(asked(browser)))
    return browser.get(f"{back.path}?{back.query}", Sec_Fetch_Site="cross-site")


def test_somebody_logs_in_and_goes_on_to_where_they_wanted(page: Page, known: Provider) -> None:
    known.is_about("anna@example.com", "dba")
    browser = page.browser()
    assert "/login/provider?next=%2Fworks" in browser.client.get(browser.get("/works").headers["location"]).text
    answer = log_in(browser)
    assert answer.status_code == 200
    assert 'content="0; url=/works"' in answer.text  # no redirect: the cookie would not be sent on it
    assert "anna@example.com" in browser.get("/works").text
    assert browser.get("/act?action=drain&database=none&object=a").status_code == 404  # and not 403


def test_the_cookies_of_a_login(page: Page, known: Provider) -> None:
    known.is_about("anna@example.com")
    browser = page.browser()
    sent = browser.get("/login/provider").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(sent.split("; "))
    assert CLIENT_SECRET not in sent
    session, state = log_in(browser).headers.get_list("set-cookie")
    assert "SameSite=Strict" in session
    assert "Max-Age=0" in state


def test_the_provider_is_asked_with_pkce_and_a_nonce(page: Page) -> None:
    said = parse_qs(urlsplit(asked(page.browser())).query)
    assert said["code_challenge_method"] == ["S256"]
    assert said["redirect_uri"] == [f"{page.address}/login/callback"]
    assert all(len(said[name][0]) >= 20 for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize(
    ("email", "groups", "verified"),
    [
        ("eve@evil.example", (), True),
        ("anna@example.com", (), False),
        ("", (), True),
        ("eve@example.com.evil.example", (), True),
        (f"{'e' * 88}@example.com.evil.example", (), True),
        ("anna@example.com\u200b", (), True),
        ("eve@evil.example @example.com\n", (), True),
    ],
)
def test_who_is_not_meant_does_not_get_in(
    page: Page, known: Provider, email: str, groups: tuple[str, ...], verified: bool
) -> None:
    known.is_about(email, *groups, verified=verified)
    browser = page.browser()
    assert log_in(browser).status_code == 403
    assert browser.get("/works").status_code == 303


def test_who_is_in_no_group_that_may_act_looks_only(page: Page, known: Provider) -> None:
    known.is_about("bob@example.com", "developers")
    browser = page.browser()
    log_in(browser)
    assert browser.get("/works").status_code == 200
    assert browser.get("/act?action=drain&database=none&object=a").status_code == 403


def test_a_claim_may_be_told_by_userinfo_only(known: Provider) -> None:
    known.is_about("x@evil.example", "dba")
    known.userinfo = {"preferred_username": "anna"}
    with served(protection(known, claim="preferred_username")) as page:
        browser = page.browser()
        assert log_in(browser).status_code == 200
        assert ">anna<" in browser.get("/works").text
        known.userinfo["sub"] = "somebody else"
        assert log_in(page.browser()).status_code == 403


@pytest.mark.parametrize(
    "instead",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": None},
        {"azp": "another"},
        {"aud": "another", "azp": CLIENT_ID},
    ],
    ids=str,
)
def test_a_token_that_was_not_made_for_this_login_is_not_believed(
    page: Page, known: Provider, instead: dict[str, object]
) -> None:
    known.is_about("anna@example.com")
    known.instead = instead
    answer = log_in(page.browser())
    assert (answer.status_code, "believed" in answer.text) == (403, True)


def test_a_token_of_another_key_is_not_believed(page: Page, known: Provider) -> None:
    known.is_about("anna@example.com")
    known.signing_key = ECKey.generate_key("P-256")
    assert log_in(page.browser()).status_code == 403


def test_a_login_that_was_begun_elsewhere_goes_nowhere(page: Page, known: Provider) -> None:
    known.is_about("anna@example.com")
    begun, other = page.browser(), page.browser()
    back = urlsplit(answered(asked(begun)))
    for browser in (page.browser(), other):
        answer = browser.get(f"{back.path}?{back.query}")
        assert (answer.status_code, "not begun here" in answer.text) == (400, True)
        asked(other)


def test_a_login_that_took_too_long_goes_nowhere(page: Page, known: Provider) -> None:
    known.is_about("anna@example.com")
    browser = page.browser()
    back = urlsplit(answered(asked(browser)))
    page.clock.seconds += 11 * MINUTES
    assert browser.get(f"{back.path}?{back.query}").status_code == 400


def test_a_code_is_good_once(page: Page, known: Provider) -> None:
    known.is_about("anna@example.com")
    browser = page.browser()
    back = urlsplit(answered(asked(browser)))
    kept = dict(browser.client.cookies)
    assert browser.get(f"{back.path}?{back.query}").status_code == 200
    again = page.browser(Cookie="; ".join(f"{name}={value}" for name, value in kept.items()))
    assert again.get(f"{back.path}?{back.query}").status_code == 403


def test_what_the_provider_says_of_an_error_is_not_repeated(page: Page, known: Provider) -> None:
    known.error = "access_denied"
    answer = log_in(page.browser())
    known.error = None
    assert answer.status_code == 403
    assert "has not logged you in" in answer.text
    assert "<script>alert" not in answer.text


def test_a_provider_that_is_not_there_or_another_one_is_said() -> None:
    with served(Protection(OidcLogin("http://127.0.0.1:9", CLIENT_ID), lookers=Circle(("*",)))) as page:
        answer = page.browser().get("/login/provider")
        assert (answer.status_code, "127.0.0.1:9 could not be asked" in answer.text) == (502, True)
    with provider() as made:
        address, made.issuer = made.issuer, "https://another.example"
        with served(Protection(OidcLogin(address, CLIENT_ID), lookers=Circle(("*",)))) as page:
            assert page.browser().get("/login/provider").status_code == 502


def test_a_form_to_log_in_with_a_token_is_not_there(page: Page) -> None:
    assert page.browser().log_in().status_code == 405
    assert 'type="password"' not in page.browser().get("/login").text


def test_behind_a_proxy_people_come_back_to_the_public_address(known: Provider) -> None:
    from dataclasses import replace

    with served(replace(protection(known), public_url="https://pw.example.com")) as page:
        browser = page.browser()
        sent = browser.get("/login/provider")
        said = parse_qs(urlsplit(sent.headers["location"]).query)
        assert said["redirect_uri"] == ["https://pw.example.com/login/callback"]
        assert sent.headers["set-cookie"].startswith("__Host-")
        assert "; Secure" in sent.headers["set-cookie"]
