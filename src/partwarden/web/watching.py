"""The newest survey of every database, taken at an interval, however many people look at it.

A database is asked by one thread at a time, once an interval, and only while somebody looks: nobody who has the page open, and
no scrape, for ``_REST_AFTER`` seconds, and nothing is asked until somebody comes back. What a page wants beyond the survey is
asked for once an interval as well (``Watch.ask``).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from partwarden.health import Question, Target
from partwarden.survey import Survey, survey

_THREADS = 8
_THREADS_FOR_MORE = 4
_REST_AFTER = 300.0
_MOST_ANSWERS = 256
_OFTEN = 2.0
"""Nobody is told of changes more often than once in so many seconds: of a thousand databases one changes all the time."""
_HEARTBEAT = 15.0
"""A stream that has nothing to say says so, for whoever would take it for dead."""

Answer = TypeVar("Answer")


@dataclass
class _Watched:
    """A database, and what is known of it; ``version`` counts its surveys."""

    target: Target
    newest: Survey | None = None
    version: int = 0


@dataclass
class _Asked:
    """An answer, or the wait for it, and when it was asked for."""

    at: float
    answer: asyncio.Future[Any] = field(repr=False)


class UnknownDatabase(LookupError):
    """Nobody watches a database of that name."""


class Watch:
    """Watches ``targets``, each at most once in ``interval`` seconds; every target has a name of its own.

    ``note`` is told of each survey.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        interval: float,
        timeout: float = 60,
        note: Callable[[Survey], None] = lambda _: None,
    ) -> None:
        self.interval = interval
        self._note = note
        self._question = Question(timeout=timeout)
        self._watched = {target.name or "": _Watched(target) for target in targets}
        self._answers: OrderedDict[Hashable, _Asked] = OrderedDict()
        self._version = 0
        self._changed = asyncio.Condition()
        self._somebody = asyncio.Event()
        self._seen_at = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(min(_THREADS, len(targets)) or 1, thread_name_prefix="survey")
        self._threads_for_more = ThreadPoolExecutor(_THREADS_FOR_MORE, thread_name_prefix="page")
        self._free = asyncio.Semaphore(min(_THREADS, len(targets)) or 1)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch as long as the block lasts."""
        self._loop = asyncio.get_running_loop()
        self.look()
        tasks = [asyncio.create_task(self._follow(each)) for each in self._watched.values()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for threads in (self._threads, self._threads_for_more):
                threads.shutdown(wait=False, cancel_futures=True)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the databases, in the order in which they were given."""
        return tuple(self._watched)

    def target(self, name: str) -> Target:
        """How to get into a database. Raises UnknownDatabase."""
        return self._of(name).target

    def look(self) -> None:
        """Somebody looks: go on asking."""
        self._seen_at = time.monotonic()
        self._somebody.set()

    def newest(self, name: str) -> Survey | None:
        """The newest survey of a database, None before the first. Raises UnknownDatabase."""
        self.look()
        return self._of(name).newest

    def surveys(self) -> list[tuple[str, Survey | None]]:
        """Every database with its newest survey, None before the first."""
        self.look()
        return [(name, each.newest) for name, each in self._watched.items()]

    def latest(self) -> list[Survey]:
        """What is known of the databases now, for another thread; and somebody looks."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.look)
        return [each.newest for each in self._watched.values() if each.newest is not None]

    def version(self, name: str | None = None) -> int:
        """Counts the surveys of a database, or of all."""
        return self._version if name is None else self._of(name).version

    async def first(self, name: str) -> Survey:
        """The newest survey of a database; waits for the first."""
        while (newest := self.newest(name)) is None:
            async with self._changed:
                await self._changed.wait()
        return newest

    async def changes(self, name: str | None = None) -> AsyncIterator[int | None]:
        """The version each time there is a newer survey, of a database or of any; None where there was none for a while."""
        seen = self.version(name)
        while True:
            self.look()
            try:
                async with asyncio.timeout(_HEARTBEAT), self._changed:
                    while self.version(name) == seen:
                        await self._changed.wait()
            except TimeoutError:
                yield None
                continue
            seen = self.version(name)
            yield seen
            await asyncio.sleep(_OFTEN)

    async def ask(self, name: str, what: Hashable, question: Callable[[str], Answer]) -> Answer:
        """What ``question`` answers of a database's DSN, asked once an interval and once at a time, whoever wants to know.

        Raises what it raises, to all who wait for it.
        """
        dsn = self._of(name).target.dsn
        key = (name, what)
        asked = self._answers.get(key)
        if asked is None or (asked.answer.done() and time.monotonic() - asked.at > self.interval):
            loop = asyncio.get_running_loop()
            asked = _Asked(time.monotonic(), loop.run_in_executor(self._threads_for_more, question, dsn))
            self._answers[key] = asked
            self._answers.move_to_end(key)
            while len(self._answers) > _MOST_ANSWERS:
                self._answers.popitem(last=False)
        answer: Answer = await asyncio.shield(asked.answer)
        return answer

    def forget(self, name: str) -> None:
        """Somebody has changed something in a database: what was asked before is out of date."""
        for key in [key for key in self._answers if isinstance(key, tuple) and key[0] == name]:
            del self._answers[key]

    async def _follow(self, watched: _Watched) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._awake()
            async with self._free:
                started = time.monotonic()
                newest = await loop.run_in_executor(self._threads, self._survey, watched.target)
            watched.newest = newest
            self._note(newest)
            watched.version += 1
            self._version += 1
            async with self._changed:
                self._changed.notify_all()
            await asyncio.sleep(max(started + self.interval - time.monotonic(), 0))

    def _survey(self, target: Target) -> Survey:
        question = Question(timeout=self._question.timeout, thresholds=target.thresholds)
        return survey(target.dsn, question, name=target.name)

    async def _awake(self) -> None:
        """Wait until somebody looks, where nobody has for long."""
        if time.monotonic() - self._seen_at > _REST_AFTER:
            self._somebody.clear()
            await self._somebody.wait()

    def _of(self, name: str) -> _Watched:
        try:
            return self._watched[name]
        except KeyError:
            raise UnknownDatabase(name) from None
