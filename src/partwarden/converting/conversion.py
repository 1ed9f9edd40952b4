"""What would be done to one table: every statement in its order, with its lock; what is in the way; what will be different."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from partwarden.converting.wish import Form


class Mode(StrEnum):
    """How the statements of a step are sent."""

    TRIES = "tries"
    """In one transaction, whose locks are asked for in short tries."""
    READING = "reading"
    """In one transaction that reads the table, and keeps nobody from reading or writing."""
    ALONE = "alone"
    """Each by itself, since it can't be in a transaction; keeps nobody from reading or writing."""


class Phase(StrEnum):
    """When a step comes."""

    PREPARE = "prepare"
    """Before: the table is the table that it was, and what is done can be taken back."""
    EXCHANGE = "exchange"
    """The one transaction after which the table is a partition of a set that bears its name."""
    AFTERWARDS = "afterwards"
    """What can wait until nobody has to wait for it."""


@dataclass(frozen=True)
class Statement:
    """One statement, the strongest lock that it takes, and on what; nothing where it takes none that matters."""

    text: str
    lock: str | None
    object: str | None


@dataclass(frozen=True)
class Step:
    """Statements that come about together, or not at all; ``name`` in words for a person.

    ``locks`` come first, and only take locks. ``reads`` is how many bytes are read; with None it is over in an instant. What is
    ``left_to_maintenance`` is done by that, where rows that come meanwhile are in the way.
    """

    phase: Phase
    mode: Mode
    name: str
    statements: tuple[Statement, ...]
    reads: int | None = None
    locks: tuple[Statement, ...] = ()
    left_to_maintenance: bool = False

    @property
    def all_statements(self) -> tuple[Statement, ...]:
        """Every statement, in the order in which it is sent."""
        return (*self.locks, *self.statements)


@dataclass(frozen=True)
class Obstacle:
    """Why a table can't be converted, and what would help."""

    problem: str
    remedy: str


@dataclass(frozen=True)
class Conversion:
    """What would be done to one table, by whom it is owned, in which form and why.

    ``partition`` is what the table will be called; bounds are as SQL writes them. Its rows lie in so many ``intervals``, and
    ``partitions`` are made ahead. ``rows`` is by statistics, None without any. With ``obstacles`` there are no steps.
    """

    table: str
    owner: str
    control: str
    interval: str
    form: Form
    because: str
    partition: str
    lower_bound: str | None
    upper_bound: str
    intervals: int | None
    partitions: int
    bytes: int
    rows: int | None
    warnings: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]
    steps: tuple[Step, ...]
    next: str

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement, in the order in which it is sent."""
        return tuple(statement for step in self.steps for statement in step.all_statements)

    @property
    def lock_ms(self) -> float:
        """About how long readers and writers wait for the exchange."""
        exchange = sum(len(step.statements) for step in self.steps if step.phase is Phase.EXCHANGE)
        return _REGISTER_MS + exchange * _STATEMENT_MS


@dataclass(frozen=True)
class Converted:
    """What has been done. ``locked_ms`` is for how long nobody could read or write, without waiting for the lock.

    Without a ``form`` the exchange had been done before, and only the rest was.
    """

    table: str
    partition: str | None
    form: Form | None
    partitions: int
    seconds: float
    locked_ms: float
    next: str


_REGISTER_MS = 20
_STATEMENT_MS = 0.5
"""Measured on two cores, rounded against us: pg_partman's part, and each statement of ours."""
