"""Logging in by a token: sessions, their cookies, their end; programs with a token; how often somebody may try."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from partwarden.web.access.protection import Protection, TokenLogin
from partwarden.web.access.secret import Secret
from tests.safety.page import TOKEN, Browser, Page, served

METRICS_TOKEN = "a token of the scraper's"
PROTECTION = Protection(TokenLogin(Secret(TOKEN)), metrics_token=Secret(METRICS_TOKEN), allow_actions=True)


@pytest.fixture(scope="module")
def served_page() -> Iterator[Page]:
    with served(PROTECTION) as made:
        yield made


@pytest.fixture
def page(served_page: Page) -> Page:
    served_page.clock.seconds += 120  # what was tried before is forgotten
    return served_page


@pytest.fixture
def logged_in(page: Page) -> Browser:
    browser = page.browser()
    assert browser.log_in().status_code == 303
    return browser


@pytest.mark.parametrize(
    "path", ["/", "/works", "/act?action=drain&database=a&object=b", "/nowhere", "/login2", "/staticfoo"]
)
def test_who_is_not_logged_in_is_asked_to(page: Page, path: str) -> None:
    answer = page.browser().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/events", "/metrics", "/", "/ticks"])
def test_programs_that_are_not_logged_in_are_refused(page: Page, path: str) -> None:
    answer = page.program(Accept="text/event-stream").get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "data:" not in answer.text


def test_the_page_to_log_in_on_calls_nobody_by_name(page: Page) -> None:
    assert "nobody" not in page.browser().get("/login").text


def test_what_is_open_is_open(page: Page) -> None:
    assert page.program().get("/healthz").text == "ok\n"
    assert page.program().get("/static/style.css").status_code == 200


def test_a_login_leads_on_to_where_one_wanted_to(page: Page) -> None:
    browser = page.browser()
    form = browser.client.get(browser.get("/works?a=1&b=%C3%BC").headers["location"])
    assert 'name="next" value="/works?a=1&amp;b=%C3%BC"' in form.text
    answer = browser.post("/login", {"name": "anna", "token": TOKEN, "next": "/works?a=1&b=%C3%BC"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/works?a=1&b=%C3%BC")
    assert "anna" in browser.get("/works").text


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y", "", "/login"],
)
def test_a_login_leads_nowhere_else(page: Page, to: str) -> None:
    answer = page.browser().post("/login", {"name": "anna", "token": TOKEN, "next": to})
    assert answer.headers["location"] == "/"


def test_a_session_is_a_cookie_that_no_script_and_no_other_page_gets(page: Page) -> None:
    cookie = page.browser().log_in().headers["set-cookie"]
    assert cookie.startswith("partwarden-session-0=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert TOKEN not in cookie


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "\udcff"])
def test_a_wrong_token_lets_nobody_in(page: Page, token: str) -> None:
    answer = page.browser().post("/login", {"name": "anna", "token": token.encode("utf-8", "replace").decode()})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert 'role="alert"' in answer.text


def test_somebody_without_a_name_is_asked_for_it(page: Page) -> None:
    answer = page.browser().log_in(name=" \n\t")
    assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)


def test_a_session_ends_after_twelve_hours(page: Page, logged_in: Browser) -> None:
    page.clock.seconds += 12 * 3600 - 1
    assert logged_in.get("/works").status_code == 200
    page.clock.seconds += 1
    assert logged_in.get("/works").status_code == 303


def test_a_session_that_was_tampered_with_is_none(page: Page, logged_in: Browser) -> None:
    ((name, value),) = logged_in.client.cookies.items()
    for other in (
        value[:-9] + ("A" if value[-9] != "A" else "B") + value[-8:],
        "x" + value,
        value.split(".")[0],
        "",
        "null",
    ):
        assert page.program(Cookie=f"{name}={other}").get("/works").status_code == 401
    assert page.program(Cookie=f"{name}={value}").get("/works").status_code == 200


def test_a_session_of_another_page_is_none(logged_in: Browser) -> None:
    ((name, value),) = logged_in.client.cookies.items()
    for other in (
        Protection(TokenLogin(Secret(TOKEN))),
        Protection(
            TokenLogin(Secret("another token altogether")), session_key=PROTECTION.session_key, allow_actions=True
        ),
    ):
        with served(other) as page:
            assert page.program(Cookie=f"{name}={value}").get("/works").status_code == 401


def test_logging_out_ends_the_session_whoever_has_its_cookie(page: Page, logged_in: Browser) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in logged_in.client.cookies.items())
    answer = logged_in.post("/logout", {"csrf": logged_in.csrf("/works")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert page.program(Cookie=cookie).get("/works").status_code == 401


def test_nobody_else_can_log_somebody_out(logged_in: Browser) -> None:
    for made_up in ("", "x", "0" * 64, "ü"):
        assert logged_in.post("/logout", {"csrf": made_up}).status_code == 403
    assert logged_in.get("/works").status_code == 200


def test_a_stream_ends_with_its_session(page: Page, logged_in: Browser) -> None:
    with logged_in.client.stream("GET", "/ticks") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "data: tick"
        page.clock.seconds += 13 * 3600
        deadline = time.monotonic() + 10
        for _ in lines:
            assert time.monotonic() < deadline
    assert logged_in.get("/works").status_code == 303


def test_a_link_from_elsewhere_leads_to_the_page_and_not_to_the_login(page: Page, logged_in: Browser) -> None:
    """Browsers keep the cookie back on a way that another page has begun: the login page begins it anew."""
    stranger = page.browser()
    asked = stranger.get("/works", Sec_Fetch_Site="cross-site").headers["location"]
    bounce = stranger.client.get(asked, headers={"Sec-Fetch-Site": "cross-site"}).text
    to = bounce.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert to == "/login?next=%2Fworks&here"
    assert logged_in.client.get(to, headers={"Sec-Fetch-Site": "same-origin"}).headers["location"] == "/works"
    assert 'type="password"' in stranger.client.get(to, headers={"Sec-Fetch-Site": "cross-site"}).text


# Programs


def test_a_program_looks_with_the_token(page: Page) -> None:
    assert page.program(Authorization=f"Bearer {TOKEN}").get("/works").status_code == 200
    assert page.program(Authorization=f"bearer {TOKEN}").get("/metrics").text == "partwarden_up 1\n"


def test_a_program_does_not_act(page: Page) -> None:
    program = page.program(Authorization=f"Bearer {TOKEN}", Origin=page.address)
    answer = program.post("/act", data={"action": "drain", "database": "app", "object": "app.events"})
    assert answer.status_code == 403


def test_the_scrapers_token_opens_metrics_only(page: Page) -> None:
    scraper = page.program(Authorization=f"Bearer {METRICS_TOKEN}")
    assert scraper.get("/metrics").status_code == 200
    assert scraper.get("/works").status_code == 403


def test_metrics_may_be_open() -> None:
    with served(Protection(TokenLogin(Secret(TOKEN)), open_metrics=True)) as page:
        assert page.program().get("/metrics").status_code == 200
        assert page.program().get("/works").status_code == 401


# Guessing


def guesses(page: Page, guess: str = "wrong") -> list[int]:
    return [page.browser().log_in(token=guess).status_code for _ in range(12)]


def test_after_ten_wrong_tokens_none_is_tried_for_a_minute(page: Page) -> None:
    assert guesses(page) == [401] * 10 + [429] * 2
    assert page.browser().log_in().status_code == 429
    assert page.program(Authorization=f"Bearer {TOKEN}").get("/works").status_code == 429
    page.clock.seconds += 61
    assert page.browser().log_in().status_code == 303


def test_who_is_logged_in_goes_on_while_others_guess(page: Page, logged_in: Browser) -> None:
    guesses(page)
    assert logged_in.get("/works").status_code == 200


def test_tokens_of_programs_are_counted_as_well(page: Page) -> None:
    guessing = page.program(Authorization="Bearer wrong")
    assert [guessing.get("/metrics").status_code for _ in range(11)] == [401] * 10 + [429]


# Forms that others have made


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_page_is_refused(page: Page, headers: dict[str, str]) -> None:
    answer = page.browser().client.post("/login", data={"name": "anna", "token": TOKEN}, headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_what_no_form_sends_is_refused(page: Page) -> None:
    browser = page.browser()
    ours = {"Origin": page.address, "Content-Type": "application/x-www-form-urlencoded"}
    for content, kind, status in (
        (b"x" * 70_000, ours["Content-Type"], 413),
        (b"a=%ff", ours["Content-Type"], 400),
        (b"&".join(b"a=1" for _ in range(60)), ours["Content-Type"], 400),
        (b"{}", "application/json", 400),
        (b"--x--", "multipart/form-data; boundary=x", 400),
    ):
        answer = browser.client.post("/login", content=content, headers={**ours, "Content-Type": kind})
        assert answer.status_code == status


def test_a_page_without_a_session_has_no_form_of_anybody(page: Page) -> None:
    assert "csrf" not in page.browser().get("/login").text


def test_other_methods_are_refused(page: Page, logged_in: Browser) -> None:
    assert logged_in.get("/logout").status_code == 405
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS"):
        assert logged_in.client.request(method, "/act").status_code == 405
