"""The plan as data: what would be changed, by which statements, and what a person should know before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from partwarden.converting import Wish


class Kind(StrEnum):
    """What a step changes."""

    EXTENSION = "extension"
    SCHEMA = "schema"
    INSTALLATION = "installation"
    SETTINGS = "settings"
    SET = "set"
    CONVERSION = "conversion"
    SILENCES = "silences"
    JOB = "job"


class Action(StrEnum):
    """What becomes of the object."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class Danger(StrEnum):
    """Why a person should look twice. ``different``: something that held before no longer will."""

    DESTRUCTIVE = "destructive"
    SLOW = "slow"
    LOCKING = "locking"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Change:
    """One value that would be another; None is nothing said, or nothing there."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Warned:
    """What a step may do beyond what was asked for."""

    danger: Danger
    text: str


@dataclass(frozen=True)
class Step:
    """One change, done in one transaction.

    ``statements`` are what is run, and can be pasted into psql; they are for the database that pg_cron lives in where
    ``cron_database`` names it. ``parent`` is the table that has to be locked, by its oid; ``wish`` is what the room that
    converts is told.
    """

    kind: Kind
    action: Action
    object: str
    summary: str
    statements: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    warnings: tuple[Warned, ...] = ()
    cron_database: str | None = None
    parent: int | None = None
    wish: Wish | None = None

    @property
    def destroys(self) -> bool:
        """Whether something may be gone afterwards that was there before."""
        return any(each.danger is Danger.DESTRUCTIVE for each in self.warnings)


@dataclass(frozen=True)
class Obstacle:
    """Something that the file asks for and that can't be. ``place`` is where in which file."""

    object: str
    problem: str
    remedy: str
    place: str | None = None


@dataclass(frozen=True)
class DatabasePlan:
    """What would be changed in one database.

    ``shown`` is its connection without secrets, ``server`` names and versions. ``later`` tells of what can be planned only
    after these steps; ``error`` why the database could not be looked at.
    """

    name: str
    shown: str
    server: dict[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()
    later: str | None = None
    error: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Plan:
    """What would be changed, database by database, in the order of the file."""

    databases: tuple[DatabasePlan, ...]

    @property
    def steps(self) -> Iterator[Step]:
        """All steps of all databases."""
        return (step for database in self.databases for step in database.steps)

    @property
    def has_changes(self) -> bool:
        """Whether anything would be changed."""
        return any(database.steps for database in self.databases)

    @property
    def is_possible(self) -> bool:
        """Whether every database could be looked at, and nothing is asked for that can't be."""
        return not any(database.error or database.obstacles for database in self.databases)
