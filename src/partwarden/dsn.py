"""What names a database: a connection string of libpq's, the variable that holds one, or a login that AWS decides on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from partwarden.errors import CouldNotConnect, PartwardenError

SECRETS = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})
"""The parts of a connection string that are never shown.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

_ENV = "env:"
_IAM = "iam:"
_SECRET = "aws-secret:"  # noqa: S105 - a scheme's name

_SERVER = re.compile(r"(?P<user>[^@/:]+)@(?P<host>[^@/:]+)(?::(?P<port>[0-9]{1,5}))?(?:/(?P<database>.*))?")
_OF_SERVER = re.compile(r"(?P<kind>cluster|instance):(?P<name>[A-Za-z][A-Za-z0-9-]*)(?:/(?P<database>.*))?")
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@!:-]+")  # of an ARN, too

_SECRET_VALUE = re.compile(
    rf"\b((?:{'|'.join(sorted(SECRETS))})\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&'\"]+)", re.IGNORECASE
)
_SECRET_IN_URI = re.compile(r"(://[^\s/:@]*:)[^\s@]+@")

_IAM_FORM = "iam:USER@HOST[:PORT][/DATABASE]"
_SECRET_FORM = "aws-secret:NAME_OR_ARN[?dbname=DATABASE], or aws-secret:cluster:NAME[/DATABASE]"  # noqa: S105
_PAGE = "docs/aws-credentials.md"


@dataclass(frozen=True)
class Login:
    """How to get in. ``conninfo`` is for libpq alone: it may hold a password; ``shown`` never does.

    ``advice`` is the next thing to do, given what libpq said when it did not work.
    """

    conninfo: str = field(repr=False)
    shown: str
    advice: Callable[[str], str]


@dataclass(frozen=True)
class AwsOptions:
    """What may stand behind the question mark. ``parameters`` are libpq's own, by keyword."""

    database: str | None = None
    region: str | None = None
    profile: str | None = None
    tunnel: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class IamLogin:
    """Get in as ``user`` with a token of IAM's, which is made for this host and port."""

    user: str
    host: str
    port: int
    options: AwsOptions

    def __str__(self) -> str:
        return f"{_IAM}{self.user}@{self.host}:{self.port}/{self.options.database or ''}".rstrip("/")


@dataclass(frozen=True)
class SecretLogin:
    """Get in with what a secret in Secrets Manager says; ``secret`` is its name or its ARN."""

    secret: str
    options: AwsOptions

    def __str__(self) -> str:
        return f"{_SECRET}{self.secret}" + (f"?dbname={self.options.database}" if self.options.database else "")


@dataclass(frozen=True)
class ServerLogin:
    """Get in with the secret that RDS keeps for the master user of a cluster, or of an instance."""

    name: str
    is_cluster: bool
    options: AwsOptions

    def __str__(self) -> str:
        kind = "cluster" if self.is_cluster else "instance"
        return f"{_SECRET}{kind}:{self.name}/{self.options.database or ''}".rstrip("/")


AwsLogin = IamLogin | SecretLogin | ServerLogin


def resolve(dsn: str) -> Login:
    """How to get in where ``dsn`` leads to, now: a token and a secret are fetched anew for each connection.

    Raises CouldNotConnect for what can't be understood, and what AWS answers as AwsFailed; neither holds a secret.
    """
    aws = aws_login(dsn)
    if aws is not None:
        from partwarden.aws.credentials import get_in  # takes boto3, which nobody else needs

        return get_in(aws)
    if dsn.startswith(_ENV):
        return resolve(_variable(dsn))
    return Login(
        dsn,
        _shown(dsn),
        lambda _: "passwords are read from ~/.pgpass, PGPASSFILE or PGPASSWORD, as psql does",
    )


def aws_login(dsn: str) -> AwsLogin | None:
    """The login through AWS that ``dsn`` asks for; None where it does not. Raises CouldNotConnect for a malformed one.

    What is malformed is not repeated: a password may stand in it.
    """
    if dsn.startswith(_IAM):
        return _iam(dsn.removeprefix(_IAM))
    if dsn.startswith(_SECRET):
        return _secret(dsn.removeprefix(_SECRET))
    return None


def is_libpqs(dsn: str) -> bool:
    """Whether libpq itself understands the string, or should."""
    return not dsn.startswith((_ENV, _IAM, _SECRET))


def without_password(dsn: str) -> str:
    """The connection string as it may be shown. Raises psycopg.ProgrammingError where libpq does not understand it."""
    if dsn.startswith(_ENV):
        return dsn
    aws = aws_login(dsn)
    if aws is not None:
        return str(aws)
    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if key not in SECRETS}
    return make_conninfo("", **parts) or "the default server"


def without_secrets(text: str) -> str:
    """Any text as it may be shown: what looks like a password in a connection string is left out."""
    return _SECRET_VALUE.sub(r"\1…", _SECRET_IN_URI.sub(r"\1…@", text))


def label(dsn: str) -> str:
    """The connection as a report shows it: where to, and as whom."""
    if not is_libpqs(dsn):
        with suppress(PartwardenError):
            return without_password(dsn)
        return "(not a connection string)"
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        return "(not a connection string)"
    shown = {name: str(parts[name]) for name in ("service", "host", "port", "dbname", "user") if name in parts}
    return make_conninfo("", **shown) or "the default server"


def title(dsn: str) -> str:
    """What a database is called on a page, where nobody has named it: ``app on db.example.com``, and not how to get in."""
    if not is_libpqs(dsn):
        return label(dsn)
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        return label(dsn)
    name = str(parts.get("dbname") or parts.get("service") or parts.get("user") or "the default database")
    host, port = str(parts.get("host") or ""), str(parts.get("port") or "")
    where = "" if host.startswith("/") else host
    return name + (f" on {where}" if where else "") + (f" port {port}" if port not in ("", "5432") else "")


def _shown(dsn: str) -> str:
    try:
        return without_password(dsn)
    except ProgrammingError:
        return "what is not a connection string"  # as libpq will say


def _variable(dsn: str) -> str:
    name = dsn.removeprefix(_ENV)
    if name not in os.environ:
        raise CouldNotConnect(f"the environment has no variable {name}", remedy=f"export {name}='service=…'")
    value = os.environ[name]
    if value.startswith(_ENV):
        raise CouldNotConnect(
            f"the variable {name} names another variable", remedy=f"put the connection string itself into {name}"
        )
    return value


def _iam(text: str) -> IamLogin:
    server, _, query = text.partition("?")
    found = _SERVER.fullmatch(server)
    if found is None:
        raise CouldNotConnect(
            f"this is not a login by IAM: {_IAM_FORM}, and no password in it", remedy=f"{_PAGE} has examples"
        )
    options = _options(query, found["database"])
    return IamLogin(
        user=unquote(found["user"]),
        host=found["host"].lower(),  # a token is made for the name as RDS writes it
        port=_port(found["port"] or "5432"),
        options=options,
    )


def _secret(text: str) -> SecretLogin | ServerLogin:
    name, _, query = text.partition("?")
    found = _OF_SERVER.fullmatch(name)
    if found is not None:
        return ServerLogin(found["name"], found["kind"] == "cluster", _options(query, found["database"]))
    is_arn = name.startswith("arn:")
    if _SECRET_NAME.fullmatch(name) is None or is_arn != (":" in name) or (is_arn and ":secret:" not in name):
        raise CouldNotConnect(f"this does not name a secret: {_SECRET_FORM}", remedy=f"{_PAGE} has examples")
    return SecretLogin(name, _options(query, None))


def _options(query: str, database: str | None) -> AwsOptions:
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise CouldNotConnect(
            "what follows the question mark is not KEYWORD=VALUE, joined by &", remedy=f"{_PAGE} has examples"
        ) from None
    for keyword in given:
        _refuse_keyword(keyword)
    named = given.pop("dbname", None)
    tunnel = given.pop("tunnel", None)
    return AwsOptions(
        database=(unquote(database) if database else named) or None,
        region=given.pop("region", None),
        profile=given.pop("profile", None),
        tunnel=None if tunnel is None else _port(tunnel),
        parameters=given,
    )


def _refuse_keyword(keyword: str) -> None:
    if keyword in SECRETS:
        raise CouldNotConnect(
            f"{keyword} does not belong into a login through AWS", remedy="AWS gives the password; leave it out"
        )
    libpqs = {each.keyword.decode() for each in pq.Conninfo.get_defaults()} - {"user"}
    if keyword not in libpqs | {"region", "profile", "tunnel"}:
        # Not repeated unless it looks like a keyword: it may be half of a password.
        name = keyword if re.fullmatch(r"[a-z]+(_[a-z]+)*", keyword) else "what stands there"
        raise CouldNotConnect(
            f"{name} is not a keyword of a login through AWS",
            remedy=f"region, profile, tunnel, and libpq's keywords but for user and passwords: {_PAGE}",
        )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CouldNotConnect("a port is a number from 1 to 65535", remedy=f"{_PAGE} has examples")
    return int(text)
