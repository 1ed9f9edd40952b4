"""What protects a page, as it was asked for: who may look, how they are known, who may act, which names it has."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

from partwarden.web.access.person import EVERYBODY, Circle
from partwarden.web.access.secret import Secret

Network: TypeAlias = IPv4Network | IPv6Network

SESSION_SECONDS = 12 * 60 * 60


@dataclass(frozen=True)
class NoLogin:
    """Whoever reaches the address may look: for loopback only. ``name`` is whom the record names for what they do."""

    name: str


@dataclass(frozen=True)
class TokenLogin:
    """Whoever knows the token may look; they say themselves what they are called."""

    token: Secret


@dataclass(frozen=True)
class OidcLogin:
    """A provider of OpenID Connect says who they are: by ``claim``, and by the list ``groups`` where there is one."""

    issuer: str
    client_id: str
    client_secret: Secret | None = None
    claim: str = "email"


@dataclass(frozen=True)
class ProxyLogin:
    """A reverse proxy says who they are, in ``header``; only the trusted ones are believed."""

    header: str


Login: TypeAlias = NoLogin | TokenLogin | OidcLogin | ProxyLogin


@dataclass(frozen=True)
class Protection:
    """All of it. ``host_names`` are those, without port, that the page answers to; ``public_url`` is how people reach it.

    ``session_key`` signs cookies: a new one ends every session. ``session_seconds`` is how long a login lasts.
    """

    login: Login
    lookers: Circle = EVERYBODY
    actors: Circle = EVERYBODY
    allow_actions: bool = False
    host_names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    public_url: str | None = None
    trusted_proxies: Sequence[Network] = ()
    metrics_token: Secret | None = None
    open_metrics: bool = False
    session_key: bytes = field(repr=False, default_factory=lambda: secrets.token_bytes(32))
    session_seconds: int = SESSION_SECONDS
    port: int = 0

    @property
    def asks_who_it_is(self) -> bool:
        """Whether there is a page to log in on."""
        return isinstance(self.login, TokenLogin | OidcLogin)

    def fingerprint(self) -> str:
        """What a session rests on: where it differs, what was signed before holds no longer."""
        match self.login:
            case TokenLogin(token):
                rests_on = ["token", token.digest.hex()]
            case OidcLogin(issuer, client_id, _, claim):
                rests_on = ["oidc", issuer, client_id, claim]
            case ProxyLogin(header):
                rests_on = ["proxy", header]
            case NoLogin(name):
                rests_on = ["none", name]
        all_of_it = [rests_on, self.lookers.patterns, self.actors.patterns, self.allow_actions]
        return hashlib.sha256(json.dumps(all_of_it).encode()).hexdigest()
