"""What an agent's work came to, and what went wrong with it, in words."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from partwarden.database import problem_of
from partwarden.errors import PartwardenError


@dataclass
class Tally:
    """What came of the notifications of one database: messages told, failed, and waiting at the end; what went wrong with
    the jobs that were due, and why it could not be worked on.
    """

    database: str
    told: int = 0
    failed: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()
    error: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether all went out, and everything that was due was done."""
        return self.error is None and not self.failed and not self.waiting and not self.problems


def in_words(failure: BaseException) -> str:
    """A failure in one line, with the way out where there is one; of a bug no more than its kind: its text may be anything."""
    match failure:
        case PartwardenError():
            return f"{failure.problem}; {failure.remedy}"
        case psycopg.Error():
            return problem_of(failure)
        case _:
            return f"this is a bug of partwarden: {type(failure).__name__}; please report it"
