"""All that protects a page, put together: routes and middleware for the application, from one protection."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from partwarden.web.access.attempts import Attempts
from partwarden.web.access.gate import Gate
from partwarden.web.access.headers import StrictHeaders
from partwarden.web.access.hosts import KnownHosts
from partwarden.web.access.logging_in import LoggingIn
from partwarden.web.access.protection import Protection, ProxyLogin
from partwarden.web.access.proxies import TrustedProxies
from partwarden.web.access.refusal import InWords
from partwarden.web.access.sessions import Sessions
from partwarden.web.acts.acting import Acting
from partwarden.web.acts.works import Works


class Safeguard:
    """What an application is given as ``more_routes`` and ``middleware``; ``close`` ends what goes on in the background.

    ``databases`` are connection strings by the names that pages call them by. ``now`` is in seconds since 1970.
    """

    def __init__(
        self, protection: Protection, databases: Mapping[str, str], *, now: Callable[[], float] = time.time
    ) -> None:
        sessions, attempts = Sessions(protection, now), Attempts(now)
        self.works = Works(now)
        self.routes: tuple[BaseRoute, ...] = (
            *LoggingIn(protection, sessions, attempts).routes,
            *Acting(protection, self.works, databases).routes,
        )
        header = protection.login.header if isinstance(protection.login, ProxyLogin) else None
        self.middleware: tuple[Middleware, ...] = (
            Middleware(TrustedProxies, protection.trusted_proxies, header),
            Middleware(StrictHeaders),
            Middleware(InWords),
            Middleware(KnownHosts, protection.host_names),
            Middleware(Gate, protection, sessions, attempts),
        )

    def close(self) -> None:
        """Cancel what goes on, and wait a moment for its end."""
        self.works.close()
