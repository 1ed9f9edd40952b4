"""Reverse proxies: what one that is trusted says of a request is believed, what anybody else says is taken away.

Only here is it decided who is trusted, by the address that the connection itself comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from partwarden.web.access.protection import Network

SAID = "partwarden.said_by_proxy"
"""The key of a scope under which the name stands that a trusted proxy has given, where one has."""

PASSED_ON = "partwarden.passed_on"
"""The key of a scope that tells whether somebody in between says that they have passed the request on."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip")


class TrustedProxies:
    """Believes ``X-Forwarded-For``, ``X-Forwarded-Proto`` and the header that names a person, of peers in ``trusted`` only.

    From then on nobody finds these headers in the request any more, whoever has sent them.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network], header: str | None = None) -> None:
        self._app = app
        self._trusted = tuple(trusted)
        self._header = None if header is None else header.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer what is left of the request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = dict(scope)
        scope.pop(SAID, None)
        scope[PASSED_ON] = any(name.lower().decode("latin-1") in (*_FORWARDED, "via") for name, _ in scope["headers"])
        if self._is_trusted(_address(scope["client"][0] if scope.get("client") else "")):
            self._believe(scope)
        names = {name.encode() for name in (*_FORWARDED, *([self._header] if self._header else ()))}
        # Some proxies take _ for -: such a header is not one that could be meant.
        scope["headers"] = [
            (name, value) for name, value in scope["headers"] if name.lower().replace(b"_", b"-") not in names
        ]
        await self._app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        schemes = headers.getlist("x-forwarded-proto")
        if schemes and schemes[-1].strip().lower() in ("http", "https"):
            scope["scheme"] = schemes[-1].strip().lower()
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        for hop in reversed(hops):  # whatever stands before the first that is not ours, anybody may have written
            found = _address(hop)
            if found is None:
                break
            scope["client"] = (str(found), 0)
            if not self._is_trusted(found):
                break
        if self._header is None:
            return
        said = headers.getlist(self._header)
        if len(said) == 1 and said[0].strip():  # two of them: one may be the caller's own
            scope[SAID] = _as_text(said[0].strip())

    def _is_trusted(self, peer: IPv4Address | IPv6Address | None) -> bool:
        return peer is not None and any(peer in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _as_text(value: str) -> str:
    """A header's bytes as the UTF-8 that they mostly are."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value
