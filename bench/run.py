"""``python -m bench.run [NAME …]``: measure, and print what came out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.servers import MAJORS

from bench import default_partition, drain, maintenance, page, run_log, sets
from bench.options import Options


@dataclass(frozen=True)
class _Benchmark:
    """What measures, and on which servers and in how many rounds unless told otherwise."""

    run: Callable[[Options], Iterator[str]]
    majors: tuple[int, ...]
    rounds: int


def _on_each_server(run: Callable[[int, int], str]) -> Callable[[Options], Iterator[str]]:
    return lambda options: (run(major, options.rounds) for major in options.majors)


_BENCHMARKS = {
    "sets": _Benchmark(_on_each_server(sets.run), (18,), 7),
    "run_log": _Benchmark(_on_each_server(run_log.run), (18,), 7),
    "default_partition": _Benchmark(_on_each_server(default_partition.run), (18,), 7),
    "drain": _Benchmark(drain.run, MAJORS, 3),
    "maintenance": _Benchmark(maintenance.run, MAJORS, 3),
    "page": _Benchmark(page.run, (18,), 1),
}


def main() -> None:
    """Run the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench.run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(_BENCHMARKS)}; default: all")
    parser.add_argument(
        "--major", type=int, action="append", metavar="VERSION",
        help="version of the server, once for each; default: 18, and for drain and maintenance all three",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="runs of each; the median is told. Default: 7, or 3")
    parser.add_argument(
        "--rows", type=int, action="append",
        help="rows of a default partition that is drained or maintained beside, once for each size",
    )  # fmt: skip
    parser.add_argument("--sets", type=int, default=Options.sets, help="sets that are maintained")
    parser.add_argument("--limit", type=float, default=Options.limit, help="seconds after which a tool is stopped")
    arguments = parser.parse_args()
    for name in arguments.names or _BENCHMARKS:
        benchmark = _BENCHMARKS[name]
        options = Options(
            majors=tuple(arguments.major or benchmark.majors),
            rounds=arguments.rounds or benchmark.rounds,
            rows=tuple(arguments.rows or Options.rows),
            sets=arguments.sets,
            limit=arguments.limit,
        )
        for part in benchmark.run(options):
            sys.stdout.write(part + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
