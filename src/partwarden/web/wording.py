"""How the pages write times, lengths, amounts and names; what templates call filters."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from partwarden.dsn import without_secrets
from partwarden.report.amounts import count, length, size
from partwarden.report.text import in_one_line, visible, visible_lines
from partwarden.status import SetStatus
from partwarden.survey import Record

_DAY = 86400
_CLOCK = re.compile(r"(\d\d):(\d\d):00")
_MONTHS = re.compile(r"\b(\d+) mon(s?)\b")
_BOUND = re.compile(r"FOR VALUES FROM \((.*)\) TO \((.*)\)")


def moment(at: datetime | None) -> str:
    """A moment: ``2026-11-27 05:00:12 UTC``; a dash for none."""
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"  # noqa: RUF001 - a dash in a table


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago: ``12 s ago``, ``in 3 days``; ``never`` for none."""
    if at is None:
        return "never"
    past = now - at
    return f"in {length(past)}" if past < timedelta(0) else f"{length(past)} ago"


def date(at: datetime | None) -> str:
    """A moment to the minute; of midnight the day only."""
    if at is None:
        return "–"  # noqa: RUF001
    written = f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
    return written.removesuffix(" 00:00")


def left(each: SetStatus) -> str:
    """How long a set's partitions last, in words: ``9 days``, ``gone for 2 h``, ``512k ids``, ``no end``."""
    if each.is_endless:
        return "no end"
    if each.is_over or each.is_complete:
        return "over" if each.is_over else "complete"
    if each.kind == "id":
        return "not known" if each.ids_left is None else f"{count(each.ids_left)} ids"
    runs_out_in = each.runs_out_in
    if runs_out_in is None:
        return "not known"
    return f"run out {length(runs_out_in)} ago" if runs_out_in < timedelta(0) else length(runs_out_in)


def headroom(each: SetStatus) -> str:
    """The same as half a sentence: ``9 days left``, ``ran out 2 h ago``, ``complete``."""
    words = left(each)
    if words.startswith("run out"):
        return words.replace("run", "ran", 1)
    is_amount = words[0].isdigit() or words.startswith("-")
    return f"{words} left" if is_amount else words


def every(each: SetStatus) -> str:
    """How long its partitions are: ``1 hour``, ``1 month``, ``100,000 ids``; else as PostgreSQL says it."""
    interval = each.interval or ""
    if each.kind == "id":
        return f"{int(interval):,} ids" if interval.isdecimal() else f"{shown(interval)} ids"
    if found := _CLOCK.fullmatch(interval):
        hours, minutes = int(found[1]), int(found[2])
        return of(hours, "hour") if not minutes else of(hours * 60 + minutes, "minute")
    return shown(_MONTHS.sub(r"\1 month\2", interval))


def of(number: int, noun: str) -> str:
    """The number with its noun: ``1 partition``, ``18 partitions``."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def rows(number: int | None) -> str:
    """How many rows, an estimate; ``some`` where there are some and nobody knows how many."""
    return "some" if number is None else count(number)


def amount(number: int | None) -> str:
    """Bytes; a dash where nobody knows."""
    return "–" if number is None else size(number)  # noqa: RUF001


def shown(text: object) -> str:
    """Text of a database's or a person's on a page: no secret, and no letter that can't be seen."""
    return visible(without_secrets(str(text)))


def lines(text: object) -> str:
    """Text of several lines, as it may be shown."""
    return "\n".join(visible_lines(without_secrets(str(text))))


def line(text: object) -> str:
    """What a server or a library says in several lines, as one."""
    return in_one_line(without_secrets(str(text)))


def document(value: object) -> str:
    """Evidence that is no text, as JSON."""
    return shown(json.dumps(value, ensure_ascii=False, default=str))


def bound(text: str) -> str:
    """The bounds of a partition without PostgreSQL's words around them; of midnight the day only."""
    found = _BOUND.fullmatch(text)
    written = shown(f"{found[1]} – {found[2]}" if found else text.removeprefix("FOR VALUES "))  # noqa: RUF001
    return written.replace("'", "").replace(" 00:00:00+00", "")


@dataclass(frozen=True)
class Trend:
    """What became of the room that is left; ``kind`` is ``shrinking`` or ``steady``."""

    kind: str
    text: str


def trend(each: SetStatus, record: Record | None) -> Trend | None:
    """How far ahead a set reaches compared with a day ago, or how fast its ids are used up; None where nobody knows."""
    if each.kind == "id":
        if not each.ids_a_second or each.ids_a_second < 0:
            return None
        return Trend("steady", f"{count(round(each.ids_a_second * _DAY))} ids a day, last week")
    before = record.reach.get(each.parent_table or "") if record is not None else None
    if before is None or each.runs_out_in is None or each.is_endless:
        return None
    seen, edge = before
    change = each.runs_out_in - (edge - seen)
    # It falls by a day a day until the next partition is made: what is less than one partition means nothing.
    one = max((span.upper - span.lower for span in each.spans), default=0.0)
    if abs(change) <= timedelta(seconds=one) + timedelta(hours=2):
        return Trend("steady", f"as far ahead as {length(each.looked_at - seen)} ago")
    if change < timedelta(0):
        return Trend("shrinking", f"{length(change)} less than {length(each.looked_at - seen)} ago")
    return Trend("steady", f"{length(change)} more than {length(each.looked_at - seen)} ago")


def took(time: timedelta) -> str:
    """A length of time, of less than ten seconds with a decimal."""
    return f"{time.total_seconds():.2g} s" if time < timedelta(seconds=10) else length(time)


def key(*names: object) -> str:
    """What a row of that name is called in a page, so that it is found again where the order has changed."""
    return hashlib.sha256("\0".join(map(str, names)).encode()).hexdigest()[:12]


def link(path: str, **asked: object) -> str:
    """The address of a page; what it is asked about stands in the query, where any name can stand."""
    return (
        f"{path}?{urlencode({name: str(value) for name, value in asked.items() if value not in (None, '', 0)})}"
        if asked
        else path
    )


FILTERS: Mapping[str, Callable[..., object]] = {
    "ago": ago,
    "amount": amount,
    "bound": bound,
    "count": count,
    "date": date,
    "every": every,
    "headroom": headroom,
    "key": key,
    "json": document,
    "left": left,
    "line": line,
    "lines": lines,
    "moment": moment,
    "of": of,
    "rows": rows,
    "shown": shown,
    "took": took,
    "trend": trend,
}
