"""``partwarden drain`` against the other tools that empty a default partition: how fast, and what others feel of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from bench.filled_set import FilledSet, fresh_copy, make_filled_set
from bench.load import Kind, under_load
from bench.measure import joined, table
from bench.movers import OURS, PEER, RAW, Moved, Mover, copy_elsewhere, movers
from bench.options import Options, tell
from bench.partsmith import Partsmith, partsmith
from bench.servers import describe, fresh_server
from bench.stalls import NOTHING, Round, after, answers_table, by_itself, loaded, stall_targets, stalls_table
from bench.targets import Target, targets_table

_TIMES_THE_PEER = {15: 3, 17: 4, 18: 5}
_OF_THE_RAW_LIMIT = 0.9
_CLIENT_MB = 80
_FLAT = 1.1
_ELSEWHERE = "as many rows copied into an unrelated table"

Idle = dict[str, list[Moved]]


def run(options: Options) -> Iterator[str]:
    """The results of each server, as they come."""
    with partsmith() as other:
        for major in options.majors:
            yield from _on(major, options, other)


def _on(major: int, options: Options, other: Partsmith) -> Iterator[str]:
    with fresh_server(major) as server:
        tools = movers(major, other, options.limit)
        with server.new_database("described").connect() as superuser:
            yield joined(f"## Draining a default partition: PostgreSQL {major}", describe(superuser))
        idle: dict[int, Idle] = {}
        for rows in sorted(options.rows):
            template = make_filled_set(server, rows)
            idle[rows] = _idle(template, tools, options.rounds)
            yield joined(f"### {rows:,} rows, nobody else there", _idle_table(rows, idle[rows], tools))
        loud = _under_load(template, tools, options)
        yield joined(
            f"### {template.rows:,} rows, others reading and writing: the longest that they waited",
            stalls_table(loud),
            "### The same: what they were told that was not so",
            answers_table(loud),
            "### Targets",
            targets_table([*_speed_targets(major, idle), *_memory_targets(idle), *_load_targets(loud)]),
        )


def _idle(template: FilledSet, tools: Sequence[Mover], rounds: int) -> Idle:
    found: Idle = {tool.name: [] for tool in tools}
    for number in range(rounds):
        for tool in tools:
            if tool.obstacle is None:
                with fresh_copy(template) as copy:
                    tell(f"{template.rows:,} rows, round {number + 1}: {tool.name}")
                    found[tool.name].append(tool.move(copy))
    return found


def _under_load(template: FilledSet, tools: Sequence[Mover], options: Options) -> dict[str, Sequence[Round]]:
    """First the load by itself, and beside a copy that locks nothing of the set; then with each tool, in turns."""
    found: dict[str, list[Round]] = {NOTHING: [], _ELSEWHERE: []}
    for number in range(options.rounds):
        tell(f"{template.rows:,} rows under load, round {number + 1}: {NOTHING}")
        with fresh_copy(template) as copy:
            found[NOTHING].append(by_itself(copy))
        tell(f"{template.rows:,} rows under load, round {number + 1}: {_ELSEWHERE}")
        with fresh_copy(template) as copy:
            with under_load(loaded(copy)) as recorded:
                moved = copy_elsewhere(copy, options.limit)
            found[_ELSEWHERE].append(after(copy, moved.seconds, recorded, moved.error))
        for tool in tools:
            for name, without in _settings(tool):
                tell(f"{template.rows:,} rows under load, round {number + 1}: {name}")
                with fresh_copy(template) as copy:
                    with under_load(loaded(copy, without)) as recorded:
                        moved = tool.move(copy)
                    found.setdefault(name, []).append(after(copy, moved.seconds, recorded, moved.error, moved.left))
    return dict(found)


def _settings(tool: Mover) -> list[tuple[str, frozenset[Kind]]]:
    """What goes on beside a tool: everything; and for one that this makes fail, also all but that which does."""
    if tool.obstacle is not None:
        return []
    if not tool.wants_quiet:
        return [(tool.name, frozenset())]
    return [(tool.name, frozenset()), (f"{tool.name}, no rows arriving", frozenset({Kind.INSERT_DEFAULT}))]


def _idle_table(rows: int, found: Idle, tools: Sequence[Mover]) -> str:
    peer, raw = found[PEER], found[RAW]
    lines = []
    for tool in tools:
        runs = found[tool.name]
        if tool.obstacle is not None:
            lines.append((tool.name, "", "", "", "", "", "", "", tool.obstacle))
            continue
        own = [each.own_seconds for each in runs if each.own_seconds is not None]
        memory = [each.client_mb for each in runs if each.client_mb is not None]
        times = [each.seconds for each in runs]
        lines.append(
            (
                tool.name,
                f"{median(times):,.1f}",
                f"{min(times):,.1f} … {max(times):,.1f}",
                f"{median((rows - each.left) / each.seconds for each in runs):,.0f}",
                f"{rows / median(own):,.0f}" if own else "",
                _factor(_times_as_fast(runs, peer)),
                _factor(_times_as_fast(runs, raw)),
                f"{max(memory):.0f}" if memory else "",
                _ended(runs),
            )
        )
    header = (
        "tool", "s, median", "s, from … to", "rows/s", "rows/s by itself", f"times {PEER}", "of the raw limit", "client MB",
        "how it ended",
    )  # fmt: skip
    return table(header, lines)


def _ended(runs: Sequence[Moved]) -> str:
    errors = sorted({each.error.replace("|", "/") for each in runs if each.error is not None})
    left = max(each.left for each in runs)
    return "; ".join([*errors, *([f"{left:,} rows left"] if left else [])])


def _speed_targets(major: int, idle: dict[int, Idle]) -> list[Target]:
    return [
        target
        for rows, found in idle.items()
        for target in (
            Target(
                f"drain of {rows:,} rows: rows/s against {PEER}",
                "≥",
                _TIMES_THE_PEER[major],
                _times_as_fast(found[OURS], found[PEER]),
                " times",
            ),
            Target(
                f"drain of {rows:,} rows: rows/s against the raw limit",
                "≥",
                _OF_THE_RAW_LIMIT,
                _times_as_fast(found[OURS], found[RAW]),
                " of it",
            ),
        )
    ]


def _memory_targets(idle: dict[int, Idle]) -> list[Target]:
    peaks = {rows: max((each.client_mb or 0 for each in found[OURS]), default=0) for rows, found in idle.items()}
    least, most = min(peaks), max(peaks)
    told = [Target(f"client memory, drain of {most:,} rows", "≤", _CLIENT_MB, peaks[most], " MB")]
    if least != most:
        growth = peaks[most] / peaks[least]
        told.append(Target(f"client memory, {most:,} against {least:,} rows", "≤", _FLAT, growth, " times"))
    return told


def _load_targets(loud: dict[str, Sequence[Round]]) -> list[Target]:
    return stall_targets("under load", loud[OURS])


def _times_as_fast(runs: Sequence[Moved], others: Sequence[Moved]) -> float | None:
    """By the whole time of the process, its start included; None where one of them failed or left rows behind."""
    if not runs or not others or any(each.error is not None or each.left for each in (*runs, *others)):
        return None
    return median(each.seconds for each in others) / median(each.seconds for each in runs)


def _factor(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"
