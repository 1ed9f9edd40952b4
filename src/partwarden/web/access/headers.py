"""Headers that every answer carries, so that a browser does nothing with a page that the page does not ask for.

https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # A form's own origin has to be told, or it could not be checked; nobody else is told anything.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_YEAR = 365 * 24 * 60 * 60
_ASSETS = "/static/"


class StrictHeaders:
    """Sets them on every answer of ``app``; what the answer says of its own caching holds for assets only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer, and add them."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers[name] = value
                if scope.get("scheme") == "https":
                    headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
                _set_caching(headers, scope["path"], message["status"])
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _set_caching(headers: MutableHeaders, path: str, status: int) -> None:
    if not path.startswith(_ASSETS):
        headers["Cache-Control"] = "no-store"
    elif status in (200, 304):
        headers.setdefault("Cache-Control", "public, max-age=86400")
    else:
        headers["Cache-Control"] = "no-store"
