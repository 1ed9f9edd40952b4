"""A piece of work that goes on in the background: what it is, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from partwarden.web.acts.actions import Asked


class State(StrEnum):
    """How a piece of work stands."""

    WORKING = "working"
    CANCELLING = "cancelling"
    DONE = "done"
    LEFT = "left"
    """Done, and rows stay where they were."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self not in (State.WORKING, State.CANCELLING)


@dataclass(frozen=True)
class Work:
    """One piece of work as it stands now. ``done`` and ``of`` count rows, where there are any to count.

    ``lines`` is what it has told, the newest last; ``problem`` and ``remedy`` why it failed.
    """

    number: int
    asked: Asked
    actor: str
    statement: str
    begun_at: datetime
    state: State = State.WORKING
    step: str = ""
    done: int | None = None
    of: int | None = None
    lines: tuple[str, ...] = ()
    ended_at: datetime | None = None
    problem: str | None = None
    remedy: str | None = None
