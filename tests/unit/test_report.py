from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from rich.console import Console

from partwarden.findings import Finding, Report, Skipped
from partwarden.report import Format, print_table, render

PAGE = (Path(__file__).parent.parent.parent / "docs" / "check-output.md").read_text()
HOSTILE = '"a ""b"" |\n[red]\x1b[31m\x00\u202e\\'
RENDERED = [kind for kind in Format if kind not in (Format.TABLE, Format.PROMETHEUS)]

TARGET = "host=db.example.com dbname=app user=app_owner"
SERVER = {
    "host": "db.example.com",
    "port": "5432",
    "database": "app",
    "postgresql": "17.6",
    "pg_partman": "5.2.4",
    "pg_cron": "1.6",
}
BLOCKED = Finding(
    check="default-blocks-maintenance",
    severity="critical",
    database="app",
    object="app.events",
    summary="a row in the default partition of app.events lies where one of its next partitions has to go: "
    "maintenance will fail",
    detail={
        "cause": "The row at 2026-12-30 03:00:00+00 belongs into a partition that does not exist yet, and its presence "
        "in the default partition forbids to create that one.",
        "nearest_row": "2026-12-30 03:00:00+00",
        "default_partition": "app.events_default",
        "last_partition_ends": "2026-12-30 00:00:00+00",
    },
    remedy="call partwarden.drain('app.events');\ncall partwarden.maintain();",
    since=None,
)
FILLED = Finding(
    check="default-not-empty",
    severity="warning",
    database="app",
    object="app.orders",
    summary="12 rows wait in the default partition of app.orders",
    detail={"cause": "A partition was missing when they came.", "rows": 12},
    remedy="select * from only app.orders_default order by created_at desc limit 20;  -- look at them before they are moved",
    since=datetime(2026, 11, 23, 15, 17, 1, 19632, tzinfo=UTC),
)
NO_CRON = "pg_cron is not installed in this database"
APP = Report(TARGET, (FILLED, BLOCKED), (Skipped("job-failed", NO_CRON),), SERVER, 412)
SHOP = Report("host=db.example.com dbname=shop", server=SERVER | {"database": "shop"}, duration_ms=96)
GONE = Report("host=old.example.com dbname=app", duration_ms=31, error="connection refused\n\tIs the server running?")
EXAMPLE = (APP, SHOP, GONE)


def table(*reports: Report, width: int = 80, terminal: bool = False) -> str:
    printed = io.StringIO()
    colours: Literal["standard", "auto"] = "standard" if terminal else "auto"
    console = Console(file=printed, width=width, force_terminal=terminal, color_system=colours, no_color=False)
    print_table(console, reports)
    return printed.getvalue()


def loaded(*reports: Report) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(render(reports, Format.JSON))
    return written


def suites(*reports: Report) -> ElementTree.Element:
    return ElementTree.fromstring(render(reports, Format.JUNIT))  # noqa: S314 (our own document)


def hostile() -> Report:
    finding = Finding(
        HOSTILE, "critical", HOSTILE, HOSTILE, HOSTILE, {"cause": HOSTILE, HOSTILE: [HOSTILE]}, HOSTILE, None
    )
    server = dict.fromkeys(SERVER, HOSTILE)
    return Report(HOSTILE, (finding,), (Skipped(HOSTILE, HOSTILE),), server, 1)


def schema() -> Any:
    return json.loads((files("partwarden.report") / "check-report.schema.json").read_text())


def validate(written: Any) -> None:
    Draft202012Validator(schema(), format_checker=FormatChecker()).validate(written)


def alert_of(metric: str, performance: str) -> tuple[float, bool, bool]:
    """A metric's value, and whether a monitoring system would warn or be alarmed, as the guidelines define ranges."""
    found = re.search(rf"\b{metric}=([0-9.]+)s?;(\d*);(\d*);0", performance)
    assert found is not None
    value = float(found[1])
    warn, critical = (bool(limit) and not 0 <= value <= float(limit) for limit in (found[2], found[3]))
    return value, warn, critical


def test_table_of_the_example_at_80_columns() -> None:
    assert table(*EXAMPLE) == (
        "CRITICAL  app  host=db.example.com dbname=app user=app_owner  PostgreSQL 17.6,\n"
        "          pg_partman 5.2.4, pg_cron 1.6, 412 ms\n"
        "\n"
        "  CRITICAL  app.events  default-blocks-maintenance\n"
        "    what   a row in the default partition of app.events lies where one of its\n"
        "           next partitions has to go: maintenance will fail\n"
        "    cause  The row at 2026-12-30 03:00:00+00 belongs into a partition that does\n"
        "           not exist yet, and its presence in the default partition forbids to\n"
        "           create that one.\n"
        "    next\n"
        "      call partwarden.drain('app.events');\n"
        "      call partwarden.maintain();\n"
        "\n"
        "  WARNING   app.orders  default-not-empty\n"
        "    what   12 rows wait in the default partition of app.orders\n"
        "    since  2026-11-23 15:17 UTC\n"
        "    cause  A partition was missing when they came.\n"
        "    next\n"
        "      select * from only app.orders_default order by created_at desc limit 20;"
        "  -- look at them before they are moved\n"
        "\n"
        "  not checked  job-failed: pg_cron is not installed in this database\n"
        "\n"
        "OK        shop  host=db.example.com dbname=shop  PostgreSQL 17.6,\n"
        "          pg_partman 5.2.4, pg_cron 1.6, 96 ms\n"
        "\n"
        "UNKNOWN   host=old.example.com dbname=app  31 ms\n"
        "  could not be asked  connection refused\n"
        "                          Is the server running?\n"
        "\n"
        "1 critical, 1 warning in 2 databases; 1 more could not be asked\n"
    )


def test_table_puts_a_heading_on_one_line_where_there_is_room() -> None:
    assert table(APP, width=140).splitlines()[0] == (
        f"CRITICAL  app  {TARGET}  PostgreSQL 17.6, pg_partman 5.2.4, pg_cron 1.6, 412 ms"
    )


@pytest.mark.parametrize("width", [80, 100, 140])
def test_table_wraps_prose_and_nothing_that_is_to_be_pasted(width: int) -> None:
    lines = table(APP, width=width).splitlines()
    assert [line.strip() for line in lines if len(line) > width] == ([FILLED.remedy] if width < 112 else [])
    assert all(line == line.rstrip() for line in lines)


def test_table_has_colours_on_a_terminal_only() -> None:
    assert "\x1b[1;31mCRITICAL\x1b[0m" in table(*EXAMPLE, terminal=True)
    assert "\x1b" not in table(*EXAMPLE)
    assert re.sub(r"\x1b\[[0-9;]*m", "", table(*EXAMPLE, terminal=True)) == table(*EXAMPLE)


@pytest.mark.parametrize(
    ("reports", "last_line"),
    [
        ((), "unknown: no database was asked"),
        ((SHOP,), "ok: nothing wrong found"),
        ((SHOP, SHOP), "ok: nothing wrong found in 2 databases"),
        ((replace(APP, findings=()),), "ok: nothing wrong found in what could be checked"),
        ((APP,), "1 critical, 1 warning"),
        ((replace(APP, findings=(FILLED, FILLED)),), "2 warnings"),
        ((GONE,), "unknown: 1 database could not be asked"),
        ((GONE, GONE), "unknown: 2 databases could not be asked"),
        ((SHOP, GONE), "unknown: nothing wrong found in 1 database; 1 more could not be asked"),
    ],
)
def test_table_ends_with_what_it_comes_to(reports: tuple[Report, ...], last_line: str) -> None:
    assert table(*reports).splitlines()[-1] == last_line


def test_table_tells_databases_with_nothing_to_say_in_a_line_each() -> None:
    lines = table(*(replace(SHOP, target=f"host={host}") for host in "ab"), width=140).splitlines()
    assert [line[:22] for line in lines] == [
        "OK        shop  host=a",
        "OK        shop  host=b",
        "",
        "ok: nothing wrong foun",
    ]


def test_table_tells_each_reason_for_not_checking_once() -> None:
    skipped = (Skipped("a", NO_CRON), Skipped("b", "no right to read"), Skipped("c", NO_CRON))
    lines = table(replace(SHOP, skipped=skipped)).splitlines()
    assert lines[2:4] == [f"  not checked  a, c: {NO_CRON}", "  not checked  b: no right to read"]


def test_table_of_many_findings_tells_each_the_worst_first() -> None:
    objects = [f"app.table_{number:03}" for number in range(300)]
    findings = tuple(
        replace(FILLED, object=name, severity="critical" if number % 3 == 2 else "warning")
        for number, name in enumerate(objects)
    )
    printed = table(replace(APP, findings=findings))
    told = re.findall(r"^  (?:CRITICAL|WARNING ) {2}(\S+)", printed, re.MULTILINE)
    assert told == objects[2::3] + [name for number, name in enumerate(objects) if number % 3 != 2]
    assert printed.splitlines()[-1] == "100 critical, 200 warnings"


def test_table_orders_by_severity_then_check_then_object() -> None:
    findings = tuple(
        replace(FILLED, severity=severity, check=check, object=name)
        for severity, check, name in [
            ("warning", "a", "1"),
            ("critical", "b", "1"),
            ("critical", "a", "2"),
            ("critical", "a", "1"),
        ]
    )
    headings = [
        line.split() for line in table(replace(APP, findings=findings)).splitlines() if re.match("  [CW]", line)
    ]
    assert headings == [["CRITICAL", "1", "a"], ["CRITICAL", "2", "a"], ["CRITICAL", "1", "b"], ["WARNING", "1", "a"]]


@pytest.mark.parametrize("width", [10, 80, 140])
def test_table_sends_no_character_of_the_data_that_a_terminal_would_obey(width: int) -> None:
    printed = table(hostile(), replace(GONE, error=HOSTILE), width=width)
    assert [character for character in printed if not character.isprintable() and character != "\n"] == []
    assert r'"a ""b"" |\n[red]\x1b[31m\x00\u202e' + "\\  " in printed, (
        "the object on one line, escaped, markup as it is"
    )


def test_table_tells_times_in_utc_whatever_zone_they_came_in() -> None:
    since = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert "since  2025-12-31 23:30 UTC\n" in table(replace(APP, findings=(replace(FILLED, since=since),)))


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "reports",
    [(), (APP,), (SHOP,), (GONE,), EXAMPLE, (hostile(),)],
    ids=["none", "app", "shop", "gone", "all", "hostile"],
)
def test_json_is_as_the_schema_says(reports: tuple[Report, ...]) -> None:
    validate(loaded(*reports))
    for line in render(reports, Format.JSONL).splitlines():
        validate(json.loads(line))


@pytest.mark.parametrize("spoil", ["status", "skipped", "findings", "since", "further key"])
def test_schema_refuses_what_is_not_a_report(spoil: str) -> None:
    written = loaded(APP)
    if spoil == "since":
        written["findings"][1]["since"] = "2026-11-23 15:17:01"
    elif spoil == "further key":
        written["findings"][0]["extra"] = 1
    elif spoil == "status":
        written["status"] = "CRITICAL"
    else:
        del written[spoil]
    with pytest.raises(ValidationError):
        validate(written)


def test_schema_describes_every_field() -> None:
    definitions = schema()["$defs"]
    written = loaded(APP)
    assert list(written) == list(definitions["report"]["properties"])
    assert list(written["findings"][0]) == list(definitions["finding"]["properties"])
    assert list(written["skipped"][0]) == list(definitions["skipped"]["properties"])
    assert list(loaded(*EXAMPLE)) == list(definitions["reports"]["properties"])


def test_json_of_one_database() -> None:
    written = loaded(APP)
    assert written["findings"][1] == {
        "check": "default-not-empty",
        "severity": "warning",
        "database": "app",
        "object": "app.orders",
        "summary": FILLED.summary,
        "detail": FILLED.detail,
        "remedy": FILLED.remedy,
        "since": "2026-11-23T15:17:01Z",
    }
    del written["findings"]
    assert written == {
        "status": "critical",
        "target": TARGET,
        "error": None,
        "skipped": [{"check": "job-failed", "reason": NO_CRON}],
        "server": SERVER,
        "duration_ms": 412,
    }


def test_json_of_several_databases_holds_what_each_would_be_alone() -> None:
    assert loaded(*EXAMPLE) == {
        "status": "critical",
        "reports": [loaded(APP), loaded(SHOP), loaded(GONE)],
        "duration_ms": 412 + 96 + 31,
    }
    assert loaded(SHOP, GONE)["status"] == "unknown"
    assert loaded() == {"status": "unknown", "reports": [], "duration_ms": 0}


def test_json_lines_are_the_reports() -> None:
    lines = render(EXAMPLE, Format.JSONL).splitlines()
    assert [json.loads(line) for line in lines] == [loaded(APP), loaded(SHOP), loaded(GONE)]
    assert render((), Format.JSONL) == ""


def test_json_gives_back_what_came_in_and_holds_printable_ascii_only() -> None:
    for kind in (Format.JSON, Format.JSONL):
        written = render((hostile(),), kind)
        assert written.isascii()
        assert written.replace("\n", "").isprintable()
        finding = json.loads(written)["findings"][0]
        assert finding["object"] == finding["remedy"] == HOSTILE
        assert finding["detail"] == {"cause": HOSTILE, HOSTILE: [HOSTILE]}


@pytest.mark.parametrize(
    ("reports", "text"),
    [
        ((), "UNKNOWN - no database was asked"),
        ((SHOP,), "OK - nothing wrong found"),
        (
            (APP,),
            "CRITICAL - 1 critical, 1 warning: app.events default-blocks-maintenance, app.orders default-not-empty",
        ),
        ((GONE,), "UNKNOWN - 1 database could not be asked: host=old.example.com dbname=app"),
        (
            EXAMPLE,
            (
                "CRITICAL - 1 critical, 1 warning in 2 databases; 1 more could not be asked: app/app.events "
                "default-blocks-maintenance, app/app.orders default-not-empty, host=old.example.com dbname=app"
            ),
        ),
    ],
)
def test_nagios_says_first_what_is_wrong(reports: tuple[Report, ...], text: str) -> None:
    assert render(reports, Format.NAGIOS).splitlines()[0].split(" | ")[0] == f"PARTWARDEN {text}"


def test_nagios_performance_data_alerts_as_the_status_does() -> None:
    performance = render(EXAMPLE, Format.NAGIOS).splitlines()[0].split(" | ")[1]
    assert performance == "critical=1;;0;0 warning=1;0;;0 unknown=1;;;0 time=0.539s;;;0"
    assert alert_of("critical", performance) == (1, False, True)
    assert alert_of("warning", performance) == (1, True, False)
    well = render((SHOP,), Format.NAGIOS).splitlines()[0].split(" | ")[1]
    assert alert_of("critical", well) == alert_of("warning", well) == (0, False, False)
    assert alert_of("time", well) == (0.096, False, False)


def test_nagios_tells_more_in_further_lines() -> None:
    assert render(EXAMPLE, Format.NAGIOS).splitlines()[1:] == [
        f"CRITICAL app ({TARGET})",
        f"  CRITICAL app.events default-blocks-maintenance: {BLOCKED.summary}",
        f"    cause: {BLOCKED.detail['cause']}",
        "    next: call partwarden.drain('app.events');",
        "    next: call partwarden.maintain();",
        f"  WARNING app.orders default-not-empty: {FILLED.summary}",
        "    cause: A partition was missing when they came.",
        "    since: 2026-11-23 15:17 UTC",
        f"    next: {FILLED.remedy}",
        f"  not checked: job-failed: {NO_CRON}",
        "OK shop (host=db.example.com dbname=shop)",
        "UNKNOWN host=old.example.com dbname=app",
        "  could not be asked: connection refused Is the server running?",
    ]


def test_nagios_names_as_many_as_fit_and_counts_the_rest() -> None:
    findings = tuple(replace(BLOCKED, object=f"app.a_longer_name_of_a_table_{number:03}") for number in range(300))
    text, performance = render((replace(APP, findings=findings),), Format.NAGIOS).splitlines()[0].split(" | ")
    named = re.findall(r"table_(\d+) default-blocks-maintenance", text)
    assert named == ["000", "001", "002"]
    assert text.endswith("002 default-blocks-maintenance (+297 more)")
    assert len(text) <= 250
    assert performance.startswith("critical=300;")


def test_nagios_cuts_a_name_that_has_no_room() -> None:
    text = render((replace(GONE, target="x" * 5000),), Format.NAGIOS).split(" | ")[0]
    assert text == ("PARTWARDEN UNKNOWN - 1 database could not be asked: " + "x" * 5000)[:247] + "..."


def test_nagios_takes_nothing_of_the_data_for_performance_data_or_a_line() -> None:
    calm = replace(hostile(), target="calm", server=SERVER)
    for reports in [(hostile(),), (calm, replace(GONE, target=HOSTILE, error=HOSTILE))]:
        written = render(reports, Format.NAGIOS)
        assert written.count("|") == 1
        assert re.fullmatch(r"PARTWARDEN CRITICAL - .* \| critical=1;.*", written.splitlines()[0])
        assert [character for character in written if not character.isprintable() and character != "\n"] == []
        assert '"a ""b"" \N{BROKEN BAR} [red]\\x1b[31m\\x00' in written.splitlines()[0]


def test_junit_of_the_example() -> None:
    root = suites(*EXAMPLE)
    counted = [
        [element.get(key) for key in ("tests", "failures", "errors", "skipped", "time")] for element in [root, *root]
    ]
    assert counted == [
        ["5", "2", "1", "1", "0.539"],
        ["3", "2", "0", "1", "0.412"],
        ["1", "0", "0", "0", "0.096"],
        ["1", "0", "1", "0", "0.031"],
    ]
    assert [suite.get("name") for suite in root] == [f"app ({TARGET})", f"shop ({SHOP.target})", GONE.target]


def test_junit_fails_a_case_for_each_finding_with_cause_and_remedy() -> None:
    blocked, filled, job = suites(APP)[0]
    assert blocked.get("name") == "default-blocks-maintenance app.events"
    failure = blocked[0]
    assert (failure.tag, failure.get("type"), failure.get("message")) == ("failure", "critical", BLOCKED.summary)
    assert failure.text == f"{BLOCKED.detail['cause']}\n\n{BLOCKED.remedy}"
    assert filled[0].text == f"{FILLED.detail['cause']}\n\nsince 2026-11-23 15:17 UTC\n\n{FILLED.remedy}"
    assert (job.get("name"), job[0].tag, job[0].get("message")) == ("job-failed", "skipped", NO_CRON)


def test_junit_passes_a_case_where_nothing_is_wrong() -> None:
    (case,) = suites(SHOP)[0]
    assert (case.get("name"), len(case)) == ("nothing wrong found", 0)


def test_junit_has_an_error_where_a_database_could_not_be_asked() -> None:
    (case,) = suites(GONE)[0]
    assert [(outcome.tag, outcome.get("message")) for outcome in case] == [
        ("error", "connection refused Is the server running?")
    ]


def test_junit_of_nothing_is_empty() -> None:
    root = suites()
    assert (root.tag, root.get("tests"), len(root)) == ("testsuites", "0", 0)


def test_junit_holds_no_character_that_xml_refuses() -> None:
    root = suites(hostile(), replace(GONE, error="half \ud800 surrogate, no \uffff character"))
    failing = root[0][0]
    assert r"\x1b[31m\x00\u202e" in str(failing.get("name"))
    assert failing[0].text is not None
    assert failing[0].text.startswith('"a ""b"" |\n[red]\\x1b[31m')
    assert root[1][0][0].get("message") == r"half \ud800 surrogate, no \uffff character"


@pytest.mark.parametrize("kind", RENDERED)
def test_every_format_ends_with_a_line_end_and_depends_on_nothing_else(kind: Format) -> None:
    written = render(EXAMPLE, kind)
    assert written.endswith("\n")
    assert not written.endswith("\n\n")
    assert render(EXAMPLE, kind) == written
    written.encode()


def test_a_table_is_printed_and_not_rendered() -> None:
    with pytest.raises(ValueError, match="print_table"):
        render(EXAMPLE, Format.TABLE)


def test_documentation_names_every_format() -> None:
    assert [kind for kind in Format if f"| [`{kind}`](#{kind}) |" not in PAGE] == []


def test_documentation_shows_what_the_code_writes() -> None:
    shown = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert table(*EXAMPLE) in shown
    assert render((APP,), Format.JSON) in shown
    assert render((SHOP, GONE), Format.JSONL) in shown
    assert render(EXAMPLE, Format.NAGIOS) in shown
    assert render(EXAMPLE, Format.JUNIT) in shown
