"""From the options of ``partwarden serve`` to what protects the page, and what would leave it open, or contradicts itself."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

from partwarden.cli.serving import CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE, Safety, is_this_machine
from partwarden.errors import BadOption
from partwarden.web.access.person import EVERYBODY, Circle
from partwarden.web.access.protection import Login, Network, NoLogin, OidcLogin, Protection, ProxyLogin, TokenLogin
from partwarden.web.access.secret import Secret, secret_file, secret_variable

_LEAST_TOKEN = 20
_LEAST_KEY = 32
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_NOT_FOR_A_NAME = {"authorization", "cookie", "host", "origin", "forwarded", "content-type", "content-length"}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)
_LOGINS = "--token-file, --oidc-issuer with --oidc-client-id, or --trust-header with --trusted-proxy"


def protection_of(safety: Safety, environment: Mapping[str, str]) -> Protection:
    """All that protects the page. Raises BadOption for what leaves it open, or contradicts itself."""
    login = _login(safety, environment)
    names, proxies = _names(safety), _proxies(safety)
    _refuse_open(safety, login, names)
    _refuse_patterns(safety, login)
    _refuse_certificate(safety)
    return Protection(
        login=login,
        lookers=Circle(safety.allow_people) if safety.allow_people else EVERYBODY,
        actors=Circle(safety.allow_actors) if safety.allow_actors else EVERYBODY,
        allow_actions=safety.allow_actions,
        host_names=names,
        public_url=None if safety.public_url is None else safety.public_url.rstrip("/"),
        trusted_proxies=proxies,
        metrics_token=None
        if safety.metrics_token_file is None
        else secret_file("--metrics-token-file", safety.metrics_token_file, least=_LEAST_TOKEN),
        open_metrics=safety.open_metrics,
        port=safety.port,
        session_key=_session_key(safety),
    )


def _login(safety: Safety, environment: Mapping[str, str]) -> Login:
    chosen = {
        "--token-file": safety.token_file, "--oidc-issuer": safety.oidc_issuer, "--trust-header": safety.trust_header
    }  # fmt: skip
    given = [option for option, value in chosen.items() if value is not None]
    if len(given) > 1:
        raise BadOption(f"{' and '.join(given)} are two ways to log in", remedy="choose one of them")
    if safety.token_file is not None:
        return TokenLogin(secret_file("--token-file", safety.token_file, least=_LEAST_TOKEN))
    if safety.oidc_issuer is not None:
        return OidcLogin(
            issuer=_address("--oidc-issuer", safety.oidc_issuer, needs_tls=True),
            client_id=safety.oidc_client_id or _missing("--oidc-issuer", "--oidc-client-id"),
            client_secret=_client_secret(safety, environment),
            claim=safety.oidc_claim,
        )
    if safety.trust_header is not None:
        if not safety.trusted_proxy:
            _missing("--trust-header", "--trusted-proxy")
        if not _HEADER.fullmatch(safety.trust_header) or safety.trust_header.lower() in _NOT_FOR_A_NAME:
            raise BadOption(
                "--trust-header: no header of that name could say who somebody is", remedy="X-Forwarded-User"
            )
        return ProxyLogin(safety.trust_header)
    for option, value in (
        ("--oidc-client-id", safety.oidc_client_id), ("--oidc-client-secret-file", safety.oidc_client_secret_file)
    ):  # fmt: skip
        if value is not None:
            _missing(option, "--oidc-issuer")
    token = secret_variable(TOKEN_VARIABLE, environment, least=_LEAST_TOKEN)
    return NoLogin(f"{_user()} on this machine") if token is None else TokenLogin(token)


def _client_secret(safety: Safety, environment: Mapping[str, str]) -> Secret | None:
    if safety.oidc_client_secret_file is not None:
        return secret_file("--oidc-client-secret-file", safety.oidc_client_secret_file)
    return secret_variable(CLIENT_SECRET_VARIABLE, environment)


def _session_key(safety: Safety) -> bytes:
    if safety.session_key_file is None:
        return secrets.token_bytes(_LEAST_KEY)
    return secret_file("--session-key-file", safety.session_key_file, least=_LEAST_KEY).digest


def _names(safety: Safety) -> tuple[str, ...]:
    """The names that the page answers to: on loopback this machine's own, elsewhere only those that are said."""
    for name in safety.host_name:
        if not _HOST.fullmatch(name.strip("[]")):
            raise BadOption(f"--host-name {name}: this is no name of a host", remedy="a name without https:// and port")
    named = [*safety.host_name]
    if safety.public_url is not None:
        _address("--public-url", safety.public_url, needs_tls=False)
        named.append(urlsplit(safety.public_url).hostname or "")
    if safety.is_on_loopback:
        named += ["localhost", "127.0.0.1", "::1", safety.host]
    return tuple(dict.fromkeys(named))


def _proxies(safety: Safety) -> tuple[Network, ...]:
    networks = []
    for each in safety.trusted_proxy:
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


def _refuse_open(safety: Safety, login: Login, names: Sequence[str]) -> None:
    if isinstance(login, NoLogin) and not safety.is_on_loopback:
        raise BadOption(
            f"--host {safety.host} is reached from other machines, and nobody would have to log in",
            remedy=f"say who may look: {_LOGINS}; or leave --host out",
        )
    beyond = [name for name in names if not is_this_machine(name)]
    if isinstance(login, NoLogin) and (beyond or safety.trusted_proxy):
        raise BadOption(
            f"{beyond[0] if beyond else 'a proxy'} leads other machines here, and nobody would have to log in",
            remedy=f"say who may look: {_LOGINS}; or leave --host-name, --public-url and --trusted-proxy out",
        )
    if not safety.is_on_loopback and not (safety.host_name or safety.public_url):
        raise BadOption(
            f"--host {safety.host} is reached from other machines, and no name is said by which",
            remedy="--host-name with the name or address that stands in people's browsers, or --public-url https://…",
        )


def _refuse_patterns(safety: Safety, login: Login) -> None:
    if safety.allow_actors and not safety.allow_actions:
        _missing("--allow-actors", "--allow-actions")
    if safety.allow_people and isinstance(login, NoLogin | TokenLogin):
        raise BadOption(
            "--allow-people goes by names, and nobody here says reliably who somebody is",
            remedy="leave it out, or have people known by --oidc-issuer, or --trust-header",
        )
    if safety.allow_actors and isinstance(login, NoLogin):
        raise BadOption(
            "--allow-actors goes by names, and nobody has to log in", remedy=f"say how they are known: {_LOGINS}"
        )
    if isinstance(login, OidcLogin) and not safety.allow_people:
        raise BadOption(
            f"whoever {login.issuer} knows would be let in",
            remedy="--allow-people '*@example.com', or 'group:dba', or '*' if that is meant",
        )
    if isinstance(login, TokenLogin) and safety.allow_actors:
        raise BadOption(
            "--allow-actors goes by names, and who logs in by a token says what they are called",
            remedy="leave it out: whoever has the token may act; or have people known by --oidc-issuer, or --trust-header",
        )


def _refuse_certificate(safety: Safety) -> None:
    if (safety.tls_certificate is None) != (safety.tls_key is None):
        _missing(
            *(("--tls-certificate", "--tls-key") if safety.tls_key is None else ("--tls-key", "--tls-certificate"))
        )
    if safety.tls_certificate is None or safety.tls_key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            safety.tls_certificate, safety.tls_key, password=lambda: b""
        )
    except (OSError, ValueError) as failure:
        said = (
            failure.strerror if isinstance(failure, OSError) and failure.strerror else "they do not fit, or are no PEM"
        )
        raise BadOption(
            f"--tls-certificate {safety.tls_certificate}, --tls-key {safety.tls_key}: {said}",
            remedy="a certificate and its key as PEM, which this user can read, the key without a password",
        ) from None


def _missing(option: str, needed: str) -> str:
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
