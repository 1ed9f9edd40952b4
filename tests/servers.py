"""The PostgreSQL servers that the tests run on: 15, 17 and 18, of this machine or in folders made for the tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from partwarden.database import Connection
from partwarden.local.cluster import Cluster
from partwarden.local.installation import Installation, find_installations
from partwarden.local.serving import QUICK_SETTINGS, memory
from partwarden.local.template import copy_template, make_template

MAJORS = (15, 17, 18)
OWNER = "app_owner"

_ROOTS = Path(os.environ.get("PARTWARDEN_ROOTS", "/var/cache/partwarden/roots"))


def required_majors() -> set[int]:
    """The versions that must not be skipped, from PARTWARDEN_REQUIRE_SERVERS ("15 17 18")."""
    return {int(major) for major in os.environ.get("PARTWARDEN_REQUIRE_SERVERS", "").split()}


def find_server(major: int) -> Installation | None:
    """A complete server of that version: this machine's own, else the one made by scripts/build-server-roots.sh."""
    root = _ROOTS / str(major)
    places = find_installations()
    if (root / ".complete").exists() and os.geteuid() == 0:  # it is entered by chroot
        places += find_installations(root=root)
    return next((each for each in places if each.major == major and not each.missing_extensions), None)


@dataclass
class Database:
    """A database of its own for one test: pg_partman is there, an ordinary role owns it."""

    server: Server
    name: str

    @property
    def dsn(self) -> str:
        """As the superuser."""
        return self.server.cluster.dsn(self.name)

    @property
    def owner_dsn(self) -> str:
        """As the ordinary role that owns the database and its tables."""
        return self.server.cluster.dsn(self.name, OWNER)

    def point_to_lambda(self, endpoint: str) -> None:
        """Where new sessions find Lambda."""
        with self.connect() as superuser:
            superuser.execute(
                sql.SQL("alter database {} set aws_lambda.endpoint_override = {}").format(
                    sql.Identifier(self.name), sql.Literal(endpoint)
                )
            )

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of the superuser, in autocommit."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            yield connection

    @contextmanager
    def connect_owner(self) -> Iterator[Connection]:
        """A connection of the owner, in autocommit."""
        with psycopg.connect(self.owner_dsn, autocommit=True) as connection:
            yield connection


@dataclass
class Server:
    """A running server with pg_cron in database postgres."""

    major: int
    cluster: Cluster
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def credentials_file(self) -> Path:
        """The server process's AWS credentials, as this machine sees the file."""
        return self.cluster.folder / "aws-credentials"

    def write_aws_credentials(self, access_key: str, secret_key: str) -> None:
        """Give the server an identity in AWS, as an attached role would."""
        self.cluster.write_file(
            self.credentials_file.name,
            f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n",
        )

    def new_name(self) -> str:
        """A database name that no other test on any server has."""
        return f"test_{self.major}_{next(self.numbers)}"

    def new_database(self, name: str | None = None) -> Database:
        """A copy of the template: pg_partman in schema partman, aws_lambda's stand-in, all granted to the owner."""
        database = Database(self, name or self.new_name())
        copy_template(self.cluster, database.name, OWNER)
        return database

    def drop_database(self, database: Database) -> None:
        """Remove a test's database and its jobs, whoever is still connected."""
        with psycopg.connect(self.cluster.dsn(), autocommit=True) as connection:
            connection.execute("delete from cron.job where database = %s", (database.name,))
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database.name)))


@contextmanager
def running_server(
    major: int, secrets_folder: Path, settings: Mapping[str, str] | None = None, *, on_disk: bool = False
) -> Iterator[Server]:
    """A server of that version for as long as the block lasts; ``settings`` go into its configuration.

    Unless ``on_disk`` its files are in memory, where there is room: a new database takes a seventh of the time there.
    """
    installation = find_server(major)
    assert installation is not None
    base = None if on_disk else memory()
    folder = (base or (installation.root or Path("/")) / "var/tmp") / f"partwarden-tests-{secrets.token_hex(4)}"
    cluster = Cluster(
        installation,
        folder,
        secrets_folder=secrets_folder,
        settings={
            **QUICK_SETTINGS,
            "max_connections": "60",
            "cluster_name": f"pg{major}",
            **(settings or {}),
        },
        environment={
            "AWS_SHARED_CREDENTIALS_FILE": str(installation.inside(folder / "aws-credentials")),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )
    try:
        cluster.start()
        server = Server(major, cluster)
        make_template(cluster, OWNER)
        yield server
    finally:
        cluster.destroy()


def with_application_name(dsn: str, name: str) -> str:
    """The same connection string under another application name, to be told apart in pg_stat_activity."""
    return make_conninfo(dsn, application_name=name)
