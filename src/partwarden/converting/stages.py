"""The steps of a conversion, in their order: what is sent together, and how; and of what takes one back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from partwarden.converting.conversion import Mode, Phase, Statement, Step
from partwarden.converting.session import Session
from partwarden.errors import ConvertRefused

Rows = Sequence[tuple[Any, ...]]


def steps(session: Session, facts: str, reads: int) -> Iterator[Step]:
    """What makes the table a partition set, by what is known of it, as JSON; it has ``reads`` bytes to be read."""
    names = {
        "place": (Mode.TRIES, "placing a constraint that says where the rows lie, and refuses none", None),
        "prove": (Mode.READING, "reading the table, to prove it", reads),
    }
    prepared = session.rows("convert_preparations", facts)
    for stage, statements in _by_stage(prepared):
        if stage == "build":
            for statement in statements:
                yield Step(Phase.PREPARE, Mode.ALONE, "building an index", (statement,), reads)
        else:
            mode, name, read = names[stage]
            yield Step(Phase.PREPARE, mode, name, statements, read)
    yield Step(
        Phase.EXCHANGE,
        Mode.TRIES,
        "exchanging",
        _statements(session.rows("convert_exchange", facts)),
        locks=_statements(session.rows("convert_locks", session.table, session.name)),
    )
    yield from _afterwards(session.rows("convert_afterwards", facts), reads)


def _afterwards(rows: Rows, reads: int) -> Iterator[Step]:
    names = {
        "make": (Mode.TRIES, "making partitions ahead", None),
        "ready": (Mode.TRIES, "taking the constraint away", None),
        "validate": (Mode.READING, "validating foreign keys", reads),
        "refer": (Mode.TRIES, "giving the set its foreign key to itself", None),
        "analyze": (Mode.READING, "taking statistics", None),
    }
    for stage, statements in _by_stage(rows):
        mode, name, read = names[stage.split()[0]]
        yield Step(Phase.AFTERWARDS, mode, name, statements, read, left_to_maintenance=stage.startswith("make"))


def _by_stage(rows: Rows) -> Iterator[tuple[str, tuple[Statement, ...]]]:
    for stage, listed in groupby(rows, key=lambda row: row[0]):
        yield str(stage), _statements([row[1:] for row in listed])


def pending(session: Session) -> tuple[Step, ...]:
    """What an interrupted conversion has left to do after its exchange."""
    return tuple(_afterwards(session.rows("convert_pending", session.table), 0))


def take_back(session: Session) -> tuple[Step, ...]:
    """What makes a table that has been prepared, and not exchanged, what it was."""
    names = {
        "clear": (Mode.TRIES, "taking the constraint away"),
        "drop": (Mode.ALONE, "dropping what was built"),
        "validate": (Mode.READING, "validating foreign keys"),
    }
    return tuple(
        Step(Phase.PREPARE, *names[stage], statements)
        for stage, statements in _by_stage(session.rows("convert_take_back", session.table))
    )


def undoing(session: Session) -> tuple[Step, ...]:
    """What makes a partition set the table again that it was converted from; ConvertRefused where that can't be."""
    refused = session.rows("convert_undo_obstacles", session.table)
    if refused:
        problem, remedy = refused[0]
        raise ConvertRefused(f"could not undo the conversion of {session.name}: {problem}", remedy=remedy)
    exchange = _statements(session.rows("convert_undo", session.table))
    locks = _statements(session.rows("convert_locks", session.table, session.name))
    return (
        Step(Phase.EXCHANGE, Mode.TRIES, "exchanging", exchange, locks=locks),
        *_afterwards(session.rows("convert_undo_afterwards", session.table), 0),
    )


def _statements(rows: Rows) -> tuple[Statement, ...]:
    return tuple(Statement(*row) for row in rows)
