"""The server that the pages are behind, as little talkative as it can be."""

from __future__ import annotations

import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from partwarden.errors import CouldNotListen

_SECONDS_TO_END = 1


async def _nothing() -> None:
    """Nobody has to be told."""


class _Server(uvicorn.Server):
    """Says that it is about to end before it waits for what is still being answered: streams go on for ever otherwise."""

    def __init__(self, config: uvicorn.Config, leaving: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._leaving = leaving

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End, and be done: uvicorn raises the signal once more, of which the program dies before all is closed."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._leaving()
        await super().shutdown(sockets)


def listening(
    application: ASGIApp,
    *,
    host: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
    leaving: Callable[[], Awaitable[None]] = _nothing,
) -> uvicorn.Server:
    """A server for ``application``; ``run()`` listens until it is interrupted.

    It writes no line a request, for what is asked may hold what is nobody's concern; what proxies say is for
    ``TrustedProxies`` to judge. ``leaving`` is called when it was interrupted; answers then have a second to come to an end.
    """
    return _Server(
        uvicorn.Config(
            application,
            host=host.strip("[]"),
            port=port,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_SECONDS_TO_END,
        ),
        leaving,
    )


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there, ``port`` 0 for a free one. Raises CouldNotListen, where somebody else does already, say."""
    address = host.strip("[]")
    try:
        made = socket.create_server(
            (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=2048
        )
    except OSError as failure:
        raise CouldNotListen(
            f"could not listen on {host} port {port}: {failure.strerror or failure}",
            remedy="--port with one that is free, 0 for any; --host with an address of this machine",
        ) from None
    with made:
        # Those that are accepted inherit it; asyncio does it only where a socket was made for TCP by name. Else the second half
        # of an answer waits until the first is acknowledged, for 40 ms.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield made
