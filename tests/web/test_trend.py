"""Whether a set reaches as far ahead as it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from partwarden.status import SetStatus, Span
from partwarden.survey import Record
from partwarden.web.drawing.trend import HEIGHT, WIDTH, draw
from partwarden.web.wording import trend

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_set(left: timedelta, *, interval: timedelta = DAY, **more: object) -> SetStatus:
    end = (AT + left).timestamp()
    defaults: dict[str, object] = {
        "name": "app.events", "severity": None, "findings": (), "is_managed": True, "kind": "time", "interval": "1 day",
        "partitions": 1, "sub_sets": 0, "bytes": 1, "line": (), "now": 0, "ends_at": AT + left, "is_endless": False,
        "ahead": 1, "has_default": True, "default_rows": 0, "knows_maintenance": True, "last_maintained": AT,
        "looked_at": AT, "parent_table": "app.events", "spans": (Span(end - interval.total_seconds(), end, 0, 0, None),),
    }  # fmt: skip
    return SetStatus(**(defaults | more))  # type: ignore[arg-type]


def a_record(age: timedelta, left: timedelta) -> Record:
    """What was seen so long ago: how long the partitions lasted from then on."""
    reach = {"app.events": (AT - age, AT - age + left)}
    return Record("0.1.0", None, AT, None, {}, 0, None, None, None, None, AT, reach)


def words(each: SetStatus, record: Record | None) -> str | None:
    found = trend(each, record)
    return None if found is None else f"{found.kind}: {found.text}"


def test_a_set_that_is_kept_ahead_is_steady() -> None:
    assert words(a_set(10 * DAY), a_record(DAY, 10 * DAY)) == "steady: as far ahead as 24 h ago"
    assert words(a_set(9.5 * DAY), a_record(DAY, 10 * DAY)) == "steady: as far ahead as 24 h ago"


def test_a_month_that_goes_by_is_no_loss() -> None:
    months = a_set(95 * DAY, interval=31 * DAY)
    assert words(months, a_record(7 * DAY, 102 * DAY)) == "steady: as far ahead as 7 days ago"


def test_what_is_not_made_any_longer_shrinks() -> None:
    assert words(a_set(3 * DAY), a_record(7 * DAY, 10 * DAY)) == "shrinking: 7 days less than 7 days ago"


def test_what_nobody_knows_is_not_said() -> None:
    assert trend(a_set(3 * DAY), None) is None
    assert trend(a_set(3 * DAY, is_endless=True), a_record(DAY, DAY)) is None
    assert trend(a_set(3 * DAY, parent_table=None), a_record(DAY, DAY)) is None


def test_ids_are_used_up_at_a_rate() -> None:
    assert words(a_set(DAY, kind="id", ids_a_second=0.5), None) == "steady: 43.2k ids a day, last week"
    assert trend(a_set(DAY, kind="id", ids_a_second=None), None) is None


def test_the_line_runs_from_the_first_to_the_last_and_stays_in_the_picture() -> None:
    hours = [(float(hour * 3600), float(hour * 3600 + 86400 * (10 - hour / 24))) for hour in range(100)]
    line = draw(hours)
    assert line is not None
    assert line.path.startswith("M0.0 0.0 L")
    assert line.path.endswith(f"L{WIDTH} {HEIGHT * (99 / 24) / 10:.1f}")
    assert line.zero == HEIGHT
    assert len(line.days) == 5


def test_a_line_below_nothing_says_so() -> None:
    line = draw([(0.0, 86400.0), (3 * 86400.0, 86400.0)])
    assert line is not None
    assert line.zero == HEIGHT / 3
    assert line.days[-1].words == "run out 2 days before"


def test_one_point_is_no_line() -> None:
    assert draw([(0.0, 1.0)]) is None
