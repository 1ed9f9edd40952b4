"""A provider of OpenID Connect on 127.0.0.1, as far as a page needs one: it knows one person at a time, and asks nothing."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from partwarden.web.listening import listening
from tests.waiting import wait_until

CLIENT_ID = "partwarden"
CLIENT_SECRET = "the client's secret"


@dataclass
class Provider:
    """What it says next: of whom, and signed by which key. ``instead`` replaces claims of the token."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    known_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    signing_key: ECKey | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def is_about(self, email: str, *groups: str, verified: bool = True) -> None:
        """Whom it knows from now on."""
        self.claims = {"email": email, "email_verified": verified, "groups": list(groups)}
        self.instead, self.error, self.signing_key = {}, None, None

    async def describe(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["ES256", "none", "HS256"],
            }
        )

    async def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.known_key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert asked["code_challenge_method"] == "S256"
        answer = {"state": asked["state"]}
        if self.error is not None:
            answer |= {"error": self.error, "error_description": "<script>alert(1)</script>"}
        else:
            code = secrets.token_urlsafe(8)
            self.asked[code] = asked
            answer |= {"code": code}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=303)

    async def token(self, request: Request) -> Response:
        async with request.form() as form:
            fields = {name: str(value) for name, value in form.items()}
        given = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {given}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self.asked.pop(fields["code"], None)
        verifier = hashlib.sha256(fields["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != fields["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "1", "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": asked["nonce"],
            **self.claims, **self.instead,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256", "kid": "1"}, claims, self.signing_key or self.known_key)
        return JSONResponse({"access_token": "access", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    async def user(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer access"
        return JSONResponse({"sub": "1", **self.userinfo})


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that runs as long as the block lasts."""
    made = Provider()
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", made.describe),
            Route("/keys", made.keys),
            Route("/authorize", made.authorize),
            Route("/token", made.token, methods=["POST"]),
            Route("/userinfo", made.user),
        ]
    )
    server = listening(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the provider listens")
        made.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield made
    finally:
        server.should_exit = True
        thread.join(10)
