"""Partition sets on a screen of any width, in any encoding."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from partwarden.report.amounts import count, length, size
from partwarden.report.status import print_status
from partwarden.status import Place, SetStatus, State

MISSING = "\N{MULTIPLICATION SIGN}"
CUT_BEFORE, CUT_BEHIND = (
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
)
NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)


def a_set(name: str, line: str, *, severity: str | None = None, rows: int | None = 0, left: float = 3) -> SetStatus:
    """A set whose time line is drawn in letters; ``left`` is in days."""
    states = {"p": State.PAST, "N": State.NOW, "a": State.AHEAD, "x": State.GAP, "w": State.WANTED}
    return SetStatus(
        name=name, severity=severity, findings=("headroom-low",) if severity else (), is_managed=True, kind="time",
        interval="1 day", partitions=len(line), sub_sets=0, bytes=123_456_789,
        line=tuple(Place(states[letter], number * 8192) for number, letter in enumerate(line)),
        now=line.index("N") if "N" in line else line.rindex("x"), ends_at=NOW + timedelta(days=left), is_endless=False,
        ahead=line.count("a"), has_default=True, default_rows=rows, knows_maintenance=True,
        last_maintained=NOW - timedelta(minutes=14), looked_at=NOW,
    )  # fmt: skip


SETS = (
    a_set("app.gone", "ppppppppppppxxx", severity="critical", left=-2.2),
    a_set('app."A name of \x1b[31m63 letters, which is as long as a name can be"', "N" + "a" * 70, rows=None),
    a_set("app.b", "p" * 70 + "Naaaxaaw", severity="warning", rows=18_204),
    a_set("app.c", "pN"),
)


def printed(width: int, encoding: str = "utf-8", *, terminal: bool = True) -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_status(Console(file=file, width=width, force_terminal=terminal, color_system=None, highlight=False), SETS)
    file.flush()
    assert isinstance(file.buffer, io.BytesIO)
    return file.buffer.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 300])
def test_this_moment_stands_at_the_same_place_whatever_the_width(width: int) -> None:
    head, *rows = printed(width)[:5]
    assert all(len(line) <= width for line in (head, *rows))
    assert {row.index("│") for row in rows} == {head.index("now") + 1}
    for heading, from_width in (("default", 60), ("runs out", 60), ("size", 100), ("maintained", 120), ("found", 160)):
        assert (heading in head) >= (width >= from_width), heading
    assert rows[0].startswith("■ app.gone  ")
    assert MISSING in rows[0].partition("│")[2]
    assert "2 days ago" in rows[0]
    assert "\\x1b" in rows[1]
    assert " some " in rows[1]
    assert ("18.2k" in rows[2], MISSING in rows[2]) == (True, True)
    assert rows[3].startswith("● app.c ")


def test_a_line_that_is_cut_says_so() -> None:
    _, gone, named, b, c = printed(160)[:5]
    assert (CUT_BEFORE in b, CUT_BEFORE in c, CUT_BEFORE in gone) == (True, False, False)
    assert (CUT_BEHIND in named, CUT_BEHIND in c) == (True, False)


def test_where_blocks_cannot_be_printed_there_are_letters() -> None:
    lines = printed(120, "ascii")
    assert lines[1].startswith("C app.gone ")
    assert lines[3].startswith("W app.b ")
    assert "x|" in lines[1] or "|x" in lines[1]


def test_a_file_gets_a_line_a_set() -> None:
    lines = printed(100_000, terminal=False)
    assert [line.split()[1] for line in lines[1:5]] == ["app.gone", 'app."A', "app.b", "app.c"]
    assert all(len(line) < 200 for line in lines)
    assert lines[-1].startswith("4 sets, 1 critical, 1 with a warning, 2 with rows in the default partition;")


def test_amounts_are_said_as_people_say_them() -> None:
    lengths = (0, 59, 119, 120, 7199, 7200, 2 * 86400, 59 * 86400, 61 * 86400, 3 * 366 * 86400)
    assert [length(timedelta(seconds=each)) for each in lengths] == [
        "0 s", "59 s", "119 s", "2 min", "120 min", "2 h", "2 days", "59 days", "2 months", "3 years",
    ]  # fmt: skip
    assert [count(each) for each in (0, 9_999, 18_204, 999_000, 999_700, 2_400_000, 10**10, 2**63, 10**40)] == [
        "0", "9,999", "18.2k", "999k", "1M", "2.4M", "10G", "9.22E", "many",
    ]  # fmt: skip
    assert [size(each) for each in (0, 8192, 82_700_000, 5 * 10**12)] == ["0 kB", "8 kB", "82.7 MB", "5.0 TB"]
