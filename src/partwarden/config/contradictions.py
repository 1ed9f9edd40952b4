"""What a section may not say at once, as far as that can be told without a database: pairs of key and problem.

The rules are those of create_parent() and create_sub_parent() in pg_partman 4.7 to 5.5, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from partwarden.config.lengths import is_number, seconds_of

if TYPE_CHECKING:
    from partwarden.config.models import Monitor
    from partwarden.config.sets import PartitionSet, SubPartition

FOR_TIMES = ("epoch", "datetime_string", "date_trunc_interval", "time_encoder", "time_decoder")
FOR_IDS = ("offset",)
"""Keys that make sense where the interval is a length of time, or a number."""

_LEAST_IDS = 2
_WEEK = 604800
_LOCK_WAIT = (0.001, 10)


def of_level(level: PartitionSet | SubPartition) -> Iterator[tuple[str, str]]:
    """What the keys of a set, or of a level of sub-partitions, say against each other."""
    by_id = is_number(level.interval)
    seconds = None if by_id else seconds_of(level.interval)
    if by_id and level.epoch not in (None, "none"):
        yield "interval", f"the control column counts {level.epoch}: this is a length of time, like 1 day"
    elif by_id and level.type != "list" and int(level.interval) < _LEAST_IDS:
        yield "interval", "a partition for one id is a list: type: list"
    elif seconds is not None and seconds < 1:
        yield "interval", "pg_partman makes no partitions of less than a second"
    yield from _of_kind(level, by_id=by_id)
    if (level.time_encoder is None) != (level.time_decoder is None):
        said, missing = ("encoder", "decoder") if level.time_decoder is None else ("decoder", "encoder")
        yield f"time_{said}", f"it takes time_{missing}, too"
    if level.constraint_columns and level.control in level.constraint_columns:
        yield "constraint_columns", f"{level.control} is the control column: its bounds are constraint enough"
    if level.sub is not None:
        yield from ((f"sub.{key}", problem) for key, problem in _of_sub(level, level.sub))


def _of_kind(level: PartitionSet | SubPartition, *, by_id: bool) -> Iterator[tuple[str, str]]:
    """What is for times only, or for ids only."""
    if level.retention and level.retention.keep is not None and is_number(level.retention.keep) != by_id:
        wanted = "a number, as the interval is: how many ids" if by_id else "a length of time, as the interval is"
        yield "retention.keep", f"for this set it is {wanted}"
    if by_id:
        for key in FOR_TIMES:
            if key != "epoch" and getattr(level, key) is not None:
                yield key, "this is for times, and the interval is a number"
    elif level.offset is not None:
        yield "offset", "this is for ids, and the interval is a length of time"


def of_start(start: str | None, interval: str) -> Iterator[tuple[str, str]]:
    """A start that is of another kind than the interval."""
    if start is None:
        return
    is_id = start.lstrip("-").isdigit() and "-" not in start[1:]
    if is_number(interval) and not is_id:
        yield "start", "the interval is a number: so is this"
    if not is_number(interval) and is_id:
        yield "start", "the interval is a length of time: this is a date, like 2026-01-01"


def _of_sub(level: PartitionSet | SubPartition, sub: SubPartition) -> Iterator[tuple[str, str]]:
    if is_number(sub.interval) != is_number(level.interval):
        return
    if is_number(sub.interval):
        # Ids of another column may be as they are: pg_partman compares them all the same.
        if int(sub.interval) >= int(level.interval):
            yield "interval", f"this is not less than {level.interval}, the interval of what is divided"
        return
    inner, outer = seconds_of(sub.interval), seconds_of(level.interval)
    if inner is None or outer is None:
        return
    if inner >= outer:
        yield "interval", f"this is not less than {level.interval}, the interval of what is divided"
    elif inner == _WEEK:
        yield "interval", "weeks don't fit into anything longer: pg_partman divides nothing by week"


def of_monitor(monitor: Monitor) -> Iterator[tuple[str, str]]:
    """How a monitor tells."""
    arns = [key for key in ("lambda_arn", "topic_arn") if getattr(monitor, key) is not None]
    if monitor.channel == "none" and arns:
        yield arns[0], "nothing is sent with channel: none"
    elif monitor.channel == "agent" and arns:
        yield arns[0], "the function is sent nothing with channel: agent; both are told with channel: both"
    elif len(arns) == 1:
        missing = "topic_arn" if arns == ["lambda_arn"] else "lambda_arn"
        yield arns[0], f"it takes {missing}, too"


def of_lock_wait(lock_wait: str | None) -> Iterator[tuple[str, str]]:
    """The bounds that partwarden.setting has for it."""
    seconds = seconds_of(lock_wait) if lock_wait else None
    if seconds is not None and not _LOCK_WAIT[0] <= seconds <= _LOCK_WAIT[1]:
        yield "lock_wait", "this is from 1 millisecond to 10 seconds"
