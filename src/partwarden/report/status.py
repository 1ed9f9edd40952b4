"""Partition sets on a screen: a line each, with a time line on which this moment stands at the same place for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from partwarden.report.amounts import count, length, size
from partwarden.report.text import visible
from partwarden.status import Place, SetStatus, State

_LONGEST_NAME = 32
_MOST_PLACES = 40
"""So many places of a time line are shown on either side of this moment."""
_FEWEST_PLACES = 18
_GAP_WIDTH = 2
_MARK_WIDTH = 2
_HEADING = "partition set"
_WIDTH_OF_A_FILE = 200
"""Where there is no terminal that could say."""


@dataclass(frozen=True)
class _Glyphs:
    """What the places of a time line, and marks, are drawn with. ``levels`` are how full a partition is, the first is empty."""

    levels: str
    gap: str
    wanted: str
    now: str
    before: str
    after: str
    more: str
    marks: str
    """Critical, warning, well."""


_BLOCKS = _Glyphs("▁▂▃▄▅▆▇█", "×", "·", "│", "‹", "›", "…", "■▲●")  # noqa: RUF001 - drawn, not read
_LETTERS = _Glyphs("_.:-=+*#", "x", "~", "|", "<", ">", "~", "CW ")

_MARK_STYLES = ("bold red", "yellow", "green")
_STYLES = {
    State.PAST: "blue",
    State.NOW: "bold",
    State.AHEAD: "cyan",
    State.GAP: "bold red",
    State.WANTED: "yellow",
}


def print_status(out: Console, sets: Sequence[SetStatus]) -> None:
    """A line a set in the order given, as wide as ``out``, and last how many there are and what is wrong with them."""
    if not sets:
        out.print("no partition sets")
        return
    glyphs = _BLOCKS if _can_print(out, _BLOCKS) else _LETTERS
    columns, name, past, ahead = _fitting(sets, out.width if out.is_terminal else _WIDTH_OF_A_FILE)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP_WIDTH, 0, 0), header_style="bold")
    table.add_column(_HEADING, no_wrap=True)
    table.add_column(Text(f"{'now':>{past + 2}}"), no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right" if column.is_number else "left", no_wrap=True)
    for each in sets:
        table.add_row(
            Text.assemble(_mark(each, glyphs), " ", _shortened(visible(each.name), name, glyphs)),
            _line(each, past, ahead, glyphs),
            *(column.text(each) for column in columns),
        )
    out.print(table)
    out.print()
    out.print(_legend(glyphs), style="dim")
    out.print(_verdict(sets))


def as_document(sets: Sequence[SetStatus]) -> list[dict[str, Any]]:
    """The sets for programs."""
    documents = []
    for each in sets:
        document = asdict(replace(each, spans=()))
        del document["spans"]
        document["line"] = [place.state.value for place in each.line]
        document["runs_out_in_seconds"] = None if each.runs_out_in is None else round(each.runs_out_in.total_seconds())
        documents.append(document)
    return documents


# Columns


@dataclass(frozen=True)
class _Column:
    heading: str
    text: Callable[[SetStatus], Text]
    is_number: bool = False

    def width(self, sets: Sequence[SetStatus]) -> int:
        """How wide it is with these sets."""
        return max(len(self.heading), *(self.text(each).cell_len for each in sets))


def _fitting(sets: Sequence[SetStatus], width: int) -> tuple[list[_Column], int, int, int]:
    """The columns that there is room for, and how wide may be: a name, the time line before this moment, and behind it."""
    longest = max(len(visible(each.name)) for each in sets)
    name = max(min(longest, _LONGEST_NAME, width // 3), len(_HEADING) - _MARK_WIDTH)
    wanted_past = min(max(each.now for each in sets), _MOST_PLACES)
    wanted_ahead = min(max(len(each.line) - each.now for each in sets), _MOST_PLACES)
    left = width - _MARK_WIDTH - name - _GAP_WIDTH
    columns = []
    fewest = min(wanted_past + wanted_ahead + 1, _FEWEST_PLACES)
    for column in _COLUMNS:
        taken = column.width(sets) + _GAP_WIDTH
        if column in _ALWAYS or left - taken >= fewest:
            columns.append(column)
            left -= taken
    ahead = min(wanted_ahead, max(left // 2, left - 1 - wanted_past))
    return columns, name, max(min(wanted_past, left - 1 - ahead - _GAP_WIDTH), 1), max(ahead, 1)


def _default(each: SetStatus) -> Text:
    if not each.has_default:
        return Text("none", style="dim")
    if each.default_rows == 0:
        return Text("0", style="dim")
    rows = "some" if each.default_rows is None else count(each.default_rows)
    return Text(rows, style="bold white on red")


def _runs_out(each: SetStatus) -> Text:
    style = (
        {"critical": "bold red", "warning": "yellow"}.get(each.severity or "")
        if "headroom-low" in each.findings
        else None
    )
    left = each.runs_out_in
    if each.is_endless:
        return Text("never", style="dim")
    if left is not None and left > timedelta(0):
        return Text(f"in {length(left)}", style=style or "")
    if left is not None:
        words = "now: one is missing" if left == timedelta(0) else f"{length(left)} ago"
        return Text(words, style=("bold red" if each.is_managed else style) or "dim")
    if each.kind != "id" or not each.line:
        return Text("?", style="dim")
    return Text(f"after {each.ahead} more" if each.ahead else "with this one", style=style or "")


def _maintained(each: SetStatus) -> Text:
    if not each.is_managed:
        return Text("by nobody", style="dim")
    if each.last_maintained is not None:
        return Text(f"{length(each.looked_at - each.last_maintained)} ago")
    return Text("never", style="red") if each.knows_maintenance else Text("?", style="dim")


def _found(each: SetStatus) -> Text:
    return Text(", ".join(each.findings), style="yellow" if each.severity == "warning" else "bold red")


_ALWAYS = (_Column("default", _default, is_number=True), _Column("runs out", _runs_out))
_COLUMNS = (
    *_ALWAYS,
    _Column("size", lambda each: Text(size(each.bytes) if each.bytes else "0"), is_number=True),
    _Column("maintained", _maintained),
    _Column("found", _found),
)


# The time line


def _line(each: SetStatus, past: int, ahead: int, glyphs: _Glyphs) -> Text:
    first = max(each.now - past, 0)
    end = max(each.now, 0) + ahead
    fullest = max((place.bytes or 0 for place in each.line), default=0)
    text = Text(" " * (past - (each.now - first) if each.now >= 0 else past))
    for number, place in enumerate(each.line[first:end], first):
        if number == max(each.now, 0):
            text.append(glyphs.now, style="dim")
        if (number == first and first > 0) or (number == end - 1 and end < len(each.line)):
            text.append(glyphs.before if number == first else glyphs.after, style="dim")
        else:
            text.append(_glyph(place, fullest, glyphs), style=_STYLES[place.state])
    return text


def _glyph(place: Place, fullest: int, glyphs: _Glyphs) -> str:
    if place.state is State.GAP:
        return glyphs.gap
    if place.state is State.WANTED:
        return glyphs.wanted
    if not place.bytes:
        return glyphs.levels[0]
    steps = len(glyphs.levels) - 1
    return glyphs.levels[max(round(steps * place.bytes / fullest), 1)]


def _legend(glyphs: _Glyphs) -> str:
    return (
        f"each place is a partition: {glyphs.levels[1]}{glyphs.levels[-1]} how full, {glyphs.levels[0]} empty, "
        f"{glyphs.gap} missing, {glyphs.wanted} not made yet"
    )


# Words


def _mark(each: SetStatus, glyphs: _Glyphs) -> tuple[str, str]:
    badness = {"critical": 0, "warning": 1}.get(each.severity or "", 2)
    return glyphs.marks[badness], _MARK_STYLES[badness]


def _shortened(name: str, width: int, glyphs: _Glyphs) -> str:
    return name if len(name) <= width else name[: width - 1] + glyphs.more


def _verdict(sets: Sequence[SetStatus]) -> Text:
    number = len(sets)
    parts = [Text("1 set" if number == 1 else f"{number:,} sets")]
    for severity, style, what in (("critical", "bold red", "critical"), ("warning", "yellow", "with a warning")):
        some = sum(each.severity == severity for each in sets)
        if some:
            parts.append(Text(f"{some:,} {what}", style=style))
    filled = sum(each.has_default and each.default_rows != 0 for each in sets)
    if filled:
        parts.append(Text(f"{filled:,} with rows in the default partition", style="red"))
    said = Text(", ").join(parts)
    if len(parts) > 1:
        said.append("; partwarden check says what is wrong, and what to do", style="dim")
    return said


def _can_print(out: Console, glyphs: _Glyphs) -> bool:
    drawn = "".join(str(value) for value in asdict(glyphs).values())
    try:
        drawn.encode(out.encoding)
    except UnicodeEncodeError:
        return False
    return True
