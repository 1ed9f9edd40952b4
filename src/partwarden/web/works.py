"""What goes on in the background: drains and maintenance that were begun on a page, one at a time for each set.

Each is a thread with connections of its own. It is on record before it begins and after it has ended, tells how far it is,
and can be cancelled; then nothing is lost, as with Ctrl-C on the command line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import psycopg

from partwarden.audit import Outcome, put_on_record
from partwarden.database import Connection, connect, explained, problem_of
from partwarden.draining import Drain, Event, Finished, Planned, Progress, Step, Waiting, drain
from partwarden.errors import ActionRefused, PartwardenError, RepairFailed
from partwarden.report.amounts import size
from partwarden.web.actions import Asked, Kind, rights_missing, statement

log = logging.getLogger(__name__)

_MOST_AT_A_TIME = 4
_MOST_KEPT = 50
_MOST_LINES = 200
_SECONDS_TO_END = 10
_TRIES = 5
_PAUSE = 0.2
_CONNECT_SECONDS = 20


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


class Cancelled(PartwardenError):
    """Somebody has cancelled it."""


_CANCELLED = Cancelled("it was cancelled", remedy="Nothing is lost: a second one goes on from there.")


class _Thread:
    """One piece of work in the doing."""

    def __init__(self, works: Works, number: int, dsn: str, asked: Asked, actor: str) -> None:
        self._works = works
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
                self._end(State.CANCELLED, record, Outcome.CANCELLED, _CANCELLED)
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
        self._works.note(self._number, line=told)
        return State.LEFT if finished.rows_staying else State.DONE

    def _maintain(self) -> State:
        self._works.note(self._number, step="maintaining")
        with (
            explained(f"could not maintain {self._asked.object}", RepairFailed),
            connect(self._dsn) as connection,
        ):
            connection.autocommit = True
            connection.add_notice_handler(
                lambda notice: self._works.note(self._number, line=notice.message_primary or "")
            )
            self._connection = connection
            try:
                if self._is_cancelled.is_set():
                    raise _CANCELLED
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
                self._works.note(self._number, line=f"{begin} {told}, by {plan.method}: {plan.because}")
            case Step(name):
                self._works.note(self._number, step=name, line=name)
            case Progress(step, rows, of):
                self._works.note(self._number, step=step, done=rows, of=of)
            case Waiting(what, who):
                self._works.note(self._number, line=f"waiting for {what}: {who}")
            case Planned() | Finished():
                return
        if self._is_cancelled.is_set():
            raise _CANCELLED

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
                self._works.note(self._number, line=f"its end could not be put on record: {problem_of(failure)}")
        self._works.end(self._number, state, problem)


class Works:
    """All of them: those that go on, and the last that have ended. Threads and pages share it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._changing = threading.Lock()
        self._works: dict[int, Work] = {}
        self._threads: dict[int, _Thread] = {}
        self._last = 0

    def begin(self, dsn: str, asked: Asked, actor: str) -> Work:
        """Begin it. Raises ActionRefused where something goes on with that set, or as much as may go on at a time does."""
        with self._changing:
            going_on = [each for each in self._works.values() if not each.state.is_over]
            for each in going_on:
                if (each.asked.database, each.asked.object) == (asked.database, asked.object):
                    raise ActionRefused(
                        f"{each.actor} works on {asked.object} already: {each.asked.kind}",
                        remedy="Wait for its end, or cancel it.",
                    )
            if len(going_on) >= _MOST_AT_A_TIME:
                raise ActionRefused(
                    f"{len(going_on)} pieces of work go on, and that is the most at a time",
                    remedy="Wait for one to end.",
                )
            self._last += 1
            work = Work(self._last, asked, actor, statement(asked, actor), self._moment())
            thread = _Thread(self, work.number, dsn, asked, actor)
            self._works[work.number] = work
            self._threads[work.number] = thread
            self._forget()
        log.info("%s has begun: %s of %s in %s", actor, asked.kind, asked.object, asked.database)
        thread.thread.start()
        return work

    def cancel(self, number: int, actor: str) -> None:
        """Have it end. Raises ActionRefused where it has ended already, or never was."""
        with self._changing:
            work, thread = self._works.get(number), self._threads.get(number)
            if work is None or thread is None or work.state.is_over:
                raise ActionRefused(f"there is no work {number} that goes on", remedy="See what goes on.")
            self._works[number] = replace(
                work, state=State.CANCELLING, lines=_more(work.lines, f"cancelled by {actor}")
            )
        log.info("%s has cancelled work %s", actor, number)
        thread.cancel()

    def get(self, number: int) -> Work | None:
        """One of them as it stands now."""
        with self._changing:
            return self._works.get(number)

    def all(self) -> list[Work]:
        """All of them, the newest first."""
        with self._changing:
            return sorted(self._works.values(), key=lambda each: -each.number)

    def close(self) -> None:
        """Cancel what goes on, and wait a moment for its end."""
        with self._changing:
            threads = list(self._threads.values())
        for each in threads:
            each.cancel()
        deadline = time.monotonic() + _SECONDS_TO_END
        for each in threads:
            each.thread.join(max(deadline - time.monotonic(), 0))

    def note(
        self,
        number: int,
        *,
        line: str | None = None,
        step: str | None = None,
        done: int | None = None,
        of: int | None = None,
    ) -> None:
        """What its thread tells."""
        with self._changing:
            work = self._works[number]
            self._works[number] = replace(
                work,
                lines=work.lines if line is None else _more(work.lines, line),
                step=work.step if step is None else step,
                done=done if step is not None else work.done,
                of=of if step is not None else work.of,
            )

    def end(self, number: int, state: State, problem: PartwardenError | None) -> None:
        """That its thread has ended."""
        with self._changing:
            self._works[number] = replace(
                self._works[number],
                state=state,
                ended_at=self._moment(),
                problem=None if problem is None else problem.for_everybody,
                remedy=None if problem is None else problem.remedy,
            )
            del self._threads[number]

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _forget(self) -> None:
        over = [number for number, each in self._works.items() if each.state.is_over]
        for number in over[: max(len(self._works) - _MOST_KEPT, 0)]:
            del self._works[number]


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _more(lines: tuple[str, ...], line: str) -> tuple[str, ...]:
    return (*lines, line)[-_MOST_LINES:]
