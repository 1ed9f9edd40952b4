"""Servers that stand for clusters of RDS, with many databases that stand for clusters of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from partwarden.aws.fleet.member import Member
from partwarden.database import Connection
from partwarden.local.installation import Installation
from tests.aws.fleet.tls import Authority
from tests.partition_sets import daily_set
from tests.servers import Server, running_server

USER = "rds_iamuser"

_HEALTHY = "healthy_member"


@dataclass(frozen=True)
class FleetServer:
    """A running server with TLS. Whoever comes as ``rds_iamuser`` over TLS gets in: RDS would look at the token."""

    server: Server

    @property
    def port(self) -> int:
        return self.server.cluster.port

    @contextmanager
    def connect(self, database: str | None = None) -> Iterator[Connection]:
        """A connection of the superuser, in autocommit."""
        with psycopg.connect(self.server.cluster.dsn(database), autocommit=True) as connection:
            yield connection

    def add_members(self, names: list[str]) -> list[Member]:
        """For each name, a database with one healthy partition set, as a cluster of its own."""
        with self.connect() as connection:
            for name in names:
                made = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(_HEALTHY))
                connection.execute(made)
        return [Member(name, "127.0.0.1", self.port, (name,)) for name in names]

    def remove_members(self, names: list[str]) -> None:
        with self.connect() as connection:
            for name in names:
                connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@contextmanager
def fleet_server(
    major: int, secrets_folder: Path, authority: Authority, *, on_disk: bool = False
) -> Iterator[FleetServer]:
    """A server of that version for as long as the block lasts."""
    with running_server(major, secrets_folder, {"max_connections": "200"}, on_disk=on_disk) as server:
        made = FleetServer(server)
        _use_tls(made, authority)
        _admit_user(made)
        yield made


def _use_tls(made: FleetServer, authority: Authority) -> None:
    cluster = made.server.cluster
    certificate, key = authority.certify()
    cluster.write_file("server.crt", certificate)
    cluster.write_file("server.key", key)
    rules = cluster.folder / "data" / "pg_hba.conf"
    rules.write_text(f"hostssl all {USER} 127.0.0.1/32 trust\nhost all {USER} all reject\n" + rules.read_text())
    with made.connect() as connection:
        for name, file in (("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")):
            inside: Installation = cluster.installation
            value = str(inside.inside(cluster.folder / file))
            connection.execute(sql.SQL("alter system set {} = {}").format(sql.SQL(name), value))
        connection.execute("alter system set ssl = on")
        connection.execute("select pg_reload_conf()")


def _admit_user(made: FleetServer) -> None:
    with made.connect() as connection:
        connection.execute(f"create role {USER} login in role pg_monitor, pg_read_all_data")
        connection.execute(f"create database {_HEALTHY} template with_partman")
    with made.connect(_HEALTHY) as connection:
        connection.execute("create schema app")
        daily_set(connection, "app.events")
        connection.execute("insert into app.events values (1, now())")
