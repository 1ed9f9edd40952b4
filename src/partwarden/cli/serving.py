"""Options of ``partwarden serve`` that say where it listens, who may look, and who may act."""

# No annotations from __future__: a class in another module that inherits options would have to know their names.
import getpass
import os
import re
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from partwarden.errors import BadOption

if TYPE_CHECKING:
    from partwarden.web.protection import Login, Network, Protection
    from partwarden.web.secret import Secret

TOKEN_VARIABLE = "PARTWARDEN_WEB_TOKEN"  # noqa: S105 - a variable's name
CLIENT_SECRET_VARIABLE = "PARTWARDEN_OIDC_CLIENT_SECRET"  # noqa: S105

_LEAST_TOKEN = 20
_LEAST_KEY = 32
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_NOT_FOR_A_NAME = {"authorization", "cookie", "host", "origin", "forwarded", "content-type", "content-length"}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)
_LOGINS = "--token-file, --oidc-issuer with --oidc-client-id, or --trust-header with --trusted-proxy"

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
        return _is_this_machine(self.host)

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

    def protection(self, environment: Mapping[str, str] | None = None) -> "Protection":
        """All that protects the page. Raises BadOption for what leaves it open, or contradicts itself."""
        from partwarden.web.person import EVERYBODY, Circle
        from partwarden.web.protection import NoLogin, OidcLogin, Protection, TokenLogin
        from partwarden.web.secret import secret_file

        login = self._login(os.environ if environment is None else environment)
        names, proxies = self._names(), self._proxies()
        if isinstance(login, NoLogin) and not self.is_on_loopback:
            raise BadOption(
                f"--host {self.host} is reached from other machines, and nobody would have to log in",
                remedy=f"say who may look: {_LOGINS}; or leave --host out",
            )
        beyond = [name for name in names if not _is_this_machine(name)]
        if isinstance(login, NoLogin) and (beyond or self.trusted_proxy):
            raise BadOption(
                f"{beyond[0] if beyond else 'a proxy'} leads other machines here, and nobody would have to log in",
                remedy=f"say who may look: {_LOGINS}; or leave --host-name, --public-url and --trusted-proxy out",
            )
        if not self.is_on_loopback and not (self.host_name or self.public_url):
            raise BadOption(
                f"--host {self.host} is reached from other machines, and no name is said by which",
                remedy="--host-name with the name or address that stands in people's browsers, or --public-url https://…",
            )
        self._refuse_patterns(login)
        self._refuse_certificate()
        if isinstance(login, OidcLogin) and not self.allow_people:
            raise BadOption(
                f"whoever {login.issuer} knows would be let in",
                remedy="--allow-people '*@example.com', or 'group:dba', or '*' if that is meant",
            )
        if isinstance(login, TokenLogin) and self.allow_actors:
            raise BadOption(
                "--allow-actors goes by names, and who logs in by a token says what they are called",
                remedy="leave it out: whoever has the token may act; or have people known by --oidc-issuer, or --trust-header",
            )
        return Protection(
            login=login,
            lookers=Circle(self.allow_people) if self.allow_people else EVERYBODY,
            actors=Circle(self.allow_actors) if self.allow_actors else EVERYBODY,
            allow_actions=self.allow_actions,
            host_names=names,
            public_url=None if self.public_url is None else self.public_url.rstrip("/"),
            trusted_proxies=proxies,
            metrics_token=None
            if self.metrics_token_file is None
            else secret_file("--metrics-token-file", self.metrics_token_file, least=_LEAST_TOKEN),
            open_metrics=self.open_metrics,
            port=self.port,
            session_key=self._session_key(),
        )

    def _login(self, environment: Mapping[str, str]) -> "Login":
        from partwarden.web.protection import NoLogin, OidcLogin, ProxyLogin, TokenLogin
        from partwarden.web.secret import secret_file, secret_variable

        chosen = {
            "--token-file": self.token_file, "--oidc-issuer": self.oidc_issuer, "--trust-header": self.trust_header
        }  # fmt: skip
        given = [option for option, value in chosen.items() if value is not None]
        if len(given) > 1:
            raise BadOption(f"{' and '.join(given)} are two ways to log in", remedy="choose one of them")
        if self.token_file is not None:
            return TokenLogin(secret_file("--token-file", self.token_file, least=_LEAST_TOKEN))
        if self.oidc_issuer is not None:
            return OidcLogin(
                issuer=_address("--oidc-issuer", self.oidc_issuer, needs_tls=True),
                client_id=self.oidc_client_id or self._missing("--oidc-issuer", "--oidc-client-id"),
                client_secret=self._client_secret(environment),
                claim=self.oidc_claim,
            )
        if self.trust_header is not None:
            if not self.trusted_proxy:
                self._missing("--trust-header", "--trusted-proxy")
            if not _HEADER.fullmatch(self.trust_header) or self.trust_header.lower() in _NOT_FOR_A_NAME:
                raise BadOption(
                    "--trust-header: no header of that name could say who somebody is", remedy="X-Forwarded-User"
                )
            return ProxyLogin(self.trust_header)
        for option, value in (
            ("--oidc-client-id", self.oidc_client_id), ("--oidc-client-secret-file", self.oidc_client_secret_file)
        ):  # fmt: skip
            if value is not None:
                self._missing(option, "--oidc-issuer")
        token = secret_variable(TOKEN_VARIABLE, environment, least=_LEAST_TOKEN)
        return NoLogin(f"{_user()} on this machine") if token is None else TokenLogin(token)

    def _client_secret(self, environment: Mapping[str, str]) -> "Secret | None":
        from partwarden.web.secret import secret_file, secret_variable

        if self.oidc_client_secret_file is not None:
            return secret_file("--oidc-client-secret-file", self.oidc_client_secret_file)
        return secret_variable(CLIENT_SECRET_VARIABLE, environment)

    def _session_key(self) -> bytes:
        from partwarden.web.secret import secret_file

        if self.session_key_file is None:
            return secrets.token_bytes(_LEAST_KEY)
        return secret_file("--session-key-file", self.session_key_file, least=_LEAST_KEY).digest

    def _names(self) -> tuple[str, ...]:
        """The names that the page answers to: on loopback this machine's own, elsewhere only those that are said."""
        for name in self.host_name:
            if not _HOST.fullmatch(name.strip("[]")):
                raise BadOption(
                    f"--host-name {name}: this is no name of a host", remedy="a name without https:// and port"
                )
        named = [*self.host_name]
        if self.public_url is not None:
            _address("--public-url", self.public_url, needs_tls=False)
            named.append(urlsplit(self.public_url).hostname or "")
        if self.is_on_loopback:
            named += ["localhost", "127.0.0.1", "::1", self.host]
        return tuple(dict.fromkeys(named))

    def _proxies(self) -> "tuple[Network, ...]":
        networks = []
        for each in self.trusted_proxy:
            try:
                network = ip_network(each)
            except ValueError:
                raise BadOption(
                    f"--trusted-proxy {each}: this is neither an address nor a network",
                    remedy="10.0.0.7, or 10.0.0.0/28",
                ) from None
            if network.prefixlen == 0:
                raise BadOption(
                    f"--trusted-proxy {each}: this is everybody, and everybody could say who they are",
                    remedy="the addresses of the proxies themselves",
                )
            networks.append(network)
        return tuple(networks)

    def _refuse_patterns(self, login: "Login") -> None:
        from partwarden.web.protection import NoLogin, TokenLogin

        if self.allow_actors and not self.allow_actions:
            self._missing("--allow-actors", "--allow-actions")
        if self.allow_people and isinstance(login, NoLogin | TokenLogin):
            raise BadOption(
                "--allow-people goes by names, and nobody here says reliably who somebody is",
                remedy="leave it out, or have people known by --oidc-issuer, or --trust-header",
            )
        if self.allow_actors and isinstance(login, NoLogin):
            raise BadOption(
                "--allow-actors goes by names, and nobody has to log in", remedy=f"say how they are known: {_LOGINS}"
            )

    def _refuse_certificate(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            self._missing(
                *(("--tls-certificate", "--tls-key") if self.tls_key is None else ("--tls-key", "--tls-certificate"))
            )
        if self.tls_certificate is None or self.tls_key is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.tls_certificate, self.tls_key, password=lambda: b""
            )
        except (OSError, ValueError) as failure:
            said = (
                failure.strerror
                if isinstance(failure, OSError) and failure.strerror
                else "they do not fit, or are no PEM"
            )
            raise BadOption(
                f"--tls-certificate {self.tls_certificate}, --tls-key {self.tls_key}: {said}",
                remedy="a certificate and its key as PEM, which this user can read, the key without a password",
            ) from None

    def _missing(self, option: str, needed: str) -> str:
        raise BadOption(f"{option} needs {needed}", remedy=f"add {needed}, or leave {option} out")


def _address(option: str, said: str, *, needs_tls: bool) -> str:
    """An address without what may stand behind it. Raises BadOption for what is none."""
    try:
        parts = urlsplit(said)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    is_address = parts.scheme in ("http", "https") and host and port != 0 and not (parts.username or parts.query)
    if not is_address or (option == "--public-url" and parts.path not in ("", "/")):
        raise BadOption(f"{option}: this is no address of a page", remedy="https://partwarden.example.com")
    if needs_tls and parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise BadOption(f"{option} {said}: what it says could be changed on the way", remedy="an address with https://")
    return said


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


SAFETY = Safety()
