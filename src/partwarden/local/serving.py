"""A server for a test suite: PostgreSQL with pg_partman, pg_cron and aws_lambda, gone at the end; nothing of AWS."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from partwarden.local.cluster import Cluster
from partwarden.local.installation import Installation
from partwarden.local.lambda_recorder import Invocation, LambdaRecorder
from partwarden.local.template import copy_template, make_template

OWNER = "app_owner"

_ROOM_IN_MEMORY = 6 * 2**30
_ACCOUNT = "123456789012"
_REGION = "us-east-1"

QUICK_SETTINGS = {
    # What is lost when the machine fails is of no worth.
    "fsync": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class ServedDatabase:
    """A database of one's own. ``dsn`` is for the role that owns it and its tables, ``superuser_dsn`` for postgres.

    ``lambda_arn`` and ``topic_arn`` are what the monitor may be given.
    """

    name: str
    dsn: str
    superuser_dsn: str
    lambda_arn: str
    topic_arn: str
    _recorder: LambdaRecorder = field(repr=False)

    @property
    def invocations(self) -> tuple[Invocation, ...]:
        """Every invocation of a Lambda function from this database, in its order."""
        return self._recorder.taken_from(self.name)


class PartwardenServer:
    """A running PostgreSQL with pg_cron in database ``postgres``; ``owner`` owns the databases, and is no superuser."""

    def __init__(self, cluster: Cluster, recorder: LambdaRecorder) -> None:
        self.owner = OWNER
        self._cluster = cluster
        self._recorder = recorder
        self._numbers = count(1)

    @property
    def major(self) -> int:
        """The version of PostgreSQL: 17."""
        return self._cluster.installation.major

    @property
    def cron_dsn(self) -> str:
        """The database that pg_cron lives in, as the owner."""
        return self._cluster.dsn(user=self.owner)

    def new_database(self) -> ServedDatabase:
        """A fresh database with pg_partman in schema ``partman``, and ``aws_lambda`` that calls nobody but this process."""
        name = f"test_{next(self._numbers)}"
        copy_template(self._cluster, name, self.owner)
        with psycopg.connect(self._cluster.dsn(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("alter database {} set aws_lambda.endpoint_override = {}").format(
                    sql.Identifier(name), sql.Literal(self._recorder.endpoint_for(name))
                )
            )
        return ServedDatabase(
            name=name,
            dsn=self._cluster.dsn(name, self.owner),
            superuser_dsn=self._cluster.dsn(name),
            lambda_arn=f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:partwarden-alert",
            topic_arn=f"arn:aws:sns:{_REGION}:{_ACCOUNT}:notifydba",
            _recorder=self._recorder,
        )

    def let_lambda_fail(self, message: str | None = "no") -> None:
        """Have every Lambda function raise an error with this message from now on; None: they work again."""
        self._recorder.fail_with(message)


@contextmanager
def serving(installation: Installation, secrets_folder: Path) -> Iterator[PartwardenServer]:
    """A server for as long as the block lasts; nothing of it stays."""
    folder = (memory() or Path(tempfile.gettempdir())) / f"partwarden-{secrets.token_hex(4)}"
    cluster = Cluster(
        installation,
        folder,
        secrets_folder=secrets_folder,
        settings=QUICK_SETTINGS,
        environment={
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
    )
    recorder = LambdaRecorder()
    recorder.start()
    try:
        cluster.start()
        make_template(cluster, OWNER)
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            owner = sql.Identifier(OWNER)
            connection.execute(
                sql.SQL("grant create on database {} to {}").format(sql.Identifier(cluster.cron_database), owner)
            )
            connection.execute(sql.SQL("grant pg_monitor to {}").format(owner))
        yield PartwardenServer(cluster, recorder)
    finally:
        cluster.destroy()
        recorder.stop()


def memory() -> Path | None:
    """A folder whose files are in memory, where there is room: a new database takes a seventh of the time there."""
    place = Path("/dev/shm")  # noqa: S108
    has_room = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > _ROOM_IN_MEMORY
    return place if has_room else None
