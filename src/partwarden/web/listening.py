"""The server that the pages are behind, as little talkative as it can be."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

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
