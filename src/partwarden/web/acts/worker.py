"""A thread that drains or maintains one set: on record before and after, telling how far it is, ended where somebody asks."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Protocol

import psycopg

from partwarden.audit import Outcome, put_on_record
from partwarden.database import Connection, connect, explained, problem_of
from partwarden.draining import Drain, Event, Finished, Planned, Progress, Step, Waiting, drain
from partwarden.errors import ActionRefused, CouldNotConnect, PartwardenError, RepairFailed
from partwarden.report.amounts import size
from partwarden.web.access.refusal import OutOfReach
from partwarden.web.acts.actions import Asked, Kind, rights_missing, statement
from partwarden.web.acts.work import State

log = logging.getLogger(__name__)

_SECONDS_TO_END = 10
_TRIES = 5
_PAUSE = 0.2
_CONNECT_SECONDS = 20


class Cancelled(PartwardenError):
    """Somebody has cancelled it."""

    def __init__(self) -> None:
        super().__init__("it was cancelled", remedy="Nothing is lost: a second one goes on from there.")


class Desk(Protocol):
    """Where a worker tells how its work stands, by its number."""

    def note(
        self,
        number: int,
        *,
        line: str | None = None,
        step: str | None = None,
        done: int | None = None,
        of: int | None = None,
    ) -> None:
        """What it tells on the way."""

    def end(self, number: int, state: State, problem: PartwardenError | None) -> None:
        """That it has ended."""


class Worker:
    """Does one piece of work in a thread of its own, and tells ``desk`` of it."""

    def __init__(self, desk: Desk, number: int, dsn: str, asked: Asked, actor: str) -> None:
        self._desk = desk
        self._number = number
        self._dsn = dsn
        self._asked = asked
        self._actor = actor
        self._is_cancelled = threading.Event()
        self._connection: Connection | None = None
        self.thread = threading.Thread(target=self._run, name=f"work-{number}", daemon=True)

    def cancel(self) -> None:
        """End it as soon as that can be done without losing anything."""
        self._is_cancelled.set()
        for _ in range(_TRIES):  # a statement that is only about to begin does not hear of it
            connection = self._connection
            if connection is None:
                return
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=_SECONDS_TO_END)
            self.thread.join(_PAUSE)

    def _run(self) -> None:
        asked, record = self._asked, None
        try:
            record = self._put_on_record(Outcome.BEGUN)
            state = self._drain() if asked.kind is Kind.DRAIN else self._maintain()
            self._end(state, record, Outcome.DONE)
        except Exception as failure:  # noqa: BLE001 - a thread has nobody to tell but this
            if self._is_cancelled.is_set():
                self._end(State.CANCELLED, record, Outcome.CANCELLED, Cancelled())
            elif isinstance(failure, CouldNotConnect):  # it says where to, and as whom
                self._end(State.FAILED, record, Outcome.FAILED, OutOfReach())
            elif isinstance(failure, PartwardenError):
                self._end(State.FAILED, record, Outcome.FAILED, rights_missing(failure, self._dsn))
            else:
                log.error("%s of %s: %s", asked.kind, asked.object, type(failure).__name__)  # noqa: TRY400
                self._end(
                    State.FAILED,
                    record,
                    Outcome.FAILED,
                    ActionRefused(
                        "it has failed in a way that was not thought of",
                        remedy=f"See what this says: {self._statement}",
                    ),
                )

    @property
    def _statement(self) -> str:
        return statement(self._asked, self._actor)

    def _drain(self) -> State:
        finished = drain(self._dsn, Drain(self._asked.object), self._tell)
        told = f"{_rows(finished.rows_moved)} moved into {finished.partitions_made:,} new partitions"
        if not finished.partitions_made:
            told = "there was nothing to move"
        if finished.rows_staying:
            told += f", {_rows(finished.rows_staying)} left where they were"
        if finished.partitions_made:
            told += f"; locked for {finished.locked_ms:,.0f} ms at most"
        self._desk.note(self._number, line=told)
        return State.LEFT if finished.rows_staying else State.DONE

    def _maintain(self) -> State:
        self._desk.note(self._number, step="maintaining")
        with (
            explained(f"could not maintain {self._asked.object}", RepairFailed),
            connect(self._dsn) as connection,
        ):
            connection.autocommit = True
            connection.add_notice_handler(
                lambda notice: self._desk.note(self._number, line=notice.message_primary or "")
            )
            self._connection = connection
            try:
                if self._is_cancelled.is_set():
                    raise Cancelled
                connection.execute("call partwarden.maintain(%s::text)", (self._asked.object,))
            finally:
                self._connection = None
        return State.DONE

    def _tell(self, event: Event) -> None:
        """Note what a drain tells. Raises Cancelled between two of its steps, where somebody wants that."""
        match event:
            case Planned(plan, resumed) if plan.intervals:
                begin = "going on with" if resumed else "moving"
                told = f"{_rows(plan.rows)} ({size(plan.bytes_to_move)}) into {len(plan.intervals):,} new partitions"
                self._desk.note(self._number, line=f"{begin} {told}, by {plan.method}: {plan.because}")
            case Step(name):
                self._desk.note(self._number, step=name, line=name)
            case Progress(step, rows, of):
                self._desk.note(self._number, step=step, done=rows, of=of)
            case Waiting(what, who):
                self._desk.note(self._number, line=f"waiting for {what}: {who}")
            case Planned() | Finished():
                return
        if self._is_cancelled.is_set():
            raise Cancelled

    def _put_on_record(
        self, outcome: Outcome, began_as: int | None = None, problem: PartwardenError | None = None
    ) -> int:
        asked = self._asked
        detail = {"statement": self._statement, "problem": None if problem is None else problem.problem}
        with connect(self._dsn, timeout=_CONNECT_SECONDS) as connection:
            return put_on_record(
                connection, self._actor, asked.kind.value, asked.object, outcome, detail=detail, began_as=began_as
            )

    def _end(self, state: State, record: int | None, outcome: Outcome, problem: PartwardenError | None = None) -> None:
        if record is not None:
            try:
                self._put_on_record(outcome, record, problem)
            except PartwardenError as failure:
                log.warning(
                    "%s of %s has ended, and that could not be put on record", self._asked.kind, self._asked.object
                )
                self._desk.note(self._number, line=f"its end could not be put on record: {problem_of(failure)}")
        self._desk.end(self._number, state, problem)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"
