"""Waiting for a condition with a deadline, never for a while; and for what goes on in another thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = 30) -> None:
    """Return as soon as ``condition`` holds; fail with ``what`` was waited for when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.05)


def run_apart(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What a coroutine returns, in a thread of its own: the browser of other tests may hold a loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()
