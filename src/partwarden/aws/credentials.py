"""Logging in to a database through AWS: with a token of IAM's, or with what a secret in Secrets Manager says."""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from psycopg.conninfo import make_conninfo

from partwarden.aws.account import aws_errors
from partwarden.aws.ca_bundle import ca_bundle
from partwarden.dsn import AwsLogin, IamLogin, Login, SecretLogin, ServerLogin
from partwarden.errors import CouldNotConnect

import boto3  # isort: skip - account has said that it is missing, if it is

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


_REGION_OF_HOST = re.compile(r"\.([a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?$")
_VERIFIED = frozenset({"verify-full", "verify-ca"})
_ENCRYPTED = _VERIFIED | {"require"}

# A cluster that sleeps at 0 ACU takes some 15 seconds to wake up, and more after a day.
_CONNECT_SECONDS = "30"
_DATABASE = "postgres"  # every server of RDS has it
_PAGE = "docs/aws-credentials.md"

_making_clients = threading.Lock()


@dataclass(frozen=True)
class _Server:
    host: str
    port: int


@dataclass(frozen=True)
class _Password:
    """Who gets in, and with what."""

    user: str
    password: str = field(repr=False)


def get_in(login: AwsLogin) -> Login:
    """A login with the password in it, made or fetched now: a token holds for 15 minutes, a secret until it is rotated.

    TLS is verified, name and authority, unless the login says otherwise. Raises AwsFailed, CaBundleMissing and
    CouldNotConnect; none of them holds the password.
    """
    _keep_secrets_out_of_logs()
    options = login.options
    if isinstance(login, IamLogin):
        if options.parameters.get("sslmode", "verify-full") not in _ENCRYPTED:
            raise CouldNotConnect(
                f"could not log in as {login}: a token of IAM's is sent as it is, so the connection has to be encrypted",
                remedy="leave sslmode out, for verify-full",
            )
        return _login(login, _Server(login.host, login.port), _token(login), options.database)
    if isinstance(login, SecretLogin):
        said = _secret(login, login.secret)
        return _login(login, _server_of(login, said), _password_of(said), options.database or said.get("dbname"))
    server, secret, database = _of_rds(login)
    return _login(login, server, _password_of(_secret(login, secret)), options.database or database)


def secret_text(login: SecretLogin) -> str:
    """All that a secret says, which need not be a login. Raises AwsFailed, and CouldNotConnect for one that is no text."""
    _keep_secrets_out_of_logs()
    options = login.options
    region = options.region or (login.secret.split(":")[3] if login.secret.startswith("arn:") else None)
    with aws_errors(f"could not read the secret of {login}"):
        answer = _client("secretsmanager", region, options.profile).get_secret_value(SecretId=login.secret)
    text = answer.get("SecretString")
    if not text:
        raise CouldNotConnect(f"the secret of {login} is no text", remedy="store the URL as text")
    return str(text)


def _login(login: AwsLogin, server: _Server, password: _Password, database: object) -> Login:
    parameters: dict[str, str] = {
        "host": server.host,
        "port": str(server.port),
        "dbname": str(database or _DATABASE),
        "sslmode": "verify-full",
        "gssencmode": "disable",  # it would come before TLS, and verify nothing of what TLS does
        "connect_timeout": _CONNECT_SECONDS,
        **login.options.parameters,
    }
    if login.options.tunnel is not None:
        parameters |= {"hostaddr": "127.0.0.1", "port": str(login.options.tunnel)}
    if parameters["sslmode"] in _VERIFIED and "sslrootcert" not in parameters:
        parameters["sslrootcert"] = str(ca_bundle())
    return Login(
        make_conninfo("", user=password.user, password=password.password, **parameters),
        str(login),
        lambda said: _advice(said, login, password.user, parameters),
    )


def _token(login: IamLogin) -> _Password:
    attempt = f"could not make a token of IAM's for {login}"
    found = _REGION_OF_HOST.search(login.host)
    region = login.options.region or (found[1] if found else None)
    with aws_errors(attempt):
        rds = _client("rds", region, login.options.profile)
        token = rds.generate_db_auth_token(DBHostname=login.host, Port=login.port, DBUsername=login.user)
    return _Password(login.user, token)


def _secret(login: AwsLogin, secret: str) -> Mapping[str, Any]:
    """What the secret says: ``username`` and ``password`` at least, as text."""
    options = login.options
    region = options.region or (secret.split(":")[3] if secret.startswith("arn:") else None)
    with aws_errors(f"could not read the secret of {login}"):
        answer = _client("secretsmanager", region, options.profile).get_secret_value(SecretId=secret)
    said = _parsed(answer.get("SecretString"))
    missing = [name for name in ("username", "password") if not _is_text(said.get(name))]
    if missing:
        raise CouldNotConnect(
            f"the secret of {login} has no {' and no '.join(missing)}, or is not JSON at all",
            remedy='a secret for a database is {"username": …, "password": …}, and host, port and dbname if you like',
        )
    engine = said.get("engine")
    if engine is not None and "postgres" not in str(engine):
        raise CouldNotConnect(
            f"the secret of {login} is for a database that is not PostgreSQL", remedy="name another secret"
        )
    return said


def _parsed(text: str | None) -> Mapping[str, Any]:
    # An error of json's holds the whole text; so it is over before ours begins.
    try:
        said = json.loads(text or "")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def _password_of(said: Mapping[str, Any]) -> _Password:
    return _Password(said["username"], said["password"])


def _server_of(login: SecretLogin, said: Mapping[str, Any]) -> _Server:
    parameters = login.options.parameters
    host, port = parameters.get("host", said.get("host")), parameters.get("port", said.get("port", 5432))
    if not _is_text(host) or not str(port).isascii() or not str(port).isdigit():
        raise CouldNotConnect(
            f"the secret of {login} does not say which server it is for",
            remedy="add ?host=NAME, or, for the secret of a master user that RDS keeps, say aws-secret:cluster:NAME",
        )
    return _Server(str(host), int(port))


def _of_rds(login: ServerLogin) -> tuple[_Server, str, str | None]:
    """The server's address, the ARN of its master user's secret, and the database that it was made with."""
    options = login.options
    kind = "cluster" if login.is_cluster else "instance"
    with aws_errors(f"could not look up {kind} {login.name}"):
        rds = _client("rds", options.region, options.profile)
        if login.is_cluster:
            cluster = rds.describe_db_clusters(DBClusterIdentifier=login.name)["DBClusters"][0]
            engine, secret = cluster["Engine"], cluster.get("MasterUserSecret", {}).get("SecretArn")
            host, port, database = cluster.get("Endpoint"), cluster.get("Port"), cluster.get("DatabaseName")
        else:
            instance = rds.describe_db_instances(DBInstanceIdentifier=login.name)["DBInstances"][0]
            engine, secret = instance["Engine"], instance.get("MasterUserSecret", {}).get("SecretArn")
            endpoint = instance.get("Endpoint", {})
            host, port, database = endpoint.get("Address"), endpoint.get("Port"), instance.get("DBName")
    if "postgres" not in engine:
        raise CouldNotConnect(f"{kind} {login.name} is {engine}, not PostgreSQL", remedy="name another one")
    if not host or not port:
        raise CouldNotConnect(
            f"{kind} {login.name} has no address yet", remedy="wait until it is available, then try again"
        )
    if not secret:
        raise CouldNotConnect(
            f"RDS keeps no secret for the master user of {kind} {login.name}",
            remedy=f"name a secret of your own, aws-secret:NAME?host={host}, or log in by IAM: iam:USER@{host}",
        )
    return _Server(host, port), secret, database


def _advice(said: str, login: AwsLogin, user: str, parameters: Mapping[str, str]) -> str:
    """What to do next, by what libpq said."""
    where = f"{parameters['host']}:{parameters['port']}"
    if "certificate verify failed" in said:
        return (
            f"{parameters.get('sslrootcert')} has no authority that vouches for the server at {where}: see that it is a "
            "server of RDS; partwarden aws ca-bundle --refresh fetches the certificates anew"
        )
    if "does not match host name" in said:
        return (
            "use the endpoint's own name, which its certificate is for; "
            "through a tunnel add ?tunnel=PORT to it instead of naming 127.0.0.1"
        )
    if "does not support SSL" in said:
        return f"see that {where} is a server of RDS: they all speak TLS"
    if isinstance(login, IamLogin) and re.search("(PAM|password) authentication failed", said):
        return (
            f"see that IAM authentication is on, that {user} was granted rds_iam in the database, that your AWS identity "
            f"may rds-db:connect as {user}, and that this machine's clock is right"
        )
    if "authentication failed" in said:
        return f"the secret and the server disagree on the password of {user}: during a rotation, try again in a minute"
    if re.search("timeout|timed out|refused|could not translate|unreachable|not known", said):
        return f"inside its VPC the security groups decide, from outside it takes a tunnel: {_PAGE}"
    return _PAGE


@overload
def _client(service: Literal["rds"], region: str | None, profile: str | None) -> RDSClient: ...
@overload
def _client(service: Literal["secretsmanager"], region: str | None, profile: str | None) -> SecretsManagerClient: ...
def _client(service: Any, region: str | None, profile: str | None) -> Any:
    """A client as the user's own set-up says, but for what is given; kept, as it takes a sixth of a second to make."""
    with _making_clients:
        settings = hash(tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_"))))
        return _kept_client(service, region or os.environ.get("AWS_REGION"), profile, settings)


@functools.lru_cache(maxsize=16)
def _kept_client(service: Any, region: str | None, profile: str | None, _settings: int) -> Any:
    return boto3.session.Session(region_name=region, profile_name=profile).client(service)


def _keep_secrets_out_of_logs() -> None:
    """boto3 logs what it receives, and each signature, when a program's log level is DEBUG: not these."""
    for name in ("auth", "endpoint", "parsers"):
        logger = logging.getLogger(f"botocore.{name}")
        if logger.getEffectiveLevel() < logging.INFO:
            logger.setLevel(logging.INFO)
