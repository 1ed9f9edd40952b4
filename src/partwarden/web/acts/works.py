"""What goes on in the background: drains and maintenance that were begun on a page, one at a time for each set.

Each can be cancelled; then nothing is lost, as with Ctrl-C on the command line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from partwarden.errors import ActionRefused, PartwardenError
from partwarden.web.acts.actions import Asked, statement
from partwarden.web.acts.work import State, Work
from partwarden.web.acts.worker import Worker

log = logging.getLogger(__name__)

_MOST_AT_A_TIME = 4
_MOST_KEPT = 50
_MOST_LINES = 200
_SECONDS_TO_END = 10


class Works:
    """All of them: those that go on, and the last that have ended. Threads and pages share it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._changing = threading.Lock()
        self._works: dict[int, Work] = {}
        self._threads: dict[int, Worker] = {}
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
            thread = Worker(self, work.number, dsn, asked, actor)
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


def _more(lines: tuple[str, ...], line: str) -> tuple[str, ...]:
    return (*lines, line)[-_MOST_LINES:]
