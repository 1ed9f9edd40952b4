"""The extension aws_lambda in a database: is it there, may this role call it; made, granted, and taken away."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from partwarden.database import Connection, advice_of, connect, explained, inspect, quoted
from partwarden.errors import PartwardenError

_MARK = "created by partwarden aws deploy"

_GRANTS = (
    "grant usage on schema aws_commons, aws_lambda to {role}",
    "grant execute on all functions in schema aws_commons, aws_lambda to {role}",
)


class ExtensionFailed(PartwardenError):
    """aws_lambda could not be made, granted or removed."""


@dataclass(frozen=True)
class Extension:
    """What a role finds of aws_lambda. ``is_offered``: the server could create it."""

    database: str
    role: str
    is_there: bool
    is_offered: bool
    is_granted: bool


def look(connection: Connection) -> Extension:
    """What there is, for the role that has logged in."""
    row = connection.execute(
        """
        select current_database(), current_user,
               exists (select from pg_available_extensions where name = 'aws_lambda'),
               exists (select from pg_type
                       where typname = '_lambda_function_arn_1' and typnamespace = to_regnamespace('aws_commons'))
                   and exists (select from pg_proc
                               where proname = 'invoke' and pronamespace = to_regnamespace('aws_lambda'))
        """
    ).fetchone()
    assert row is not None
    database, role, is_offered, is_there = row
    granted = connection.execute(
        """
        select coalesce(bool_and(has_schema_privilege(pronamespace, 'usage') and has_function_privilege(oid, 'execute')),
                        false)
        from pg_proc
        where pronamespace in (to_regnamespace('aws_lambda'), to_regnamespace('aws_commons'))
          and proname in ('invoke', 'create_lambda_function_arn')
        """
    ).fetchone()
    return Extension(database, role, is_there, is_offered, is_there and granted == (True,))


def refuse_impossible(found: Extension) -> None:
    """Raise ExtensionFailed where the server does not even offer it."""
    if not found.is_there and not found.is_offered:
        raise ExtensionFailed(
            f"the server of database {found.database} does not offer the extension aws_lambda",
            remedy="RDS and Aurora do from PostgreSQL 11.13, 12.8, 13.4 and 14 on: see that the login leads there, "
            "and upgrade an older version",
        )


class ExtensionReady:
    """The extension is there, and the role whose job calls it may call it."""

    name = "aws_lambda"

    def __init__(self, dsn: str, admin_dsn: str | None) -> None:
        self._dsn = dsn
        self._admin_dsn = admin_dsn or dsn

    def found(self) -> str | None:
        """That it is so."""
        with connect(self._dsn) as connection:
            found = look(connection)
        refuse_impossible(found)
        return f"{found.role} may call it in database {found.database}" if found.is_granted else None

    def intent(self) -> str:
        """What would be done."""
        return "create extension aws_lambda cascade, unless it is there, and grant it to the login's role"

    def do(self) -> str:
        """Create it, and grant it."""
        with connect(self._dsn) as connection:
            wanted = look(connection)
        statements = [] if wanted.is_there else ["create extension aws_lambda cascade"]
        role = quoted(wanted.role)
        by_hand = "; ".join([*statements, *(each.format(role=role) for each in _GRANTS)]) + ";"
        with connect(self._admin_dsn, database=wanted.database) as admin:
            admin.autocommit = True
            try:
                if not wanted.is_there:
                    _create(admin)
                if not look(admin).is_granted or wanted.role != inspect(admin).user:
                    for grant in _GRANTS:
                        admin.execute(sql.SQL(grant).format(role=sql.Identifier(wanted.role)))
            except psycopg.errors.InsufficientPrivilege as failure:
                raise ExtensionFailed(
                    f"role {inspect(admin).user} may not do this in database {wanted.database}: "
                    f"{failure.diag.message_primary}",
                    remedy=f"as a member of rds_superuser: {by_hand} or name such a login with --admin-dsn",
                ) from failure
            except psycopg.Error as failure:
                raise ExtensionFailed(
                    f"aws_lambda could not be prepared in database {wanted.database}: {failure.diag.message_primary}",
                    remedy=advice_of(failure),
                ) from failure
        with connect(self._dsn) as connection:
            if not look(connection).is_granted:
                raise ExtensionFailed(
                    f"role {wanted.role} still may not call aws_lambda in database {wanted.database}",
                    remedy=f"as a member of rds_superuser: {by_hand}",
                )
        made = "" if wanted.is_there else "created, and "
        return f"{made}granted to {wanted.role} in database {wanted.database}"


def is_marked(connection: Connection) -> bool:
    """Whether a deploy has created the extension."""
    return "aws_lambda" in _marked(connection)


def remove(connection: Connection) -> bool:
    """Drop the extension if a deploy has created it and nothing else needs it. False where it has not."""
    connection.autocommit = True
    marked = _marked(connection)
    for name in ("aws_lambda", "aws_commons"):
        if name in marked:
            with explained(f"could not drop extension {name}", ExtensionFailed):
                connection.execute(sql.SQL("drop extension {}").format(sql.Identifier(name)))
    return "aws_lambda" in marked


def _marked(connection: Connection) -> set[str]:
    rows = connection.execute(
        "select extname from pg_extension where obj_description(oid, 'pg_extension') = %s", (_MARK,)
    ).fetchall()
    return {name for (name,) in rows}


def _create(admin: Connection) -> None:
    """Create it, and leave a mark on what was not there before, so that it can be known for ours."""
    with admin.transaction():
        before = inspect(admin).extensions
        admin.execute("create extension aws_lambda cascade")
        for name in ("aws_lambda", "aws_commons"):
            if name not in before and name in inspect(admin).extensions:
                admin.execute(sql.SQL("comment on extension {} is {}").format(sql.Identifier(name), sql.Literal(_MARK)))
