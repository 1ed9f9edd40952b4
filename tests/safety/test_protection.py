"""What every answer carries, under which names the page answers, and what is said when it fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from partwarden.web.access.headers import POLICY
from partwarden.web.access.protection import NoLogin, Protection, ProxyLogin, TokenLogin
from partwarden.web.access.secret import Secret
from tests.aws.fleet.tls import Authority
from tests.safety.page import SECRET_DSN, TOKEN, Page, served

LOOKING = NoLogin("somebody here")
PROXY = ip_network("127.0.0.1/32")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with served(Protection(LOOKING)) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/nowhere", "/broken", "/healthz", "/act"])
def test_every_answer_is_strict(page: Page, path: str) -> None:
    headers = page.browser().get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers
    assert "server" not in headers


def test_assets_are_kept_and_what_is_none_is_not(page: Page) -> None:
    assert "max-age" in page.browser().get("/static/style.css").headers["cache-control"]
    assert page.browser().get("/static/nothing.css").headers["cache-control"] == "no-store"
    assert page.browser().get("/static/../safeguard.py").status_code == 404
    assert page.browser().get("/static/..%2fsafeguard.py").status_code == 404


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8432", "[::1]:80", "LOCALHOST", "localhost."])
def test_the_page_answers_to_this_machines_names(page: Page, host: str) -> None:
    assert page.browser().get("/", Host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "::1", "2130706433"]
)
def test_the_page_answers_to_no_other_name(page: Page, host: str) -> None:
    answer = page.browser().get("/", Host=host)
    assert answer.status_code == 400
    assert "--host-name" in answer.text
    assert "evil" not in answer.text
    assert page.browser().get("/healthz", Host=host).text == "ok\n"


def test_beyond_this_machine_only_names_that_were_said_are_answered_to() -> None:
    with served(Protection(TokenLogin(Secret(TOKEN)), host_names=("pw.example.com",))) as page:
        browser = page.browser()
        assert browser.get("/login", Host="pw.example.com:8432").status_code == 200
        assert browser.get("/login", Host="localhost").status_code == 400


def test_a_page_that_fails_says_nothing_of_its_inside(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = page.browser().get("/broken")
    assert answer.status_code == 500
    number = answer.text.partition("error ")[2][:8]
    assert f"error {number}: RuntimeError in " in caplog.text
    for said in (answer.text, caplog.text):
        assert "s3cr3t" not in said
    assert "db.example.com" not in answer.text
    assert SECRET_DSN not in caplog.text


def test_programs_are_told_in_plain_words(page: Page) -> None:
    answer = page.program(Accept="application/json").get("/broken")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("This page has failed: error ")


def test_a_certificate_makes_it_https(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_text(authority.certify()[0])
    pair = authority.certify()
    certificate.write_text(pair[0])
    key.write_text(pair[1])
    protection = Protection(TokenLogin(Secret(TOKEN)))
    with served(protection, certificate=certificate, key=key, verify=authority.pem) as page:
        browser = page.browser()
        answer = browser.log_in()
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-partwarden-session-0=")
        assert "; Secure" in cookie
        assert "max-age=31536000" in answer.headers["strict-transport-security"]
        assert browser.get("/").status_code == 200


# Reverse proxies


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[Page]:
    """A page that trusts a proxy on this machine, at 127.0.0.1, and nobody else."""
    with served(Protection(ProxyLogin("X-Forwarded-User"), trusted_proxies=(PROXY,), allow_actions=True)) as made:
        yield made


@pytest.fixture(scope="module")
def behind_another_proxy() -> Iterator[Page]:
    """A page whose proxy stands elsewhere: we are not it."""
    elsewhere = (ip_network("10.1.2.0/24"), ip_network("::1/128"))
    with served(Protection(ProxyLogin("X-Forwarded-User"), trusted_proxies=elsewhere)) as made:
        yield made


def test_a_trusted_proxy_says_who_somebody_is_and_from_where(behind_proxy: Page) -> None:
    said = {
        "X-Forwarded-User": "anna@example.com",
        "X-Forwarded-For": "6.6.6.6, 192.0.2.7",
        "X-Forwarded-Proto": "https",
    }
    answer = behind_proxy.program(**said).get("/peer")
    assert answer.text == "192.0.2.7 https anna@example.com []"
    assert "strict-transport-security" in answer.headers


def test_nobody_else_is_believed(behind_another_proxy: Page) -> None:
    said = {"X-Forwarded-User": "anna@example.com", "X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    answer = behind_another_proxy.program(**said).get("/peer")
    assert answer.status_code == 401
    assert "strict-transport-security" not in answer.headers
    assert "reverse proxy has not said who you are" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-Forwarded-User", "")],
        [("X-Forwarded-User", "anna"), ("x-forwarded-user", "root")],
        [("X_Forwarded_User", "anna")],
        [("Remote-User", "anna")],
    ],
    ids=["none", "blank", "twice", "with underscores", "another one"],
)
def test_a_proxy_that_does_not_say_who_it_is_lets_nobody_in(behind_proxy: Page, headers: list[tuple[str, str]]) -> None:
    assert behind_proxy.program().get("/peer", headers=headers).status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "x-forwarded-host"])
def test_where_nobody_has_to_log_in_nobody_comes_through_a_proxy(page: Page, header: str) -> None:
    answer = page.browser(**{header: "192.0.2.7"}).get("/")
    assert (answer.status_code, "came through a proxy" in answer.text) == (403, True)


@pytest.mark.parametrize("name", ["anna\u200b", "anna\u202e", "an  na", "a" * 101])
def test_a_name_that_looks_like_anothers_lets_nobody_in(behind_proxy: Page, name: str) -> None:
    assert behind_proxy.program().get("/peer", headers=[(b"X-Forwarded-User", name.encode())]).status_code == 401
    assert behind_proxy.program().get("/peer", headers=[(b"X-Forwarded-User", "ännä".encode())]).status_code == 200


def test_a_name_with_signs_of_markup_is_only_a_name(behind_proxy: Page) -> None:
    answer = behind_proxy.browser(**{"X-Forwarded-User": "<script>alert(1)</script>"}).get("/works")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert" not in answer.text


def test_only_those_may_look_and_act_that_are_named() -> None:
    from partwarden.web.access.person import Circle

    protection = Protection(
        ProxyLogin("X-Forwarded-User"), trusted_proxies=(PROXY,), allow_actions=True,
        lookers=Circle(("*@example.com",)), actors=Circle(("anna@*",)),
    )  # fmt: skip
    with served(protection) as page:
        assert page.program(**{"X-Forwarded-User": "eve@evil.example"}).get("/peer").status_code == 403
        looker = page.browser(**{"X-Forwarded-User": "bob@example.com"})
        assert looker.get("/works").status_code == 200
        refused = looker.get("/act?action=drain&database=app&object=app.events")
        assert (refused.status_code, "bob@example.com may look here, and not act" in refused.text) == (403, True)
        actor = page.browser(**{"X-Forwarded-User": "Anna@Example.com"})
        assert actor.get("/act?action=drain&database=app&object=app.events").status_code == 404
