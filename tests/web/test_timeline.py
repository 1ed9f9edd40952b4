"""A set drawn to scale: every partition where it lies, this moment always at the same place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from partwarden.status import SetStatus, Span
from partwarden.web.drawing.timeline import HEIGHT, NOW, WIDTH, Picture, draw

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = 86400.0


def a_set(
    spans: list[tuple[float, float]], *, missing: int = 0, kind: str = "time", sizes: int = 8192, **more: object
) -> SetStatus:
    """Partitions from and to so many days from the beginning of today, or ids."""
    today = AT.replace(hour=0).timestamp()
    unit, origin = (1.0, 0.0) if kind == "id" else (DAY, today)
    made = [Span(origin + lower * unit, origin + upper * unit, sizes, 10, None) for lower, upper in spans]
    position = AT.timestamp() if kind == "time" else float(more.pop("position"))  # type: ignore[arg-type]
    defaults: dict[str, object] = {
        "name": "app.events", "severity": None, "findings": (), "is_managed": True, "kind": kind, "interval": "1 day",
        "partitions": len(made), "sub_sets": 0, "bytes": 1, "line": (), "now": 0, "ends_at": AT + timedelta(days=3),
        "is_endless": False, "ahead": sum(span.lower > position for span in made), "has_default": True, "default_rows": 0,
        "knows_maintenance": True, "last_maintained": AT, "looked_at": AT,
    }  # fmt: skip
    return SetStatus(**(defaults | more), spans=tuple(made), position=position, missing=missing)  # type: ignore[arg-type]


def days(first: int, last: int) -> list[tuple[float, float]]:
    return [(day, day + 1) for day in range(first, last)]


def drawn(each: SetStatus) -> Picture:
    picture = draw(each)
    assert picture is not None
    return picture


def kinds(picture: Picture) -> list[str]:
    return [block.kind for block in picture.blocks]


def test_this_moment_lies_at_the_same_place_whatever_the_set_is_like() -> None:
    for spans in (days(-60, 36), days(-2, 2), [(-30.0, 60.0)], days(-400, 2)):
        assert drawn(a_set(spans)).now == NOW


def test_partitions_of_one_length_are_equally_wide_and_half_of_today_is_over_at_noon() -> None:
    picture = drawn(a_set(days(-20, 8)))
    widths = {block.width for block in picture.blocks[1:-1]}
    assert max(widths) - min(widths) <= 0.2
    today = next(block for block in picture.blocks if block.kind == "now")
    assert today.x + (today.width + 1) / 2 == pytest.approx(NOW, abs=0.2)


def test_a_month_is_wider_than_a_february() -> None:
    january, february = (-40, -9), (-9, 19)
    first, second = drawn(a_set([january, february, (19, 50)])).blocks[:2]
    assert (first.width + 1) / (second.width + 1) == pytest.approx(31 / 28, rel=0.01)


def test_a_gap_is_as_wide_as_what_is_missing_and_says_so() -> None:
    picture = drawn(a_set([*days(-9, -4), *days(-1, 5)]))
    (gap,) = [block for block in picture.blocks if block.kind == "gap"]
    one = picture.blocks[0]
    assert gap.width + 1 == pytest.approx(3 * (one.width + 1), abs=0.5)
    assert gap.title == "2026-11-23 – 2026-11-26: no partition"  # noqa: RUF001


def test_partitions_that_have_run_out_leave_a_gap_up_to_now() -> None:
    picture = drawn(a_set(days(-9, -2)))
    gap = picture.blocks[-1]
    assert gap.kind == "gap"
    assert gap.x + gap.width == pytest.approx(NOW, abs=1.1)


def test_what_premake_wants_and_nobody_made_follows_the_last_partition() -> None:
    picture = drawn(a_set(days(-9, 2), missing=3))
    assert kinds(picture)[-4:] == ["ahead", "wanted", "wanted", "wanted"]
    assert picture.blocks[-1].x + picture.blocks[-1].width <= WIDTH


def test_a_partition_of_the_year_2099_is_counted_and_does_not_squeeze_all_others() -> None:
    picture = drawn(a_set([*days(-30, 5), (26000, 26001)]))
    assert picture.beyond == 1
    assert min(block.width for block in picture.blocks[1:-1]) > 8


def test_an_empty_partition_is_low_and_the_fullest_is_high() -> None:
    each = a_set(days(-3, 2))
    empty = replace(each.spans[0], bytes=0, rows=0)
    full = replace(each.spans[1], bytes=10**9, rows=10**6)
    picture = drawn(replace(each, spans=(empty, full, *each.spans[2:])))
    assert picture.blocks[0].kind == "past empty"
    assert picture.blocks[0].height < picture.blocks[1].height
    assert "about 1M rows" in picture.blocks[1].title
    assert all(0 <= block.y <= HEIGHT and block.y + block.height <= HEIGHT for block in picture.blocks)


def test_retention_is_marked_where_it_can_be_seen() -> None:
    inside = drawn(a_set(days(-9, 5), retention_edge=(AT - timedelta(days=5)).timestamp()))
    assert inside.retention is not None
    assert 0 < inside.retention.x < NOW
    assert drawn(a_set(days(-9, 5), retention_edge=(AT - timedelta(days=900)).timestamp())).retention is None


def test_ids_are_drawn_by_their_numbers() -> None:
    thousands = [(float(lower), float(lower + 1000)) for lower in range(0, 9000, 1000)]
    picture = drawn(a_set(thousands, kind="id", position=4500.0))
    assert kinds(picture) == ["past"] * 4 + ["now"] + ["ahead"] * 4
    assert picture.blocks[0].title.startswith("0 – 1,000")  # noqa: RUF001


def test_times_that_python_does_not_know_are_drawn_in_words() -> None:
    picture = drawn(a_set([(-4_000_000, -2), *days(-2, 3)]))
    assert picture.blocks[0].title.startswith("very long ago")


def test_a_set_without_bounds_has_no_picture() -> None:
    assert draw(a_set([])) is None
