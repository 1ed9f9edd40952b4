"""How the pages write times, lengths, amounts and names; what templates call filters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from partwarden.dsn import without_secrets
from partwarden.report.amounts import count, length, size
from partwarden.report.text import visible, visible_lines
from partwarden.status import SetStatus
from partwarden.survey import Record

_DAY = 86400
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


def document(value: object) -> str:
    """Evidence that is no text, as JSON."""
    return shown(json.dumps(value, ensure_ascii=False, default=str))


def bound(text: str) -> str:
    """The bounds of a partition without PostgreSQL's words around them."""
    found = _BOUND.fullmatch(text)
    return shown(f"{found[1]} – {found[2]}" if found else text.removeprefix("FOR VALUES ")).replace("'", "")  # noqa: RUF001


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
    days = (record.reach.get(each.parent_table or "") if record is not None else None) or ()
    before = [(seen, edge) for seen, edge in days if each.looked_at - seen >= timedelta(hours=12)]
    if not before or each.runs_out_in is None or each.is_endless:
        return None
    seen, edge = before[-1]
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
    "json": document,
    "left": left,
    "lines": lines,
    "moment": moment,
    "rows": rows,
    "shown": shown,
    "took": took,
    "trend": trend,
}
