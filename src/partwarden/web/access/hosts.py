"""Under which names a page answers: a page of somebody else's, whose name leads here, must not read it (DNS rebinding)."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from partwarden.web.access.refusal import refuse

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)

OPEN = "/healthz"
"""Who asks whether the process is alive may know nothing but its address."""


class KnownHosts:
    """Answers only what was sent to one of ``names``, at any port; all else is refused in words."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower().strip("[]").rstrip(".") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""
        if scope["type"] in ("http", "websocket") and scope["path"] != OPEN and not self._is_known(scope):
            await refuse(
                scope, receive, send, 400,
                "This page does not answer under the name that it was asked for by.",
                "Use the address that partwarden serve was started for, or start it with --host-name and this name.",
            )  # fmt: skip
            return
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        hosts = Headers(scope=scope).getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        return name is not None and name in self._names


def host_name(host: str) -> str | None:
    """The name in a ``Host`` header, in small letters and without port; None where it is none."""
    found = _HOST.fullmatch(host.strip())
    return None if found is None else found[1].lower().strip("[]").rstrip(".")
