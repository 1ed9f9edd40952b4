"""What people do on the pages, in a browser: at an incident, with a set, logging in; and the server ends while they look."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from partwarden.database import Connection
from partwarden.health import Target
from partwarden.web.access.protection import NoLogin, Protection, TokenLogin
from partwarden.web.access.secret import Secret
from tests.web import states as scenes
from tests.web.browsing import PHONE, WHO, Site, Visitor, serving
from tests.web.conftest import Visit
from tests.web.reading import beyond_the_edge, violations
from tests.web.states import States

TOKEN = "a token that nobody guesses"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def target(states: States) -> Target:
    """A database that its owner watches, who may also act."""
    own = States(states.server, states.recorder)
    scenes.changing(own, "acting")
    database = own.databases["acting"]
    states.databases["acting"] = database
    return Target(database.owner_dsn, "acting")


@pytest.fixture
def owner(states: States, target: Target) -> Iterator[Connection]:
    """Its owner."""
    with states.databases["acting"].connect_owner() as connection:
        yield connection


@pytest.fixture(scope="module")
def acting(target: Target) -> Iterator[Site]:
    """Its pages, with actions."""
    protection = Protection(NoLogin(WHO), allow_actions=True)
    with serving([target], interval=1, protection=protection) as site:
        yield site


def everybody_can_read(visitor: Visitor) -> None:
    """In both widths."""
    assert violations(visitor) == []
    visitor.page.set_viewport_size(PHONE)
    assert beyond_the_edge(visitor) == []
    visitor.page.set_viewport_size({"width": 1280, "height": 900})


def test_an_incident_is_acknowledged_and_the_page_says_by_whom(acting: Site, visit: Visit, owner: Connection) -> None:
    owner.execute("insert into live.note values (1, now() - interval '1 year')")
    owner.execute("call partwarden.monitor()")
    visitor = visit(acting)
    visitor.open("/incidents")
    visitor.page.locator("table.wide th a").first.click()
    visitor.page.get_by_role("link", name="Acknowledge", exact=True).click()
    everybody_can_read(visitor)
    visitor.page.get_by_label("A note for the others").fill("<b>mine</b>")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("status")).to_be_visible()
    everybody_can_read(visitor)
    visitor.follow("Back")
    expect(visitor.page.locator("dl.facts")).to_contain_text(f"by {WHO}")
    expect(visitor.page.locator("dl.facts")).to_contain_text("<b>mine</b>")


def test_a_set_is_drained_by_keyboard_and_stands_on_record(acting: Site, visit: Visit, owner: Connection) -> None:
    owner.execute("insert into live.note select n, now() - n * interval '1 day' from generate_series(100, 103) n")
    visitor = visit(acting)
    visitor.open("/set", name="live.note")
    visitor.page.get_by_role("link", name="Drain the default partition").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("pre")).to_contain_text("partwarden drain")
    everybody_can_read(visitor)
    visitor.page.get_by_role("button", name="Drain").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("status")).to_contain_text(
        re.compile("Done|Left|Succeeded", re.IGNORECASE), timeout=60_000
    )
    everybody_can_read(visitor)
    visitor.follow("what was done")
    expect(visitor.page.locator("tbody tr").first).to_contain_text(WHO)
    everybody_can_read(visitor)
    visitor.page.go_back()
    visitor.follow("what goes on")
    everybody_can_read(visitor)
    assert owner.execute("select count(*) from live.note_default where id between 100 and 103").fetchone() == (0,)


def test_who_may_not_act_sees_no_button(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/set", database="billing", name="billing.ledger")
    assert visitor.page.locator("main form, main .actions").count() == 0


def test_one_logs_in_with_a_token_and_comes_to_where_one_wanted(target: Target, visit: Visit) -> None:
    with serving([target], interval=60, protection=Protection(TokenLogin(Secret(TOKEN)))) as site:
        visitor = visit(site)
        visitor.expected = ("401", "403")
        visitor.open("/jobs", database="acting")
        everybody_can_read(visitor)
        visitor.page.get_by_label("Your name").fill("anna")
        visitor.page.get_by_label("Token").fill("wrong")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page.get_by_role("alert")).to_be_visible()
        visitor.page.get_by_label("Token").fill(TOKEN)
        visitor.page.keyboard.press("Enter")
        visitor.page.wait_for_url("**/jobs*")
        assert visitor.heading.startswith("Jobs")
        visitor.page.get_by_role("button", name="Log out").click()
        expect(visitor.page.get_by_label("Token")).to_be_visible()


def test_serve_ends_at_once_while_somebody_looks(target: Target, visit: Visit, tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "partwarden", "serve", target.dsn, "--port", "0", "--refresh", "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stderr is not None
        told = re.search(r"http://127\.0\.0\.1:(\d+)/", program.stderr.readline())
        assert told is not None
        site = Site.elsewhere(int(told[1]))
        visitor = visit(site)
        visitor.expected = ("ERR_CONNECTION_REFUSED", "Failed to fetch")
        with visitor.page.expect_request("**/events*"):
            visitor.open()
        expect(visitor.page.locator("table.sets")).to_contain_text("live.note")
        program.send_signal(signal.SIGINT)
        out, errors = program.communicate(timeout=10)
    finally:
        program.kill()
        program.wait()
    assert (program.returncode, out, errors) == (0, "", "")
