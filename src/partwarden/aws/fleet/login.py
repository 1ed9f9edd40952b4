"""Connection strings for the worker: an IAM token for a password, and the server's certificate checked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from psycopg.conninfo import make_conninfo

from partwarden.aws.fleet.member import Member

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

Login = Callable[[Member, str], str]
"""Of a member and one of its databases, the connection string; it holds a secret."""

CA_BUNDLE = Path(__file__).parents[3] / "rds-ca-bundle.pem"
"""Amazon's certificates, beside the code in the function's package."""

CONNECT_SECONDS = 5


def iam_login(user: str, ca_bundle: Path = CA_BUNDLE) -> Login:
    """Log in as ``user`` with a token that the function's own role signs.

    A token is good for 15 minutes and is made without asking anybody.
    """

    def login(member: Member, database: str) -> str:
        return make_conninfo(
            host=member.host,
            port=member.port,
            dbname=database,
            user=user,
            password=_rds().generate_db_auth_token(DBHostname=member.host, Port=member.port, DBUsername=user),
            sslmode="verify-full",
            sslrootcert=str(ca_bundle),
            connect_timeout=CONNECT_SECONDS,
        )

    return login


@functools.cache
def _rds() -> RDSClient:
    return boto3.client("rds")
