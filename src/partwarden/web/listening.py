"""The server that the pages are behind, as little talkative as it can be."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from partwarden.errors import CouldNotListen

_SECONDS_TO_END = 5


def listening(
    application: ASGIApp, *, host: str, port: int, certificate: Path | None = None, key: Path | None = None
) -> uvicorn.Server:
    """A server for ``application``; ``run()`` listens until it is interrupted.

    It writes no line a request, for what is asked may hold what is nobody's concern; what proxies say is for
    ``TrustedProxies`` to judge.
    """
    return uvicorn.Server(
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
        )
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
        yield made
