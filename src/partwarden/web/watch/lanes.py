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
        async with self._places:
            begun = begin()
            await asyncio.wait((begun,), timeout=self._patience)
        return await asyncio.shield(begun)


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
        except BaseException as failure:  # noqa: BLE001 - it is raised where the answer is waited for
            settle, outcome = answer.set_exception, failure
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, settle, outcome)

    threading.Thread(target=run, name="look", daemon=True).start()
    return answer
