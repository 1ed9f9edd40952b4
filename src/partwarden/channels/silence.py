"""Noticing that a server has gone without a word: its machine was switched off, or a network forgot the connection."""

from __future__ import annotations

import os
import socket

from partwarden.database import Connection

_IDLE_SECONDS = 30
_INTERVAL_SECONDS = 10
_PROBES = 3
_UNANSWERED_MILLISECONDS = 60_000


def notice_silence(connection: Connection) -> None:
    """Have the system give up a connection whose other side says nothing for a minute; by itself it may take hours."""
    with socket.socket(fileno=os.dup(connection.fileno())) as seen:
        if seen.family not in (socket.AF_INET, socket.AF_INET6):
            return
        seen.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE_SECONDS),
            ("TCP_KEEPINTVL", _INTERVAL_SECONDS),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", _UNANSWERED_MILLISECONDS),
        ):
            option = getattr(socket, name, None)  # not every system has all of them
            if option is not None:
                seen.setsockopt(socket.IPPROTO_TCP, option, value)
