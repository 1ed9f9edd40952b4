"""Work in threads that nobody has to wait for: so many at a time, and whoever hangs holds up neither others nor the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Lane:
    """So many at a time. What takes longer than ``patience`` seconds goes on, and its place is free for the next."""

    def __init__(self, places: int, *, patience: float | None = None) -> None:
        self._places = asyncio.Semaphore(places)
        self._patience = patience

    async def run(self, begin: Callable[[], asyncio.Future[Answer]]) -> Answer:
        """What comes of what ``begin`` begins, or has begun already, when there is a place; it goes on if nobody waits."""
        await self._enter()
        try:
            begun = begin()
            await asyncio.wait((begun,), timeout=self._patience)
        finally:
            self._places.release()
        return await asyncio.shield(begun)

    async def _enter(self) -> None:
        await self._places.acquire()


class NoPlace(Exception):
    """There was no place in a lane, or not soon enough; nothing was begun."""


class ShortLane(Lane):
    """A lane in which nobody waits for long: who finds ``most`` others waiting, or waits ``longest`` seconds, is sent away."""

    def __init__(self, places: int, *, patience: float | None = None, most: int, longest: float) -> None:
        super().__init__(places, patience=patience)
        self._most = most
        self._longest = longest
        self._waiting = 0

    async def _enter(self) -> None:
        """Raises NoPlace."""
        if self._waiting >= self._most:
            raise NoPlace
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest):
                await self._places.acquire()
        except TimeoutError:
            raise NoPlace from None
        finally:
            self._waiting -= 1


def in_thread(work: Callable[[], Answer]) -> asyncio.Future[Answer]:
    """Do it in a thread of its own, which the end of the program does not wait for, as it would for those of a pool."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def tell(settle: Callable[[Any], None], outcome: Any) -> None:
        if not answer.done():
            settle(outcome)

    def run() -> None:
        settle: Callable[[Any], None]
        outcome: Any
        try:
            settle, outcome = answer.set_result, work()
        except StopIteration as failure:  # of a bug: a future does not take it, and the wait would have no end
            settle, outcome = answer.set_exception, RuntimeError(f"{failure!r} was raised")
            outcome.__cause__ = failure
        except BaseException as failure:  # noqa: BLE001 - it is raised where the answer is waited for
            settle, outcome = answer.set_exception, failure
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, settle, outcome)

    threading.Thread(target=run, name="look", daemon=True).start()
    return answer
