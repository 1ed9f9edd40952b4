"""The newest survey of every database, taken at an interval, however many people look at it.

A database is asked once at a time, once an interval, and only while somebody looks: when nobody has the page open, and no
page nor scrape was asked for in ``rest_after`` seconds, nothing is asked until somebody comes back. What a page wants beyond
the survey is asked for once for each survey as well, and of one database not more than two things at a time (``Watch.ask``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from partwarden.errors import PartwardenError
from partwarden.findings import Report
from partwarden.health import Question, Target
from partwarden.survey import Survey, survey
from partwarden.web.watch.lanes import Lane, NoPlace, ShortLane, in_thread

log = logging.getLogger(__name__)

_AT_A_TIME = 8
_SLOW_AT_A_TIME = 32
"""Those that were slow last time wait for a server or a network, most of them; they have places of their own."""
_PATIENCE = 2.0
"""Who takes longer than so many seconds is slow, and gives its place to the next."""
_SOONER = 3.0
"""Who could not be asked is asked again as if that had taken no longer than so, counted from when it was given up: after a
minute, where a look takes a twentieth."""
_LONGEST_PAUSE = 600.0
"""However long a look takes, one is taken every ten minutes."""
_ASKED_AT_A_TIME = 2
"""So many pages at a time ask one database for what is beyond the survey."""
_MOST_WAITING = 30
_LONGEST_WAIT = 4.0
"""Who would wait longer than so many seconds for their turn, or behind so many others, is told so instead."""
_HANGS = 60.0
"""What was not answered in so many seconds, three times what a server is given for it, is not counted any more."""
_MOST_ANSWERS = 256
_OFTEN = 2.0
"""Nobody is told of changes more often than once in so many seconds: of a thousand databases one changes all the time."""
_SPREAD = 0.5
_SPREAD_EACH = 0.01
"""Who is told asks for the page anew. Of many each is told so much later that not all ask in the same moment."""
_HEARTBEAT = 15.0
"""A stream that has nothing to say says so, for whoever would take it for dead."""
_BUG = "this is a bug of partwarden; what happened is in the log of partwarden serve"

Answer = TypeVar("Answer")


def _lane_of_questions() -> ShortLane:
    return ShortLane(_ASKED_AT_A_TIME, patience=_HANGS, most=_MOST_WAITING, longest=_LONGEST_WAIT)


@dataclass
class _Watched:
    """A database, and what is known of it; ``version`` counts its surveys.

    ``due_at`` is when it may be looked at again, by the monotonic clock; ``turn`` waits for a place for the first look.
    """

    target: Target
    newest: Survey | None = None
    version: int = 0
    due_at: float = float("-inf")
    is_slow: bool = False
    looking: asyncio.Task[None] | None = field(default=None, repr=False)
    turn: asyncio.Task[None] | None = field(default=None, repr=False)
    lane: ShortLane = field(default_factory=_lane_of_questions, repr=False)


@dataclass(frozen=True)
class _Asked:
    """An answer, or the wait for it, and after how many surveys of the database it was asked for."""

    version: int
    answer: asyncio.Task[Any] = field(repr=False)


class UnknownDatabase(LookupError):
    """Nobody watches a database of that name."""


class TooMuchAsked(PartwardenError):
    """So much is being asked of a database that the next question would wait for long. ``pause`` is for how many seconds."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} answers slowly, and others wait for it already: this was not asked",
            remedy="load the page again in a few seconds; partwarden check says whether the database is well",
        )
        self.pause = round(_LONGEST_WAIT)


class AboutToEnd(PartwardenError):
    """The program ends before a database has answered."""


class Watch:
    """Watches ``targets``, each at most once in ``interval`` seconds; every target has a name of its own.

    ``timeout`` is for how many seconds one of them may take. When nobody looks for ``rest_after`` seconds, none is asked.
    Looks take no more than a ``share`` of a database's time.
    ``note`` is told of each survey. ``streams`` is how many people hold ``changes``.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        interval: float,
        timeout: float = 60,
        rest_after: float = 300,
        share: float = 1.0,
        note: Callable[[Survey], None] = lambda _: None,
    ) -> None:
        self.interval = interval
        self._rest_after = rest_after
        self._share = share
        self._note = note
        self._question = Question(timeout=timeout)
        self._watched = {target.name or "": _Watched(target) for target in targets}
        self._answers: OrderedDict[tuple[str, Hashable], _Asked] = OrderedDict()
        self._version = 0
        self._has_news = asyncio.Event()
        self._told = asyncio.Condition()
        self._ending = asyncio.Event()
        self.streams = 0
        self._somebody = asyncio.Event()
        self._seen_at = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lane = Lane(_AT_A_TIME, patience=_PATIENCE)
        self._lane_of_the_slow = Lane(_SLOW_AT_A_TIME)
        self._lane_of_pages = Lane(_AT_A_TIME, patience=_PATIENCE)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch as long as the block lasts. What is still being asked at its end is not waited for."""
        self._loop = asyncio.get_running_loop()
        self.look()
        tasks = [asyncio.create_task(self._follow(each)) for each in self._watched.values()]
        tasks.append(asyncio.create_task(self._tell()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def rests(self) -> bool:
        """Whether nobody has looked for so long that nothing is asked."""
        return not self.streams and time.monotonic() - self._seen_at > self._rest_after

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
        """Counts the surveys of a database; of all, how often there was news to tell. Raises UnknownDatabase."""
        return self._version if name is None else self._of(name).version

    async def first(self, name: str) -> Survey:
        """The newest survey of a database; waits for the first, which is its turn now.

        Raises UnknownDatabase, and AboutToEnd.
        """
        self.look()
        watched = self._of(name)
        while watched.newest is None:
            await self._unless_it_ends(self._first_look(watched))
        return watched.newest

    def _first_look(self, watched: _Watched) -> asyncio.Task[None]:
        """The look that is being taken, or the wait for a place: one for all who wait for the database."""
        if watched.looking is not None and not watched.looking.done():
            return watched.looking
        if watched.turn is None or watched.turn.done():
            watched.turn = asyncio.create_task(self._lane_of_pages.run(partial(self._begin, watched)))
        return watched.turn

    async def changes(self, name: str | None = None) -> AsyncGenerator[int | None, None]:
        """The version each time there is a newer survey, of a database or of any; None where there was none for a while.

        Ends with ``end``. Raises UnknownDatabase.
        """
        seen = self.version(name)
        self.streams += 1
        self.look()
        try:
            while not self._ending.is_set():
                try:
                    async with asyncio.timeout(_HEARTBEAT), self._told:
                        while self.version(name) == seen and not self._ending.is_set():
                            await self._told.wait()
                except TimeoutError:
                    yield None
                    continue
                await asyncio.sleep(random.uniform(0, min(_SPREAD, _SPREAD_EACH * self.streams)))  # noqa: S311
                if not self._ending.is_set():
                    seen = self.version(name)
                    yield seen
        finally:
            self.streams -= 1
            self.look()

    async def end(self) -> None:
        """The program is about to end: end every ``changes``, and every wait for a database."""
        self._ending.set()
        async with self._told:
            self._told.notify_all()

    async def ask(self, name: str, what: Hashable, question: Callable[[str], Answer]) -> Answer:
        """What ``question`` answers of a database's DSN, asked once for each survey, whoever wants to know.

        What fails is asked again when somebody wants to know again. Raises what it raises, to all who wait for it,
        UnknownDatabase, TooMuchAsked, and AboutToEnd.
        """
        watched = self._of(name)
        key = (name, what)
        asked = self._answers.get(key)
        if asked is None or (asked.answer.done() and asked.version != watched.version):
            asked = _Asked(watched.version, asyncio.create_task(self._question_to(watched, question)))
            self._answers[key] = asked
            self._answers.move_to_end(key)
            while len(self._answers) > _MOST_ANSWERS:
                self._answers.popitem(last=False)
            asked.answer.add_done_callback(partial(self._heed, key, asked))
        answer: Answer = await self._unless_it_ends(asked.answer)
        return answer

    async def _question_to(self, watched: _Watched, question: Callable[[str], Answer]) -> Answer:
        """Its answer, in one of the places that the database has for pages, and in one of those that there are for all."""

        def begin() -> asyncio.Task[Answer]:
            begin_thread = partial(in_thread, partial(question, watched.target.dsn))
            return asyncio.create_task(self._lane_of_pages.run(begin_thread))

        try:
            return await watched.lane.run(begin)
        except NoPlace:
            raise TooMuchAsked(watched.target.name or "this database") from None

    def _heed(self, key: tuple[str, Hashable], asked: _Asked, answer: asyncio.Task[Any]) -> None:
        """Keep no failure; whoever asked may have left."""
        if (answer.cancelled() or answer.exception() is not None) and self._answers.get(key) is asked:
            del self._answers[key]

    async def _unless_it_ends(self, answer: asyncio.Task[Answer]) -> Answer:
        """What comes of it; it goes on if nobody waits any longer."""
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait((answer, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
        if not answer.done():
            raise AboutToEnd(
                "partwarden serve was ended before the database answered", remedy="load the page when it runs again"
            )
        return answer.result()

    def forget(self, name: str) -> None:
        """Somebody has changed something in a database: what was asked before is out of date."""
        for key in [key for key in self._answers if key[0] == name]:
            del self._answers[key]

    async def _follow(self, watched: _Watched) -> None:
        while True:
            await self._awake()
            lane = self._lane_of_the_slow if watched.is_slow else self._lane
            await lane.run(partial(self._begin, watched))
            await asyncio.sleep(max(watched.due_at - time.monotonic(), 0))

    def _begin(self, watched: _Watched) -> asyncio.Task[None]:
        """The survey that is being taken; else a new one, unless it is not time for that."""
        if watched.looking is None or (watched.looking.done() and time.monotonic() >= watched.due_at):
            watched.looking = asyncio.create_task(self._take(watched))
        return watched.looking

    async def _take(self, watched: _Watched) -> None:
        name = watched.target.name or ""
        began = time.monotonic()
        try:
            newest = await in_thread(partial(self._survey, watched.target))
            self._note(newest)
        except Exception:
            log.exception("database %s could not be looked at", name)
            newest = Survey(name, datetime.now(UTC), Report(name, error=_BUG), unseen=_BUG)
        ended = time.monotonic()
        took = ended - began
        watched.is_slow = took > _PATIENCE
        watched.due_at = (
            began + self._pause(took) if newest.report.error is None else ended + self._pause(min(took, _SOONER))
        )
        watched.newest = newest
        watched.version += 1
        self._forget_answers(name)
        self._has_news.set()

    def _forget_answers(self, name: str) -> None:
        """Nobody is given what was answered before the newest survey."""
        for key in [key for key, asked in self._answers.items() if key[0] == name and asked.answer.done()]:
            del self._answers[key]

    def _pause(self, took: float) -> float:
        """From one look at a database to the next: the interval, or longer where a look takes long."""
        return max(self.interval, min(took / self._share, _LONGEST_PAUSE))

    def _survey(self, target: Target) -> Survey:
        question = Question(timeout=self._question.timeout, thresholds=target.thresholds)
        return survey(target.dsn, question, name=target.name)

    async def _tell(self) -> None:
        """Tell everybody who waits for it that there are newer surveys, all at once."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            self._version += 1
            async with self._told:
                self._told.notify_all()
            await asyncio.sleep(_OFTEN)

    async def _awake(self) -> None:
        """Wait until somebody looks, where nobody has for long."""
        if self.rests:
            self._somebody.clear()
            await self._somebody.wait()

    def _of(self, name: str) -> _Watched:
        try:
            return self._watched[name]
        except KeyError:
            raise UnknownDatabase(name) from None
