"""``python -m bench.run [sets] [run_log] [default_partition]``: measure, and print what came out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench import default_partition, run_log, sets

_BENCHMARKS: dict[str, Callable[[int, int], str]] = {
    "sets": sets.run,
    "run_log": run_log.run,
    "default_partition": default_partition.run,
}


def main() -> None:
    """Run the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench.run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(_BENCHMARKS)}; default: all")
    parser.add_argument("--major", type=int, default=18, help="version of the server")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each; the median is told")
    arguments = parser.parse_args()
    for name in arguments.names or _BENCHMARKS:
        sys.stdout.write(_BENCHMARKS[name](arguments.major, arguments.rounds) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
