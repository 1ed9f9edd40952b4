"""A hop: one part of the way of an alert, and how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "waiting", "broken", "unknown", "skipped"]


@dataclass(frozen=True)
class Hop:
    """One part. ``waiting``: for a person. ``unknown``: could not be looked at. ``skipped``: was not to be looked at."""

    name: str
    state: State
    what: str
    remedy: str | None = None


def exit_code(hops: Sequence[Hop]) -> int:
    """0 when all is well, 1 when something is broken or somebody is waited for, 3 when one could not be looked at."""
    states = {hop.state for hop in hops}
    if states & {"broken", "waiting"}:
        return 1
    return 3 if "unknown" in states else 0
