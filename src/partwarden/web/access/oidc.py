"""Who somebody is, as a provider of OpenID Connect says it: authorization code and PKCE, by Authlib.

https://openid.net/specs/openid-connect-core-1_0.html
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from partwarden.errors import NotInstalled
from partwarden.web.access.protection import OidcLogin

log = logging.getLogger(__name__)

_SCOPE = "openid email profile"
_SECONDS = 10
_SAFE_ALGORITHMS = frozenset(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {"EdDSA"}
"""Signatures that need the provider's own key."""


class Refused(Exception):
    """Somebody could not be logged in: in words for them, and the status of the answer."""

    def __init__(self, problem: str, remedy: str, status: int = 400) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.status = status


@dataclass(frozen=True)
class Who:
    """Whom the provider has named, and the groups that it says they belong to."""

    name: str
    groups: tuple[str, ...]


class Provider:
    """One provider, asked for what it can do when somebody logs in first. Raises NotInstalled without Authlib."""

    def __init__(self, login: OidcLogin) -> None:
        try:
            with warnings.catch_warnings():  # of what it is built on: nothing that anybody here could do
                warnings.simplefilter("ignore", DeprecationWarning)
                import authlib.deprecate  # type: ignore[import-untyped]

                warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
                from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]
        except ImportError:
            raise NotInstalled(
                "a login by OpenID Connect needs Authlib, which is not installed",
                remedy="pip install 'partwarden[oidc]'",
            ) from None
        self._login = login
        self._client: Any = OAuth().register(
            name="provider",
            client_id=login.client_id,
            client_secret=login.client_secret.value if login.client_secret is not None else None,
            server_metadata_url=f"{login.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": _SCOPE,
                "code_challenge_method": "S256",
                "timeout": _SECONDS,
                "token_endpoint_auth_method": "none" if login.client_secret is None else "client_secret_basic",
            },
        )

    @property
    def shown(self) -> str:
        """What the provider is called on the page to log in on."""
        return urlsplit(self._login.issuer).netloc

    async def ask(self, callback: str) -> tuple[str, dict[str, Any]]:
        """The address that asks them who they are, and what has to be kept until they come back. Raises Refused."""
        await self._know()
        kept = await self._client.create_authorization_url(callback)
        return kept["url"], {**{name: kept[name] for name in ("state", "nonce", "code_verifier")}, "callback": callback}

    async def answered(self, request: Request, kept: Mapping[str, Any]) -> Who:
        """Who it is, from the answer that they bring along. Raises Refused."""
        told = request.query_params
        if not kept or told.get("state") != kept.get("state"):
            raise Refused("This login was not begun here, or it took too long.", "Log in again.")
        if "error" in told or "code" not in told:
            log.warning("%s did not log somebody in", self.shown)
            raise Refused(f"{self.shown} has not logged you in.", "Log in again, as somebody whom it knows.", 403)
        await self._know()
        claims = await self._claims(told["code"], kept)
        name = claims.get(self._login.claim)
        if self._login.claim == "email" and claims.get("email_verified") not in (True, "true"):
            raise Refused(
                f"{self.shown} does not say that your e-mail address is yours (email_verified).",
                "Have it confirm the address; or whoever runs this page names another claim by --oidc-claim.",
                403,
            )
        groups = claims.get("groups")
        listed = tuple(each for each in groups if isinstance(each, str)) if isinstance(groups, list) else ()
        return Who(name if isinstance(name, str) else "", listed)

    async def _know(self) -> None:
        """Ask the provider what it can do, once, and see that it is the one that was meant."""
        import httpx

        try:
            metadata = await self._client.load_server_metadata()
        except (httpx.HTTPError, ValueError) as failure:
            raise self._not_there(failure) from None
        if str(metadata.get("issuer", "")).rstrip("/") != self._login.issuer.rstrip("/"):
            self._client.server_metadata.clear()
            raise Refused(
                f"{self.shown} calls itself otherwise than it was called.",
                "Whoever runs this page looks at the issuer in its openid-configuration, and gives that to --oidc-issuer.",
                502,
            )
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [each for each in offered if each in _SAFE_ALGORITHMS]

    async def _claims(self, code: str, kept: Mapping[str, Any]) -> Mapping[str, Any]:
        import httpx
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
        from joserfc.errors import JoseError

        try:
            token = await self._client.fetch_access_token(
                redirect_uri=kept["callback"], code=code, code_verifier=kept["code_verifier"]
            )
            if "id_token" not in token:
                raise Refused(f"{self.shown} has not said who you are.", "Log in again.", 502)
            claims = await self._client.parse_id_token(
                token,
                nonce=kept["nonce"],
                claims_options={
                    "iss": {"essential": True, "value": self._client.server_metadata["issuer"]},
                    "aud": {"essential": True, "value": self._login.client_id},
                },
            )
            if self._login.claim not in claims and "userinfo_endpoint" in self._client.server_metadata:
                more = await self._client.userinfo(token=token)
                if more.get("sub") == claims["sub"]:
                    return {**more, **claims}
        except (AuthlibBaseError, JoseError, httpx.HTTPStatusError) as failure:
            log.warning("%s: %s", self.shown, type(failure).__name__)  # its text may hold a code or a token
            raise Refused(f"What {self.shown} says can't be believed.", "Log in again.", 403) from None
        except (httpx.HTTPError, ValueError) as failure:
            raise self._not_there(failure) from None
        return dict(claims)

    def _not_there(self, failure: Exception) -> Refused:
        log.warning("%s could not be asked: %s", self.shown, type(failure).__name__)
        return Refused(f"{self.shown} could not be asked.", "Try again in a moment.", 502)
