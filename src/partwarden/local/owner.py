"""What the ordinary role that owns partitioned tables has to be granted, once, by an administrator."""

from __future__ import annotations

from psycopg import sql

from partwarden.database import Connection, inspect

_GRANTS = {
    "pg_partman": (
        "grant all on schema {schema} to {role}",
        "grant all on all tables in schema {schema} to {role}",
        "grant execute on all routines in schema {schema} to {role}",
    ),
    "pg_cron": (
        "grant usage on schema cron to {role}",
        "grant execute on function cron.schedule_in_database to {role}",
    ),
    "aws_lambda": (
        "grant usage on schema aws_commons, aws_lambda to {role}",
        "grant execute on all functions in schema aws_commons, aws_lambda to {role}",
    ),
}


def grant_to_owner(connection: Connection, role: str) -> None:
    """Grant ``role`` the use of pg_partman, pg_cron and aws_lambda, as far as this database has them.

    Source: the "Grants" part of pg_partman's documentation, pg_cron's README, and the provider's guide to aws_lambda.
    """
    server = inspect(connection)
    stand_in = connection.execute("select to_regnamespace('aws_lambda') is not null").fetchone() == (True,)
    for extension, grants in _GRANTS.items():
        if not server.has(extension) and not (extension == "aws_lambda" and stand_in):
            continue
        schema = server.extensions[extension].schema if server.has(extension) else extension
        for grant in grants:
            connection.execute(sql.SQL(grant).format(schema=sql.Identifier(schema), role=sql.Identifier(role)))
