"""Pages that keep themselves up to date: what changes in the database changes on the page, and nothing else does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from partwarden.database import Connection
from tests.partition_sets import put_row_in_the_way
from tests.web import states as scenes
from tests.web.browsing import Site, Visitor, serving
from tests.web.conftest import Visit
from tests.web.states import States

SOON = 30_000
"""Milliseconds: the database is looked at once a second, and a page hears of it at once in two."""


@pytest.fixture(scope="module")
def live(states: States) -> States:
    """A database that these tests change, and one that is away."""
    own = States(states.server, states.recorder, {"legacy": states.targets["legacy"]})
    scenes.changing(own)
    return own


@pytest.fixture
def owner(live: States) -> Iterator[Connection]:
    """The one who changes it, and leaves it as it was."""
    with live.databases["live"].connect_owner() as connection:
        yield connection
        connection.execute("truncate live.note_default; truncate partwarden.incident cascade")


@pytest.fixture
def site(live: States) -> Iterator[Site]:
    """The pages of both, so that there is a fleet."""
    with serving(live.targets.values(), interval=1) as running:
        yield running


def marked(visitor: Visitor) -> None:
    """Leave something on the page that a reload would take away."""
    visitor.page.evaluate("window.stayed = true")


def was_not_reloaded(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("window.stayed === true"))


def test_a_row_that_falls_into_the_default_partition_comes_up_by_itself(
    site: Site, visit: Visit, owner: Connection
) -> None:
    database, fleet = visit(site), visit(site)
    database.open("/database", name="live")
    fleet.open()
    for visitor in (database, fleet):
        marked(visitor)
    expect(database.page.locator(".bucket")).to_have_text("0")
    owner.execute("insert into live.note values (1, now() - interval '1 year')")
    expect(database.page.locator(".finding h3")).to_contain_text("default-not-empty", timeout=SOON)
    expect(database.page.locator("h1")).to_contain_text("1 warning")
    expect(database.page.locator(".bucket")).to_have_text("1", timeout=SOON)
    expect(fleet.page.locator("tr", has_text="live.note").first).to_contain_text("1 row waits", timeout=SOON)
    assert was_not_reloaded(database)
    assert was_not_reloaded(fleet)


def test_a_script_that_comes_late_is_waited_for(site: Site, visit: Visit) -> None:
    visitor = visit(site)
    late = threading.Event()
    visitor.page.route("**/hx-sse.min.js", lambda route: (late.wait(1), route.continue_()))
    with visitor.page.expect_request("**/events*"):
        visitor.open("/database", name="live")


def test_an_incident_comes_and_goes(site: Site, visit: Visit, owner: Connection) -> None:
    visitor = visit(site)
    visitor.open("/incidents", database="live")
    marked(visitor)
    expect(visitor.page.locator("h1")).to_contain_text("0 open")
    owner.execute("insert into live.note values (1, now() - interval '1 year')")
    owner.execute("call partwarden.monitor()")
    expect(visitor.page.locator("h1")).to_contain_text("1 open", timeout=SOON)
    owner.execute("truncate live.note_default")
    owner.execute("call partwarden.monitor()")
    expect(visitor.page.locator("h1")).to_contain_text("0 open", timeout=SOON)
    assert was_not_reloaded(visitor)


def test_who_reads_on_the_page_is_not_disturbed(site: Site, visit: Visit, owner: Connection) -> None:
    visitor = visit(site, viewport={"width": 1280, "height": 400})
    visitor.open("/set", database="live", name="live.note")
    marked(visitor)
    partitions = visitor.page.get_by_role("region", name="Partitions")
    partitions.evaluate("each => { each.scrollTop = 120 }")
    visitor.page.evaluate("window.scrollTo({top: 300, behavior: 'instant'})")
    partitions.evaluate("each => each.focus({preventScroll: true})")
    owner.execute("insert into live.note values (1, now() - interval '1 year')")
    expect(visitor.page.locator(".finding")).to_have_count(1, timeout=SOON)
    assert visitor.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Partitions"
    assert partitions.evaluate("each => each.scrollTop") == 120
    assert visitor.page.evaluate("window.scrollY") >= 300  # what came above may have pushed it down
    assert was_not_reloaded(visitor)


def test_what_was_unfolded_or_typed_stays_so(site: Site, visit: Visit, owner: Connection) -> None:
    visitor = visit(site)
    visitor.open("/jobs", database="live")
    job = visitor.page.locator("table.jobs tr", has_text="live: maintenance")
    job.get_by_text("in words").click()
    fleet = visit(site)
    fleet.open()
    search = fleet.page.get_by_role("searchbox")
    search.press_sequentially("liv")
    for each in (visitor, fleet):
        assert each.page.evaluate(
            "new Promise(done => document.addEventListener('htmx:after:swap', () => done(true), {once: true}))"
        )
    expect(job.locator("details")).to_have_attribute("open", "")
    assert job.locator("details").evaluate("each => each.open")
    assert search.input_value() == "liv"
    search.press_sequentially("e")
    search.press("Enter")
    fleet.page.wait_for_url("**q=live*")


def test_the_keys_go_to_the_same_link_when_the_order_has_changed(site: Site, visit: Visit, owner: Connection) -> None:
    visitor = visit(site)
    visitor.open()
    marked(visitor)
    assert visitor.texts("table.fleet th a") == ["legacy", "live"]
    visitor.page.get_by_role("link", name="live", exact=True).focus()
    put_row_in_the_way(owner, "live.note")
    expect(visitor.page.locator("table.fleet th a").first).to_have_text("live", timeout=SOON)
    assert visitor.page.evaluate("document.activeElement.innerText") == "live"
    assert was_not_reloaded(visitor)


def test_a_page_goes_on_when_the_server_was_away(site: Site, visit: Visit, owner: Connection) -> None:
    visitor = visit(site)
    visitor.expected = ("ERR_CONNECTION_REFUSED", "Failed to fetch")
    visitor.open("/database", name="live")
    marked(visitor)
    expect(visitor.page.locator(".finding")).to_have_count(0)
    site.stop()
    owner.execute("insert into live.note values (1, now() - interval '1 year')")
    site.start()
    expect(visitor.page.locator(".finding")).to_have_count(1, timeout=2 * SOON)
    assert was_not_reloaded(visitor)
