"""Ends a session whose server has ceased to answer though its network has not: ``statement_timeout`` is for it to keep."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from partwarden.errors import NoAnswer

GRACE = 2.0
"""When its time is over a server has so many seconds to say so itself; then it has ceased to answer."""


@contextmanager
def cut_off(connection: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Give the block so many seconds, after which the session is cut off, and whoever waits for it raises NoAnswer."""
    is_cut = threading.Event()
    with socket.socket(fileno=os.dup(connection.fileno())) as line:

        def cut() -> None:
            is_cut.set()
            with suppress(OSError):  # it has gone already
                line.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except psycopg.OperationalError:
            if not is_cut.is_set():
                raise
        else:
            return
        finally:
            timer.cancel()
            timer.join()  # the line has to be there as long as it may be cut
    # Out here: what psycopg says of a line that we have cut helps nobody.
    raise NoAnswer(
        f"no answer within {seconds:g} s, though the connection stands",
        remedy="see that the server, or the pooler before it, is not frozen",
    )
