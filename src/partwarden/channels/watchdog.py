"""Ends a session whose server has ceased to answer though its network does: only from outside can that be noticed."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from partwarden.database import Connection


class Watchdog:
    """Knows for how long one thread has been at work with its session; any other thread may ask, and cut it off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._since: float | None = None

    @contextmanager
    def over(self, connection: Connection) -> Iterator[None]:
        """This is the session, as long as the block lasts."""
        with self._lock:
            self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        try:
            yield
        finally:
            with self._lock:
                self._socket.close()
                self._socket = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is done in the block is no pause, and comes to an end in time."""
        with self._lock:
            self._since = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._since = None

    def cut(self, seconds: float) -> bool:
        """Cut the session off that has been at work for longer than that; whether there was one."""
        with self._lock:
            if self._socket is None or self._since is None or time.monotonic() - self._since < seconds:
                return False
            self._since = None
            with suppress(OSError):  # it has gone already
                self._socket.shutdown(socket.SHUT_RDWR)
            return True
