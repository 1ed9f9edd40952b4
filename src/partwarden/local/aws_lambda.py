"""aws_lambda for a plain PostgreSQL: what RDS and Aurora offer under that name, in a database of one's own."""

from __future__ import annotations

from importlib import resources
from typing import Any, LiteralString

import psycopg

from partwarden.errors import InstallRefused, NotInstalled

_OURS = "partwarden: aws_lambda for a plain PostgreSQL"
_OURS_WITH_LANGUAGE = f"{_OURS}; plpython3u came with it"

# Concurrent installs would trip over each other in CREATE SCHEMA and CREATE OR REPLACE FUNCTION.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('partwarden aws_lambda', 0))"

_PROBE = """
do $$
import botocore.session
from botocore.auth import SigV4Auth
$$ language plpython3u
"""

# Named one by one and without CASCADE: what a user has built on them, or put beside them, stays and stops us.
_REMOVE: tuple[LiteralString, ...] = (
    """drop function if exists
        aws_lambda.invoke(text, json, text, text, text, json, varchar),
        aws_lambda.invoke(text, jsonb, text, text, text, jsonb, varchar),
        aws_lambda.invoke(aws_commons._lambda_function_arn_1, json, text, text, json, varchar),
        aws_lambda.invoke(aws_commons._lambda_function_arn_1, jsonb, text, text, jsonb, varchar)""",
    "drop function if exists aws_lambda._invoke(text, text, text, text, text, text, text)",
    "drop function if exists aws_lambda._request(text, text, text, text, text, text, text, text, int, int)",
    "drop function if exists aws_commons.create_lambda_function_arn(text, text)",
    "drop type if exists aws_commons._lambda_function_arn_1",
    "drop schema if exists aws_lambda, aws_commons",
)


def install_aws_lambda(connection: psycopg.Connection[Any]) -> None:
    """Make the schemas ``aws_commons`` and ``aws_lambda``, or bring them up to date, in one transaction.

    Creates the extension plpython3u where it is missing. Nobody but superusers may call anything at first:
    as on RDS, USAGE on the schemas and EXECUTE on the functions are for the caller to grant.

    Raises InstallRefused when we are no superuser, when the provider's extension is there, or when one of the
    schemas is somebody else's; NotInstalled when PL/Python or, in the server's Python, botocore is missing.
    """
    with connection.transaction():
        connection.execute(_LOCK)
        _require_superuser(connection)
        _refuse_provider_extension(connection)
        _require_own_schemas(connection)
        _require_plpython(connection)
        connection.execute(resources.files(__package__).joinpath("aws_lambda.sql").read_bytes())
        _require_botocore(connection)


def uninstall_aws_lambda(connection: psycopg.Connection[Any]) -> None:
    """Remove what install_aws_lambda made, in one transaction; nothing happens where there is nothing.

    plpython3u goes too if it came with the install and nothing else uses it by now.

    Raises InstallRefused when we are no superuser, when the schemas are somebody else's, or when something that
    is not ours depends on them or is in them.
    """
    with connection.transaction():
        connection.execute(_LOCK)
        _require_superuser(connection)
        _refuse_provider_extension(connection)
        language_came_with_it = _OURS_WITH_LANGUAGE in _require_own_schemas(connection)
        if not _schema_comments(connection):
            return
        try:
            for statement in _REMOVE:
                connection.execute(statement)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise InstallRefused(
                f"aws_lambda can't be removed from {connection.info.dbname}, something still depends on it: "
                f"{error.diag.message_detail or error.diag.message_primary}",
                remedy="drop that first",
            ) from error
        if language_came_with_it:
            _drop_language_unless_used(connection)


def _require_superuser(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("select rolsuper, rolname from pg_roles where rolname = current_user").fetchone()
    if row is None or not row[0]:
        raise InstallRefused(
            f"{row[1] if row else connection.info.user} is not a superuser of {connection.info.dbname}; aws_lambda is "
            "written in PL/Python, which only superusers may use",
            remedy="connect as a superuser, for example postgres",
        )


def _refuse_provider_extension(connection: psycopg.Connection[Any]) -> None:
    known = connection.execute(
        """select name, installed_version is not null from pg_available_extensions where name = 'aws_lambda'
           union select extname, true from pg_extension where extname in ('aws_lambda', 'aws_commons')
           order by 2 desc"""
    ).fetchone()
    if known is None:
        return
    name, installed = known
    if installed:
        raise InstallRefused(
            f"the provider's own extension {name} is installed in {connection.info.dbname}",
            remedy="nothing has to be made: it has the same functions",
        )
    raise InstallRefused(
        "this server offers the provider's own extension aws_lambda",
        remedy="create extension aws_lambda cascade;",
    )


def _schema_comments(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    return dict(
        connection.execute(
            """select nspname, obj_description(oid, 'pg_namespace')
               from pg_namespace where nspname in ('aws_commons', 'aws_lambda')"""
        ).fetchall()
    )


def _require_own_schemas(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """The comments by which we know our schemas; none where there are no such schemas."""
    comments = _schema_comments(connection)
    for schema, comment in sorted(comments.items()):
        if comment not in (_OURS, _OURS_WITH_LANGUAGE):
            raise InstallRefused(
                f"the schema {schema} in {connection.info.dbname} was not made by partwarden",
                remedy=f"look at what is in it (psql: \\dn+ {schema} and \\df {schema}.*) and use another database, "
                "or drop it",
            )
    return frozenset(comment for comment in comments.values() if comment is not None)


def _require_plpython(connection: psycopg.Connection[Any]) -> None:
    offered = connection.execute("select from pg_available_extensions where name = 'plpython3u'").fetchone()
    if offered is None:
        major = connection.info.server_version // 10000
        raise NotInstalled(
            f"PostgreSQL {major} at {connection.info.host}:{connection.info.port} has no PL/Python, "
            "which aws_lambda is written in",
            remedy=f"on the server: sudo apt-get install postgresql-plpython3-{major} python3-boto3",
        )


def _require_botocore(connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute(_PROBE)
    except psycopg.errors.ExternalRoutineException as error:
        raise NotInstalled(
            f"the Python of PostgreSQL at {connection.info.host}:{connection.info.port} can't load botocore, "
            f"which signs requests: {error.diag.message_primary}",
            remedy="on the server: sudo apt-get install python3-boto3",
        ) from error


def _drop_language_unless_used(connection: psycopg.Connection[Any]) -> None:
    try:
        with connection.transaction():
            connection.execute("drop extension if exists plpython3u")
    except psycopg.errors.DependentObjectsStillExist:
        return  # somebody's function is written in it by now
