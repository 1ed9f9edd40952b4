"""What stands on each page, of databases in each state."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.partition_sets import made_ahead
from tests.web.browsing import Site, Visitor
from tests.web.conftest import Visit
from tests.web.states import HOSTILE_NAME, HOSTILE_TABLES, SCRIPT, SECRET

CRITICAL = ("billing", HOSTILE_NAME)


def row_of(visitor: Visitor, name: str) -> list[str]:
    """The cells of the row that has a link of that name at its head."""
    row = visitor.page.locator("tr").filter(has=visitor.page.get_by_role("link", name=name, exact=True))
    return [" ".join(cell.split()) for cell in row.first.locator("td").all_inner_texts()]


def fact(visitor: Visitor, name: str) -> str:
    """What stands below that word."""
    found = visitor.page.locator("dl.facts div").filter(has=visitor.page.get_by_text(name, exact=True))
    return " ".join(found.locator("dd").inner_text().split())


# The fleet.


def test_the_worst_database_is_the_first(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    names = visitor.texts("table.fleet th[scope=row] a")
    assert names[:4] == [*CRITICAL, "legacy", "crm"]
    assert sorted(names[4:]) == ["archive", "bare", "fresh", "plain", "shop", "telemetry"]
    assert re.fullmatch(
        r"■ 2 critical, ◆ 1 unknown, ▲ 1 warning, ● 6 ok\. billing\.event ran out \d h ago, in billing\.",
        visitor.heading,
    )


def test_a_row_says_what_is_worst_and_how_it_stands(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    worst, tightest, default, open_incidents, maintained, told = row_of(visitor, "billing")
    assert worst == "maintenance of billing.ledger fails and 10 more"
    assert re.fullmatch(r"run out \d h ago billing\.event", tightest)
    assert int(default) > 100
    assert open_incidents == "10"
    assert maintained == "never"
    assert told == "never 1 waiting"
    assert row_of(visitor, "archive")[3] == "0"
    assert re.search(r"ago$", row_of(visitor, "archive")[5])


def test_what_is_not_known_is_not_said_to_be_nothing(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    worst, *rest = row_of(visitor, "legacy")
    assert worst.startswith("could not connect")
    assert rest == ["–"] * 5  # noqa: RUF001 - a dash in a table
    assert row_of(visitor, "bare")[3] == "–"  # noqa: RUF001
    assert row_of(visitor, "fresh")[1:] == ["0 sets", "0", "0", "never", "never"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BILL", ["billing"]),
        ("job-failed", [*CRITICAL]),
        ("connection refused", ["legacy"]),
        ("<script>", [HOSTILE_NAME]),
    ],
)
def test_search_finds_names_checks_and_errors(fleet: Site, visit: Visit, text: str, found: list[str]) -> None:
    visitor = visit(fleet)
    visitor.open()
    search = visitor.page.get_by_role("searchbox", name="Search")
    search.fill(text)
    search.press("Enter")
    visitor.page.wait_for_url("**q=*")
    assert visitor.texts("table.fleet th[scope=row] a") == found
    assert visitor.page.get_by_role("searchbox", name="Search").input_value() == text
    assert f"{len(found)} of 10 databases" in visitor.words


def test_a_standing_is_chosen_and_what_matches_nothing_leads_back(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    visitor.page.get_by_label("Standing").select_option("unknown")
    visitor.page.get_by_role("button", name="Show").click()
    assert visitor.texts("table.fleet th[scope=row] a") == ["legacy"]
    visitor.open(q="nowhere")
    assert visitor.texts("table.fleet tbody td") == ["No database matches. Show all"]
    visitor.follow("Show all")
    visitor.page.get_by_text("10 of 10 databases").wait_for()


def test_a_thousand_databases_are_on_pages(thousand: Site, visit: Visit) -> None:
    visitor = visit(thousand)
    visitor.open()
    assert visitor.heading.startswith("■ 250 critical, ● 750 ok.")
    assert len(visitor.texts("table.fleet tbody tr")) == 100
    assert "1000 of 1000 databases" in visitor.words
    first = visitor.texts("table.fleet th[scope=row] a")
    visitor.follow("Next ones")
    visitor.page.get_by_text("page 2 of 10").wait_for()
    assert not set(first) & set(visitor.texts("table.fleet th[scope=row] a"))
    visitor.follow("Worse ones")
    visitor.page.get_by_text("page 1 of 10").wait_for()
    visitor.open(q="db-0777")
    assert visitor.texts("table.fleet th[scope=row] a") == ["db-0777"]


# A database.


def test_a_healthy_database_has_its_sets_on_time_lines(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/database", name="shop")
    assert re.fullmatch(r"● All is well\. First to run out: shop\.page_view, \d\d h left\.", visitor.heading)
    assert set(visitor.texts("table.sets th[scope=row] a")) == {
        "shop.orders",
        "shop.page_view",
        "shop.invoice",
        "shop.ticket",
    }
    assert visitor.texts(".bucket") == ["0"] * 4
    orders = visitor.page.get_by_role("group", name="Partitions of shop.orders")
    assert f"{made_ahead(14)} ahead" in (orders.get_attribute("aria-label") or "")
    assert orders.locator("rect.ahead").count() == made_ahead(14)
    assert orders.locator("rect.now").count() == 1
    assert orders.locator("rect.past").count() == 30
    assert visitor.page.locator("rect.gap, rect.wanted, .finding").count() == 0
    assert re.search(r"every 100,000 ids", visitor.words)
    assert re.search(r"\d+k ids a day, last week", visitor.words)
    assert fact(visitor, "Open incidents") == "0"


def test_a_broken_database_shows_where_rows_have_nowhere_to_go(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/database", name="billing")
    assert re.fullmatch(r"■ 6 critical, ▲ 5 warnings\. billing\.event ran out \d h ago\.", visitor.heading)
    gaps = {name: visitor.page.get_by_role("group", name=f"Partitions of {name} ").locator("rect.gap").count()
            for name in ("billing.payment", "billing.event", "billing.audit")}  # fmt: skip
    assert gaps == {"billing.payment": 2, "billing.event": 1, "billing.audit": 0}
    ledger = visitor.page.get_by_role("group", name="Partitions of billing.ledger ")
    assert ledger.locator("rect.wanted").count() == 9 - made_ahead(3)
    assert ledger.locator("line.retention").count() == 1
    buckets = dict(zip(visitor.texts("table.sets th[scope=row] a"), visitor.texts(".bucket"), strict=True))
    assert int(buckets["billing.ledger"]) > 0
    assert int(buckets["billing.event"]) > 0
    assert buckets["billing.payment"] == buckets["billing.audit"] == "0"
    severities = [
        each.split()[1] for each in visitor.page.locator(".finding").evaluate_all("all => all.map(e => e.className)")
    ]
    assert severities == ["critical"] * 6 + ["warning"] * 5
    assert "call partwarden.drain('billing.ledger');" in visitor.words
    assert re.search(r"\d days less than 24 h ago", visitor.words)
    assert "Unable to connect to endpoint" in fact(visitor, "Waiting to be delivered")
    assert fact(visitor, "Last maintenance").endswith("failed: 3 sets, 2 failed")


def test_a_repaired_database_is_well_and_says_what_was_told(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/database", name="archive")
    assert visitor.heading.startswith("● All is well.")
    assert visitor.texts(".bucket") == ["0"]
    assert fact(visitor, "Last notification delivered").endswith("ago")
    visitor.follow("archive.letter")
    assert visitor.heading.startswith("● archive.letter")
    moved = visitor.page.locator("h3:has-text('Moved out of the default partition') + table td").all_inner_texts()
    assert moved[0] == "3"
    resolved = visitor.page.get_by_role("region", name="Incidents").locator("td").all_inner_texts()
    assert resolved[-1].endswith("UTC")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fresh", "No table here is partitioned by range."),
        ("plain", "Incidents and maintenance are not shown: partwarden is not installed in this database."),
        ("bare", "Incidents and maintenance are not shown: partwarden is not installed in this database."),
        ("legacy", "it is tried again by itself"),
    ],
)
def test_where_there_is_nothing_to_show_it_says_why(fleet: Site, visit: Visit, name: str, said: str) -> None:
    visitor = visit(fleet)
    visitor.open("/database", name=name)
    assert said in visitor.words
    assert SECRET not in visitor.page.content()


def test_no_address_that_somebody_sends_leads_elsewhere(fleet: Site) -> None:
    answer = httpx.get(fleet.origin + "//evil.example/x")
    assert answer.status_code == 404
    assert re.search('(hx-get|href|action)="//', answer.text) is None
    assert "evil.example" in answer.text


def test_a_database_that_is_away_has_words_on_every_page(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.expected = ("503",)
    for path, asked in (("/jobs", {}), ("/incidents", {}), ("/set", {"name": "app.a"})):
        visitor.open(path, database="legacy", **asked)
        assert re.search("could not connect|could not be looked at", visitor.words), path
        assert SECRET not in visitor.page.content()


# A set.


def test_a_set_has_its_partitions_runs_and_configuration_in_tables(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/set", database="billing", name="billing.ledger")
    partitions = visitor.page.get_by_role("region", name="Partitions").locator("tbody tr")
    assert "billing.ledger_default" in partitions.all_inner_texts()[0]
    assert partitions.count() == 16 + made_ahead(3)
    maintenance = visitor.page.get_by_role("region", name="Maintenance").inner_text()
    assert "would be violated by some row" in maintenance
    assert re.search(r"premake\s+9", visitor.page.get_by_role("region", name="Configuration").inner_text())
    assert visitor.page.locator("svg.growth rect").count() == 15 + made_ahead(3)
    visitor.follow("default-blocks-maintenance")
    assert visitor.heading.startswith("■ billing.ledger")


def test_a_block_that_is_a_set_leads_to_its_page_and_back(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/set", database="telemetry", name="telemetry.reading")
    assert len(visitor.texts("table.sets tbody tr")) >= 2
    visitor.page.locator("svg.line").first.locator("a:has(rect.now)").click()
    visitor.page.wait_for_url("**_p2*")
    assert re.match(r"● telemetry\.reading_p\d{8}", visitor.heading)
    assert visitor.page.get_by_role("region", name="Partitions").locator("tbody tr").count() >= 8
    visitor.follow("telemetry.reading")
    visitor.page.get_by_role("heading", name="Sub-partitions").wait_for()


# Incidents.


def test_incidents_tell_who_is_at_them_and_what_was_told(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/incidents", database="billing")
    assert visitor.heading.startswith("■ 10 open")
    states = [
        cells[1] for cells in (row.split("\t") for row in visitor.page.locator("table.wide tbody tr").all_inner_texts())
    ]
    assert "acknowledged by app_owner" in " ".join(states) or "acknowledged by app_owner" in visitor.words
    assert re.search(r"silenced until \d{4}-\d\d-\d\d", visitor.words)
    signs = visitor.page.locator("table.wide th .sign").evaluate_all("all => all.map(each => each.ariaLabel)")
    assert signs == ["critical"] * 5 + ["warning"] * 5
    visitor.page.locator("table.wide tr", has_text="acknowledged").get_by_role("link").click()
    assert fact(visitor, "Note") == "the partition of the 24th is being brought back from the dump"
    assert "not delivered, 1 attempt, next not before" in visitor.words
    assert visitor.texts("h2") == ["What to type next", "How it stands", "Evidence", "Notifications"]


def test_a_resolved_incident_has_both_ends_told(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/incidents", database="archive")
    assert visitor.heading.startswith("● 0 open")
    visitor.follow("archive.letter")
    assert fact(visitor, "State") == "resolved"
    told = visitor.page.locator("h2:has-text('Notifications') + table tbody tr")
    assert [" ".join(each.split())[24:31].split()[0] for each in told.all_inner_texts()] == ["opened", "resolve"]
    assert all("delivered" in each and "1 attempt" in each for each in told.all_inner_texts())


def test_findings_of_all_databases_are_on_one_page(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/incidents")
    assert visitor.texts("section h2") == [*CRITICAL, "crm"]
    assert visitor.heading == f"What is wrong now in {len(CRITICAL) + 1} databases, the worst first."
    visitor.follow("5 more")
    assert visitor.heading.startswith("■ 6 critical")


# Jobs.


def test_runs_that_failed_took_long_or_never_came_are_seen_as_such(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/jobs", database="billing")
    rows = visitor.page.locator("table.jobs tbody tr")
    assert "billing: partition maintenance" in rows.first.inner_text()
    assert rows.first.locator("rect.failed").count() == 3
    assert rows.first.locator("rect.missing").count() == 2
    assert "could not maintain 1 of 3 partition sets" in rows.first.inner_text()
    rows.first.get_by_text("in words").click()
    assert rows.first.locator("li", has_text="should have started and did not").count() == 2
    purge = rows.filter(has_text="billing: purge of runs")
    assert purge.locator("rect.long").count() == 1
    assert purge.locator("rect.succeeded").count() == 23
    shop = rows.filter(has_text="shop: partition maintenance")
    assert shop.locator("rect.failed, rect.missing, rect.long").count() == 0


# What is not there.


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("/database", {"name": "nobody"}, "no database of that name is watched"),
        ("/set", {"database": "shop", "name": "no.such"}, "there is no such table"),
        ("/incident", {"database": "shop", "id": 4711}, "there is none with that number"),
        ("/incident", {"database": "plain", "id": 1}, "partwarden is not installed"),
        ("/nowhere", {}, "Not Found"),
    ],
)
def test_what_is_not_there_is_said_with_a_way_out(
    fleet: Site, visit: Visit, path: str, asked: dict[str, object], said: str
) -> None:
    visitor = visit(fleet)
    visitor.expected = ("404",)
    response = visitor.open(path, **asked)
    assert response.status == 404
    assert said in visitor.words
    visitor.follow("Back to the beginning")
    visitor.page.get_by_role("searchbox").wait_for()


# Names that try to be something else.


def test_hostile_names_are_text_wherever_they_stand(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    shown: list[str] = []
    numbers: list[str] = []
    visitor.open("/incidents", database=HOSTILE_NAME)
    numbers = visitor.page.locator("table.wide th a").evaluate_all(
        "all => all.map(each => new URL(each.href).searchParams.get('id'))"
    )
    assert len(numbers) == 16
    pages: list[tuple[str, dict[str, object]]] = [
        ("/", {}),
        ("/incidents", {}),
        ("/incidents", {"database": HOSTILE_NAME}),
        ("/database", {"name": HOSTILE_NAME}),
        ("/jobs", {"database": HOSTILE_NAME}),
        ("/set", {"database": HOSTILE_NAME, "name": 'evil."Weird ü"'}),
        ("/set", {"database": HOSTILE_NAME, "name": f'evil."{SCRIPT}"'}),
        ("/incident", {"database": HOSTILE_NAME, "id": numbers[0]}),
        ("/incident", {"database": HOSTILE_NAME, "id": numbers[1]}),
    ]
    for path, asked in pages:
        visitor.open(path, **asked)
        foreign = visitor.page.locator("main script, main img, main b, main i:not(.key), main iframe, main [onerror]")
        assert foreign.count() == 0, path
        assert visitor.page.locator("script").count() == 2
        assert SECRET not in visitor.page.content(), path
        for folded in visitor.page.locator("summary").all():
            folded.click()
        shown.append(visitor.words)
    everything = "\n".join(shown)
    for table in HOSTILE_TABLES:
        assert table.replace('"', '""') in everything, table
    assert "abc\\u202egnp.exe" in everything
    assert f"ERROR: {SCRIPT}" in everything
    assert f"/* {SCRIPT} */" in everything
    assert f"no {SCRIPT} password=…" in everything
    assert f"{SCRIPT}\\n</textarea>" in everything
    assert "49" not in visitor.texts("table.sets th a")


def test_a_link_to_a_hostile_name_leads_to_it(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    visitor.follow(HOSTILE_NAME)
    for table in HOSTILE_TABLES:
        name = 'evil."' + table.replace('"', '""') + '"'
        visitor.follow(name)
        visitor.page.get_by_role("heading", name=name).first.wait_for()
        visitor.page.go_back()
