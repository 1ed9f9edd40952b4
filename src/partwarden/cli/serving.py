"""Options of ``partwarden serve`` that say where it listens, who may look, and who may act."""

# No annotations from __future__: a class in another module that inherits options would have to know their names.
import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter
from cyclopts.validators import Number

if TYPE_CHECKING:
    from partwarden.web.access.protection import Protection

TOKEN_VARIABLE = "PARTWARDEN_WEB_TOKEN"  # noqa: S105 - a variable's name
CLIENT_SECRET_VARIABLE = "PARTWARDEN_OIDC_CLIENT_SECRET"  # noqa: S105

_LISTENING = Group("Where it listens", sort_key=50)
_LOOKING = Group("Who may look", sort_key=51)
_ACTING = Group("Who may act", sort_key=52)


@Parameter(name="*")
@dataclass(frozen=True)
class Safety:
    """Where the page listens, who may look, and who may act."""

    host: Annotated[
        str, Parameter(group=_LISTENING, help="The address to listen on. Beyond this machine a login is needed.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Parameter(group=_LISTENING, help="The port to listen on.", validator=Number(gte=0, lt=65536))
    ] = 8432
    host_name: Annotated[
        tuple[str, ...],
        Parameter(
            group=_LISTENING,
            metavar="NAME",
            help="A name that the page answers to, besides this machine's own; several: again.",
        ),
    ] = ()
    public_url: Annotated[
        str | None,
        Parameter(
            group=_LISTENING, metavar="URL", help="How people reach it, where a proxy stands before it: https://…"
        ),
    ] = None
    tls_certificate: Annotated[
        Path | None, Parameter(group=_LISTENING, help="Answer by https, with this certificate and its chain, as PEM.")
    ] = None
    tls_key: Annotated[Path | None, Parameter(group=_LISTENING, help="The certificate's key, as PEM.")] = None
    trusted_proxy: Annotated[
        tuple[str, ...],
        Parameter(
            group=_LISTENING,
            metavar="CIDR",
            help="Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; several: again.",
        ),
    ] = ()
    token_file: Annotated[
        Path | None,
        Parameter(
            group=_LOOKING,
            help=f"Ask for the token in this file, which only you can read; or for the one in {TOKEN_VARIABLE}.",
        ),
    ] = None
    oidc_issuer: Annotated[
        str | None,
        Parameter(group=_LOOKING, metavar="URL", help="Have this provider of OpenID Connect say who somebody is."),
    ] = None
    oidc_client_id: Annotated[
        str | None, Parameter(group=_LOOKING, metavar="ID", help="What the provider calls this page.")
    ] = None
    oidc_client_secret_file: Annotated[
        Path | None,
        Parameter(
            group=_LOOKING,
            help=f"The secret that the provider has given to this page; or the one in {CLIENT_SECRET_VARIABLE}.",
        ),
    ] = None
    oidc_claim: Annotated[
        str,
        Parameter(group=_LOOKING, metavar="NAME", help="What the provider says that people are known here by."),
    ] = "email"
    trust_header: Annotated[
        str | None,
        Parameter(
            group=_LOOKING,
            metavar="NAME",
            help="Have a reverse proxy say in this header who somebody is: one of those named with --trusted-proxy.",
        ),
    ] = None
    allow_people: Annotated[
        tuple[str, ...],
        Parameter(
            group=_LOOKING,
            metavar="PATTERN",
            help="Who may look: 'anna@example.com', '*@example.com', 'group:dba', '*' for everybody; several: again.",
        ),
    ] = ()
    session_key_file: Annotated[
        Path | None,
        Parameter(group=_LOOKING, help="Sign sessions with the key in this file, so that a restart does not end them."),
    ] = None
    metrics_token_file: Annotated[
        Path | None, Parameter(group=_LOOKING, help="The token in this file opens /metrics, and nothing else.")
    ] = None
    open_metrics: Annotated[bool, Parameter(group=_LOOKING, help="Show /metrics to whoever asks.", negative=())] = False
    allow_actions: Annotated[
        bool,
        Parameter(
            group=_ACTING,
            negative=(),
            help="Let people acknowledge and silence incidents, drain sets and maintain them.",
        ),
    ] = False
    allow_actors: Annotated[
        tuple[str, ...],
        Parameter(
            group=_ACTING,
            metavar="PATTERN",
            help="Who of those that may look may act, as for --allow-people; several: again. [at first: all of them]",
        ),
    ] = ()

    @property
    def is_on_loopback(self) -> bool:
        """Whether nobody reaches it but from this machine."""
        return is_this_machine(self.host)

    def address_at(self, port: int) -> str:
        """How people reach it, where it listens on ``port``."""
        if self.public_url is not None:
            return self.public_url.rstrip("/") + "/"
        host = self.host_name[0] if self.host_name else self.host.strip("[]")
        scheme = "http" if self.tls_certificate is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"

    @property
    def is_in_clear(self) -> bool:
        """Whether a login would cross a network unencrypted, as far as can be known."""
        is_https = self.tls_certificate is not None or (self.public_url or "").startswith("https://")
        return not self.is_on_loopback and not is_https

    def protection(self) -> "Protection":
        """All that protects the page. Raises BadOption for what leaves it open, or contradicts itself."""
        from partwarden.cli.protecting import protection_of  # takes what only an extra brings

        return protection_of(self, os.environ)


def is_this_machine(host: str) -> bool:
    """Whether an address, or a name, leads to nothing but this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


SAFETY = Safety()
