"""A sign of life: what takes longer than a second says what it is at, until it is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_SECONDS = 1.0


@contextmanager
def waiting(messages: Console, what: str) -> Iterator[None]:
    """Show ``what`` in a terminal from the first second on, as long as the block lasts; a log stays without it."""
    if messages.quiet or not messages.is_terminal:
        yield
        return
    from rich.status import Status

    status = Status(what, console=messages)
    timer = threading.Timer(_SECONDS, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()
