"""What the person who measures may choose."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Which servers, how many rounds, and how big; ``limit`` is for how many seconds a single run of a tool may go on."""

    majors: tuple[int, ...]
    rounds: int
    rows: tuple[int, ...] = (1_000_000, 4_000_000)
    sets: int = 1_000
    limit: float = 600


def tell(what: str) -> None:
    """Say on standard error what is being measured now; standard output is for the results."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what}\n")
    sys.stderr.flush()
