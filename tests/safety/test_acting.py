"""Acting from a page: confirmed, by a form of this session, on record with the person's name; drains and maintenance."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest

from partwarden.audit import Entry, read_entries
from partwarden.database import Connection
from partwarden.install import install
from partwarden.web.access.protection import NoLogin, Protection, TokenLogin
from partwarden.web.access.secret import Secret
from partwarden.web.wording import link
from tests.commands import partwarden
from tests.partition_sets import daily_set, partitions, want_one_more_partition
from tests.safety.page import TOKEN, Browser, Page, csrf, served
from tests.servers import OWNER, Database, Server
from tests.waiting import wait_until

pytestmark = pytest.mark.one_server

SET = "app.a"
PROTECTION = Protection(TokenLogin(Secret(TOKEN)), allow_actions=True)


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection to a database that has partwarden and one healthy set, app.a."""
    with database.connect_owner() as connection:
        install(connection)
        connection.execute("create schema app")
        daily_set(connection, SET)
        yield connection


@pytest.fixture
def page(database: Database, owner: Connection) -> Iterator[Page]:
    """A page with actions on that database, which it calls shop."""
    with served(PROTECTION, {"shop": database.owner_dsn}) as made:
        yield made


@pytest.fixture
def anna(page: Page) -> Browser:
    browser = page.browser()
    browser.log_in("anna")
    return browser


def fill_default(owner: Connection, table: str = SET, rows: int = 20) -> None:
    owner.execute(
        f"insert into {table} (id, created_at) select n, now() - interval '40 days' + n % 3 * interval '1 day'"
        f" from generate_series(1, {rows}) n"
    )


def opened(owner: Connection) -> int:
    """The number of an incident that is open."""
    fill_default(owner)
    owner.execute("call partwarden.monitor()")
    return int(value(owner, "select id from partwarden.incident where resolved_at is null"))


def value(owner: Connection, query: str) -> Any:
    row = owner.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def done(browser: Browser, action: str, target: object, **more: str) -> httpx.Response:
    """Go to the page that asks for confirmation, and confirm."""
    asked = {"action": action, "database": "shop", "object": str(target)}
    form = browser.get(link("/act", **asked))
    assert form.status_code == 200, form.text
    return browser.post("/act", {**asked, **more, "csrf": csrf(form.text)})


def begun(browser: Browser, action: str, target: str) -> str:
    """The page of what was begun."""
    answer = done(browser, action, target)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def ended(browser: Browser, address: str) -> str:
    """What its page says at its end; until then it loads itself anew."""
    wait_until(lambda: "refresh" not in browser.get(address).headers, "the work is over")
    return browser.get(address).text


def record(owner: Connection) -> list[Entry]:
    return list(reversed(read_entries(owner)))


def outcomes(owner: Connection) -> list[tuple[str, str, str, str]]:
    return [(each.actor, each.action, each.object, each.outcome) for each in record(owner)]


# Incidents


def test_incidents_are_acknowledged_and_silenced_by_somebody(page: Page, anna: Browser, owner: Connection) -> None:
    number = opened(owner)
    form = anna.get(link("/act", action="acknowledge", database="shop", object=number))
    assert "no more reminders" in form.text
    assert value(owner, "select acknowledged_by from partwarden.incident") is None

    acknowledged = done(anna, "acknowledge", number, note="it's mine")
    assert f"Incident {number} is acknowledged by anna." in acknowledged.text
    assert (
        f"select partwarden.acknowledge({number}, p_note =&gt; &#39;it&#39;&#39;s mine&#39;, p_by =&gt; &#39;anna&#39;);"
        in acknowledged.text
    )
    assert value(owner, "select (acknowledged_by, note)::text from partwarden.incident") == '(anna,"it\'s mine")'
    assert done(anna, "unacknowledge", number).status_code == 200
    assert value(owner, "select acknowledged_by from partwarden.incident") is None
    form = anna.get(link("/act", action="silence", database="shop", object=number))
    assert f"select partwarden.silence({number}, p_until =&gt; &#39;…&#39;, p_by =&gt; &#39;anna&#39;);" in form.text
    silenced = done(anna, "silence", number, until="4 hours", note="x").text
    assert "is silenced until" in silenced
    owner.execute(unescape(silenced.partition("<pre>")[2].partition("</pre>")[0]).encode())
    assert value(owner, "select silenced_until > now() + interval '3 hours' from partwarden.incident")
    bob = page.browser()
    bob.log_in("bob")
    assert done(bob, "unsilence", number).status_code == 200

    expected = [("anna", "acknowledge"), ("anna", "unacknowledge"), *[("anna", "silence")] * 2, ("bob", "unsilence")]
    assert outcomes(owner) == [(who, what, SET, "done") for who, what in expected]
    first = record(owner)[0]
    assert (first.role, first.detail) == (
        OWNER, {"incident": number, "check": "default-not-empty", "note": "it's mine"},
    )  # fmt: skip
    shown = anna.get(link("/record", database="shop")).text
    assert "unsilence" in shown
    assert "bob" in shown


def test_what_is_done_by_command_or_statement_is_on_record_too(database: Database, owner: Connection) -> None:
    number = opened(owner)
    assert partwarden("incidents", "ack", database.owner_dsn, str(number)).returncode == 0
    owner.execute("select partwarden.unacknowledge(%s, 'jane')", (number,))
    owner.execute("select partwarden.unacknowledge(%s, 'jane')", (number,))  # nothing is done
    assert outcomes(owner) == [(OWNER, "acknowledge", SET, "done"), ("jane", "unacknowledge", SET, "done")]
    owner.execute("update partwarden.audit set at = at - interval '89 days'")
    owner.execute("select partwarden.forget_history()")
    assert len(record(owner)) == 2
    owner.execute("update partwarden.audit set at = at - interval '2 days'")
    owner.execute("select partwarden.forget_history()")
    assert record(owner) == []


def test_what_can_not_be_done_is_said_and_not_on_record(anna: Browser, owner: Connection) -> None:
    number = opened(owner)
    for target, more, status, said in (
        ("4711", {"until": "2 hours"}, 409, "there is none with that number"),
        ("x'y", {}, 409, "is not the number of an incident"),
        (str(number), {"until": "soon"}, 409, "PostgreSQL reads it neither"),
        (str(number), {"until": "2 hours", "note": "x" * 501}, 409, "too long for a note"),
    ):
        token = anna.csrf("/works")
        answer = anna.post("/act", {"action": "silence", "database": "shop", "object": target, "csrf": token, **more})
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    for path in (
        "/act?action=drop&database=shop&object=app.a",
        "/act?action=drain&database=x&object=app.a",
        "/act",
        "/work?number=7",
    ):
        assert anna.get(path).status_code == 404
    assert anna.get("/act?action=drain&database=shop&object=app.nothing").status_code == 409
    assert record(owner) == []


# Whose form it is


def test_only_a_form_of_this_session_does_something(page: Page, anna: Browser, owner: Connection) -> None:
    number = opened(owner)
    fields = {"action": "acknowledge", "database": "shop", "object": str(number)}
    bob = page.browser()
    bob.log_in("bob")
    of_bob, of_anna = bob.csrf("/works"), anna.csrf("/works")
    for token in ("", "0" * 64, of_bob, of_anna[:-1]):
        assert anna.post("/act", {**fields, "csrf": token}).status_code == 403
    assert anna.post("/act", fields).status_code == 403
    good = {**fields, "csrf": of_anna}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        assert anna.post("/act", good, **headers).status_code == 403
    assert anna.client.post("/act", data=good).status_code == 403  # nothing says where it comes from
    assert anna.get(link("/act", **good)).status_code == 200  # a link only asks
    assert page.program(Origin=page.address).post("/act", data=good).status_code == 401
    assert value(owner, "select acknowledged_by from partwarden.incident") is None
    assert record(owner) == []
    assert anna.post("/act", good).status_code == 200


def test_nothing_is_done_unless_it_was_allowed(database: Database, owner: Connection) -> None:
    number = opened(owner)
    with served(replace(PROTECTION, allow_actions=False), {"shop": database.owner_dsn}) as page:
        browser = page.browser()
        browser.log_in()
        fields = {"action": "acknowledge", "database": "shop", "object": str(number), "csrf": browser.csrf("/works")}
        for answer in (browser.get(link("/act", **fields)), browser.post("/act", fields)):
            assert (answer.status_code, "without --allow-actions" in answer.text) == (403, True)
    assert record(owner) == []


def test_on_this_machine_a_visit_is_a_session(database: Database, owner: Connection) -> None:
    number = opened(owner)
    with served(Protection(NoLogin("somebody here"), allow_actions=True), {"shop": database.owner_dsn}) as page:
        browser = page.browser()
        assert done(browser, "acknowledge", number).status_code == 200
        fields = {"action": "unacknowledge", "database": "shop", "object": str(number)}
        answer = page.browser().post("/act", {**fields, "csrf": browser.csrf("/works")})
        assert (answer.status_code, "session" in answer.text) == (403, True)
    assert outcomes(owner) == [("somebody here", "acknowledge", SET, "done")]


# Drains


def test_a_drain_is_seen_while_it_works_and_afterwards(anna: Browser, owner: Connection) -> None:
    fill_default(owner, rows=3_000)
    form = anna.get("/act?action=drain&database=shop&object=app.a")
    assert "3,000 rows, " in form.text
    assert "new partitions, by" in form.text
    assert "partwarden drain app.a -d shop" in form.text
    address = begun(anna, "drain", SET)
    page = ended(anna, address)
    assert re.search(r"3,000 rows moved into \d+ new partitions", page), page
    assert value(owner, "select count(*) from app.a_default") == 0
    assert outcomes(owner) == [("anna", "drain", SET, "begun"), ("anna", "drain", SET, "done")]
    first, second = record(owner)
    assert (first.began_as, second.began_as) == (None, first.id)
    assert first.detail == {"statement": "partwarden drain app.a -d shop"}
    assert address.replace("&", "&amp;") in anna.get("/works").text


def test_a_drain_is_cancelled_and_a_second_one_goes_on(
    page: Page, anna: Browser, owner: Connection, database: Database
) -> None:
    fill_default(owner)
    with database.connect_owner() as other:
        other.execute("begin; select from app.a limit 1")
        address = begun(anna, "drain", SET)
        wait_until(lambda: "waiting for a lock" in anna.get(address).text, "it waits for the other one")
        refused = done(anna, "drain", SET)
        assert (refused.status_code, "anna works on app.a already" in refused.text) == (409, True)
        number = address.partition("=")[2]
        bob = page.browser()
        bob.log_in("bob")
        assert bob.post("/work/cancel", {"number": number, "csrf": "x"}).status_code == 403
        assert bob.post("/work/cancel", {"number": number, "csrf": csrf(bob.get(address).text)}).status_code == 303
        said = ended(anna, address)
    assert "Cancelled" in said
    assert "cancelled by bob" in said
    assert value(owner, "select count(*) from app.a_default") == 20
    assert [each.outcome for each in record(owner)] == ["begun", "cancelled"]
    assert bob.post("/work/cancel", {"number": number, "csrf": bob.csrf("/works")}).status_code == 409
    assert "20 rows moved" in ended(anna, begun(anna, "drain", SET))


def test_a_page_that_ends_cancels_what_goes_on(database: Database, owner: Connection) -> None:
    fill_default(owner)
    with database.connect_owner() as other:
        other.execute("begin; select from app.a limit 1")
        with served(PROTECTION, {"shop": database.owner_dsn}) as page:
            browser = page.browser()
            browser.log_in("anna")
            address = begun(browser, "drain", SET)
            wait_until(lambda: "waiting for a lock" in browser.get(address).text, "it waits for the other one")
        assert [each.outcome for each in record(owner)] == ["begun", "cancelled"]


def test_names_can_be_anything(anna: Browser, owner: Connection) -> None:
    daily_set(owner, "app.<script>alert(1)</script> ünï")
    table = 'app."<script>alert(1)</script> ünï"'
    fill_default(owner, table, rows=1)
    form = anna.get(link("/act", action="drain", database="shop", object=table))
    said = ended(anna, begun(anna, "drain", table))
    assert "1 row moved" in said
    for text in (form.text, said, anna.get("/works").text, anna.get("/record?database=shop").text):
        assert "<script>alert" not in text
    number = opened(owner)
    answer = done(anna, "acknowledge", number, note="<script>alert(2)</script>")
    assert answer.status_code == 200
    for text in (answer.text, anna.get("/record?database=shop").text):
        assert "&lt;script&gt;alert(2)" in text
        assert "<script>alert" not in text


# Maintenance


def test_one_set_is_maintained(page: Page, anna: Browser, owner: Connection) -> None:
    daily_set(owner, "app.b")
    for each in (SET, "app.b"):
        want_one_more_partition(owner, each)
    before = {each: len(partitions(owner, each)) for each in (SET, "app.b")}
    assert (
        "call partwarden.maintain(&#39;app.a&#39;);" in anna.get("/act?action=maintain&database=shop&object=app.a").text
    )
    assert "Done" in ended(anna, begun(anna, "maintain", SET))
    assert {each: len(partitions(owner, each)) for each in before} == {SET: before[SET] + 1, "app.b": before["app.b"]}
    assert (
        value(owner, "select (parent_table, outcome, sets)::text from partwarden.maintenance") == "(app.a,succeeded,1)"
    )
    assert value(owner, "select partwarden.given() ->> 'last_good_call'") is None
    assert outcomes(owner) == [("anna", "maintain", SET, "begun"), ("anna", "maintain", SET, "done")]

    owner.execute("update partman.part_config set automatic_maintenance = 'off' where parent_table = 'app.b'")
    said = ended(anna, begun(anna, "maintain", "app.b"))
    assert "pg_partman does not maintain it" in said
    assert record(owner)[-1].outcome == "failed"
    assert "pg_partman does not maintain it" in record(owner)[-1].detail["problem"]


def test_maintenance_is_cancelled(page: Page, anna: Browser, owner: Connection, database: Database) -> None:
    want_one_more_partition(owner)
    owner.execute("update partwarden.setting set lock_timeout = '1 minute'")
    with database.connect_owner() as other:
        other.execute("begin; lock table app.a in access share mode; lock table app.a_default in access exclusive mode")
        address = begun(anna, "maintain", SET)
        wait_until(
            lambda: value(owner, "select count(*) from pg_stat_activity where query like 'call partwarden.maintain(%'"),
            "it works",
        )
        started = time.monotonic()
        form = {"number": address.partition("=")[2], "csrf": csrf(anna.get(address).text)}
        assert anna.post("/work/cancel", form).status_code == 303
        assert "Cancelled" in ended(anna, address)
    assert time.monotonic() - started < 45
    assert [each.outcome for each in record(owner)] == ["begun", "cancelled"]


# Where it can't be done


def test_a_role_that_only_reads_is_told_what_it_needs(server: Server, database: Database, owner: Connection) -> None:
    number = opened(owner)
    server.cluster.add_role("looker")
    with database.connect() as superuser:
        superuser.execute("grant usage on schema partwarden, app, partman to looker")
        superuser.execute("grant select on all tables in schema partwarden, app, partman to looker")
        superuser.execute("grant execute on all routines in schema partwarden to looker")
    try:
        with served(PROTECTION, {"shop": server.cluster.dsn(database.name, "looker")}) as page:
            browser = page.browser()
            browser.log_in()
            answer = done(browser, "acknowledge", number)
            assert answer.status_code == 409
            assert "looks as role looker, which may not act" in answer.text
            assert f"Have it connect as {OWNER}" in answer.text
            drain = browser.get("/act?action=drain&database=shop&object=app.a")
            assert (drain.status_code, "role looker does not own it" in drain.text) == (409, True)
            assert "permission denied" in ended(browser, begun(browser, "maintain", SET))
    finally:
        with database.connect() as superuser:
            superuser.execute("drop owned by looker")
            superuser.execute("drop role looker")
    assert record(owner) == []


def test_a_database_without_a_record_or_that_is_not_there_is_said(database: Database) -> None:
    gone = "host=127.0.0.1 port=9 dbname=secret_name password=s3cr3t"
    with served(PROTECTION, {"bare": database.owner_dsn, "gone": gone}) as page:
        browser = page.browser()
        browser.log_in()
        bare = browser.get("/act?action=drain&database=bare&object=app.a")
        assert (bare.status_code, "could not be put on record" in bare.text) == (409, True)
        for path in ("/act?action=drain&database=gone&object=app.a", "/record?database=gone"):
            answer = browser.get(path)
            assert (answer.status_code, "can&#39;t be reached" in answer.text) == (503, True)
            assert "secret_name" not in answer.text
            assert "s3cr3t" not in answer.text
        fields = {"action": "maintain", "database": "gone", "object": "app.a", "csrf": browser.csrf("/works")}
        said = ended(browser, browser.post("/act", fields).headers["location"])
        assert "can&#39;t be reached" in said
        assert "secret_name" not in said
