"""A partition set drawn to scale: where its partitions lie on a picture in which this moment is always at the same place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from partwarden.report.amounts import count, size
from partwarden.status import SetStatus, Span

WIDTH = 1000.0
HEIGHT = 44.0
NOW = 620.0
"""Where this moment is: more is to be seen of the past than of the future."""
_BASE = 36.0
"""What stands on this line is full of rows; what is empty is as high as ``_EMPTY``."""
_EMPTY = 8.0
_LEAST = 3.0
_FEWEST_BEFORE = 30
"""So many partitions before this moment are shown at least, where there are as many."""
_BEYOND = 1.5
"""What lies further ahead than this many times what premake wants is not drawn but counted: a partition of the year 2099."""


@dataclass(frozen=True)
class Block:
    """A part of the picture: ``kind`` is past, now, ahead, gap or wanted; ``title`` says in words what it is."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str
    sub_set: str | None = None


@dataclass(frozen=True)
class Mark:
    """An upright line in the picture, and what it says."""

    x: float
    text: str


@dataclass(frozen=True)
class Picture:
    """A set as it is drawn. ``now`` is None where that lies outside, and in a set by id without a row. ``first`` and ``last``
    say what lies at the edges, ``earlier`` and ``beyond`` how many partitions lie outside.
    """

    blocks: tuple[Block, ...]
    now: float | None
    retention: Mark | None
    first: str
    last: str
    beyond: int
    earlier: int


@dataclass(frozen=True)
class _Scale:
    """From the set's own axis to the picture's: ``origin`` lies at ``at``."""

    origin: float
    at: float
    per_pixel: float

    def x(self, value: float) -> float:
        """Where it lies, which may be outside."""
        return self.at + (value - self.origin) / self.per_pixel

    def value(self, x: float) -> float:
        """What lies there."""
        return self.origin + (x - self.at) * self.per_pixel


def draw(each: SetStatus) -> Picture | None:
    """The picture of a set; None for one that has nothing that could be drawn."""
    if not each.spans:
        return None
    step = median(span.upper - span.lower for span in each.spans) or 1
    words = _moment_words(step) if each.kind != "id" else _id_words
    position = each.position if each.position is not None else each.spans[0].lower  # all is still to come
    scale = _scale(each, position, step)
    shown = [span for span in each.spans if scale.x(span.upper) > 0 and scale.x(span.lower) < WIDTH]
    most = max((span.bytes or 0 for span in shown), default=0)
    blocks = [_block(span, scale, each.position, most, words) for span in shown]
    blocks += _gaps(each, scale, words)
    blocks += _wanted(each, scale, step, words)
    if each.endless_from is not None and scale.x(each.endless_from) < WIDTH:
        blocks.append(_endless(each.endless_from, scale, each.position, words))
    edge = each.retention_edge
    return Picture(
        blocks=tuple(sorted(blocks, key=lambda block: block.x)),
        now=scale.x(position) if each.position is not None and 0 <= scale.x(position) <= WIDTH else None,
        retention=None
        if edge is None or not 0 <= scale.x(edge) <= WIDTH
        else Mark(scale.x(edge), f"retention: what lies before {words(edge)} may go"),
        first=words(scale.value(0)),
        last=words(scale.value(WIDTH)),
        beyond=each.later + sum(scale.x(span.lower) >= WIDTH for span in each.spans),
        earlier=each.earlier + sum(scale.x(span.upper) <= 0 for span in each.spans),
    )


def _scale(each: SetStatus, position: float, step: float) -> _Scale:
    if each.position is None:
        return _Scale(position, 0.0, max(each.spans[-1].upper - position, step) / (WIDTH - 4))
    if each.limits is not None:  # it is a partition itself, and fills the picture
        start, limit = each.limits
        return _Scale(start, 0.0, max(limit - start, step) / WIDTH)
    end = max(span.upper for span in each.spans) + each.missing * step
    if each.endless_from is not None:
        end = each.endless_from + step
    reach = max(end - position, step)
    wanted = each.ahead + each.missing + 2
    reach = min(reach, _BEYOND * wanted * step)
    before = [span for span in each.spans if span.lower < position][-_FEWEST_BEFORE:]
    past = position - before[0].lower if before else step
    past = min(past, 2 * _FEWEST_BEFORE * step)  # after a long gap there is less to be seen than there is to be read
    return _Scale(position, NOW, max(reach / (WIDTH - NOW - 4), past / (NOW - 4)))


def _block(span: Span, scale: _Scale, position: float | None, most: int, words: Callable[[float], str]) -> Block:
    kind = "ahead" if position is None or span.lower > position else "past" if span.upper <= position else "now"
    height = _EMPTY if not span.bytes else max(_LEAST + (_BASE - _LEAST) * span.bytes / most, _EMPTY)
    return _at(
        kind if span.bytes or kind != "past" else "past empty",
        scale,
        span.lower,
        span.upper,
        height,
        f"{words(span.lower)} – {words(span.upper)}: {_inside(span)}",  # noqa: RUF001 - a range
        span.sub_set,
    )


def _endless(lower: float, scale: _Scale, position: float | None, words: Callable[[float], str]) -> Block:
    """The partition without an end, up to the edge of the picture."""
    kind = "ahead" if position is None or lower > position else "now"
    return _at(kind, scale, lower, scale.value(WIDTH), _EMPTY, f"from {words(lower)} on, without an end")


def _inside(span: Span) -> str:
    if span.bytes is None:
        return "how much is in it is not known"
    if not span.bytes:
        return "empty"
    return size(span.bytes) if span.rows is None else f"about {count(max(span.rows, 0))} rows, {size(span.bytes)}"


def _gaps(each: SetStatus, scale: _Scale, words: Callable[[float], str]) -> Iterator[Block]:
    """Where no partition is: between two, and from the last to this moment where they have run out."""
    holes = [(one.upper, other.lower) for one, other in zip(each.spans, each.spans[1:], strict=False)]
    last = each.spans[-1].upper
    if each.endless_from is not None:
        holes.append((each.spans[-1].upper, each.endless_from))
    has_run_out = each.kind != "id" and each.endless_from is None and not each.is_over and not each.is_complete
    if has_run_out and each.position is not None and last < each.position:
        holes.append((last, each.position))
    for lower, upper in holes:
        if lower < upper and scale.x(upper) > 0 and scale.x(lower) < WIDTH:
            yield _at("gap", scale, lower, upper, _BASE, f"{words(lower)} – {words(upper)}: no partition")  # noqa: RUF001


def _wanted(each: SetStatus, scale: _Scale, step: float, words: Callable[[float], str]) -> Iterator[Block]:
    """The partitions that premake wants and nobody has made, behind the last one."""
    lower = each.spans[-1].upper
    for _ in range(each.missing):
        if scale.x(lower) < WIDTH:
            yield _at("wanted", scale, lower, lower + step, _EMPTY, f"{words(lower)}: wanted, and not made yet")
        lower += step


def _at(
    kind: str, scale: _Scale, lower: float, upper: float, height: float, title: str, sub_set: str | None = None
) -> Block:
    left, right = max(scale.x(lower), 0.0), min(scale.x(upper), WIDTH)
    gap = 1.0 if right - left > 4 else 0.0  # so that one can be told from the next
    return Block(
        kind,
        round(left, 1),
        round(_BASE - height, 1),
        round(max(right - left - gap, 0.8), 1),
        round(height, 1),
        title,
        sub_set,
    )


def _moment_words(step: float) -> Callable[[float], str]:
    """How a moment is written, as exactly as the partitions are long."""
    form = "%Y-%m-%d" if step >= 86400 else "%Y-%m-%d %H:%M" if step >= 60 else "%Y-%m-%d %H:%M:%S"

    def words(seconds: float) -> str:
        try:
            return datetime.fromtimestamp(seconds, UTC).strftime(form)
        except (ValueError, OverflowError, OSError):
            return "very long ago" if seconds < 0 else "in the far future"

    return words


def _id_words(number: float) -> str:
    return f"{number:,.0f}"
