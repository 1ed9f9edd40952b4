"""A database to copy: pg_partman, aws_lambda's stand-in, and all that the owner of its tables has to be granted."""

from __future__ import annotations

import psycopg
from psycopg import sql

from partwarden.local.aws_lambda import install_aws_lambda
from partwarden.local.cluster import Cluster
from partwarden.local.owner import grant_to_owner

_TEMPLATE = "with_partman"


def make_template(cluster: Cluster, owner: str) -> None:
    """Make the role ``owner``, and the database that others are copied from: pg_partman is in its schema partman."""
    cluster.add_role(owner)
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        grant_to_owner(connection, owner)
        connection.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(_TEMPLATE), sql.Identifier(owner))
        )
    with psycopg.connect(cluster.dsn(_TEMPLATE), autocommit=True) as connection:
        connection.execute("create schema partman")
        connection.execute("create extension pg_partman schema partman")
        install_aws_lambda(connection)
        grant_to_owner(connection, owner)


def copy_template(cluster: Cluster, name: str, owner: str) -> None:
    """Make a database from the template; 50 ms where files are in memory."""
    # Older servers know no other way.
    quickly = sql.SQL(" strategy file_copy" if cluster.installation.major >= 15 else "")
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} owner {}").format(*map(sql.Identifier, (name, _TEMPLATE, owner)))
            + quickly
        )
