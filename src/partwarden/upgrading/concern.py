"""What the way to another version of pg_partman breaks or changes, and the statements that mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is if nothing is done."""

    CRITICAL = "critical"
    """The update fails, or a set is no longer maintained after it."""
    WARNING = "warning"
    """Something works otherwise, or no longer, after it."""
    NOTE = "note"
    """Good to know."""


@dataclass(frozen=True)
class Concern:
    """One object that is concerned.

    ``since`` is the version that brings the change, None where it was wrong before; ``before`` and ``after`` are
    statements to run before and after the update.
    """

    id: str
    severity: Severity
    since: str | None
    object: str
    what: str
    why: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step on the way, in its order: ``by`` says who runs the statements in ``database``, None for what is no SQL."""

    number: int
    title: str
    database: str | None
    by: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Upgrade:
    """The way of one database from the version that is installed to ``target``.

    ``installed`` is None where there is no pg_partman, ``offered`` the newest version that the server has files of, and
    ``unseen`` says what could not be looked at, and what would help.
    """

    database: str
    postgresql: str
    installed: str | None
    offered: str | None
    target: str
    concerns: tuple[Concern, ...] = ()
    steps: tuple[Step, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Whether nothing has to be done but the update itself."""
        return all(concern.severity is Severity.NOTE for concern in self.concerns)
