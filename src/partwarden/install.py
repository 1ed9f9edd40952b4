"""Brings a database's schema ``partwarden`` to this version, refuses to go back, and removes it without trace.

Tables migrate by number; code is replaced whole when it differs. All of one install is one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from psycopg import errors, sql

from partwarden import __version__, bundle
from partwarden.database import OLDEST_SERVER, Connection, Server, explained, inspect, quoted
from partwarden.errors import InstallRefused

_LOCK_TIMEOUT = "10s"
_TRIES = 5
_DOOR_MARK = "partwarden: "


@dataclass(frozen=True)
class InstallReport:
    """What an install did. ``before`` is the version that was there, None for a first install."""

    database: str
    before: str | None
    migrations: tuple[str, ...]
    code_replaced: bool
    doors: tuple[str, ...]
    readers: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether the database is any different now."""
        return bool(self.migrations or self.code_replaced or self.doors or self.readers)


def install(
    connection: Connection,
    *,
    cluster: str | None = None,
    article_schema: str = "public",
    readers: Sequence[str] = (),
) -> InstallReport:
    """Install or upgrade, in one transaction; a second time it changes nothing.

    ``cluster`` is what messages call this server; at first the host that we have connected to, unless that is this
    machine. ``article_schema`` is where the article's two procedures go,
    so that its commands work as they are; a procedure of that name that is not ours is left alone. ``readers`` are
    roles that may call ``partwarden.given()`` from now on, which shows them pg_cron's jobs and what partwarden
    remembers, and may read pg_partman's configuration: what ``partwarden check`` needs.

    Raises InstallRefused when the server is too old or a standby, when the role may not create a schema, when a
    schema ``partwarden`` is there that is not ours, and when a newer partwarden has been here.
    """
    with explained("could not install partwarden", InstallRefused), connection.transaction():
        server = inspect(connection)
        connection.execute(sql.SQL("set local lock_timeout = {}").format(_LOCK_TIMEOUT))
        connection.execute("set local client_min_messages = warning")
        connection.execute("select pg_advisory_xact_lock(hashtext('partwarden install'))")
        _refuse_unfit(server)
        before = installed_version(connection)
        if before is None:
            _create_schema(connection, server)
        else:
            _refuse_newer(server, before)
        pending = _pending_migrations(connection, server)
        readers_before = _readers(connection)
        replace = bool(pending) or _code_differs(connection)
        if replace:
            _drop_code(connection)
        for migration in pending:
            connection.execute(migration.text)
            connection.execute(
                "insert into partwarden.migration (number, name, checksum) values (%s, %s, %s)",
                (migration.number, migration.name, migration.checksum),
            )
        if replace:
            connection.execute(bundle.code())
            connection.execute(
                """
                insert into partwarden.installation (version, code_hash) values (%s, %s)
                on conflict (only_row) do update
                set version = excluded.version, code_hash = excluded.code_hash, installed_at = now()
                """,
                (__version__, bundle.code_hash()),
            )
        if cluster is None and before is None:
            cluster = _host_name(connection)
        if cluster is not None:
            connection.execute(
                "update partwarden.setting set cluster = %s where cluster is distinct from %s", (cluster, cluster)
            )
        doors, notes = _place_doors(connection, server, article_schema, replace=replace)
        granted, reader_notes = _admit_readers(connection, server, readers, readers_before)
    return InstallReport(
        database=server.database,
        before=before,
        migrations=tuple(f"{each.number:04} {each.name}" for each in pending),
        code_replaced=replace,
        doors=doors,
        readers=granted,
        notes=(*notes, *reader_notes),
    )


def uninstall(connection: Connection) -> bool:
    """Remove the schema, everything of ours in it, and the article's procedures that are doors to it.

    Its jobs in pg_cron are ``schedule.unschedule``'s to remove, first. Returns False when there was nothing. What
    somebody else has put into the schema is not removed: InstallRefused names it.
    """
    with explained("could not remove partwarden", InstallRefused):
        for _ in range(_TRIES - 1):
            with suppress(errors.DeadlockDetected):  # a monitor that runs already: it ends, and the next try is alone
                return _uninstall(connection)
        return _uninstall(connection)


def _uninstall(connection: Connection) -> bool:
    with connection.transaction():
        connection.execute(sql.SQL("set local lock_timeout = {}").format(_LOCK_TIMEOUT))
        connection.execute("select pg_advisory_xact_lock(hashtext('partwarden install'))")
        doors = _our_doors(connection)
        for schema, door in doors:
            _drop_door(connection, schema, door)
        if installed_version(connection) is None:
            return bool(doors)
        _remove_guards(connection)
        _drop_code(connection)
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'partwarden'::regnamespace and relkind in ('r', 'p')"
        ).fetchall()
        ours = [name for (name,) in tables if name in _our_tables()]
        connection.execute(
            sql.SQL("drop table {}").format(sql.SQL(", ").join(sql.Identifier("partwarden", name) for name in ours))
        )
        connection.execute("drop schema partwarden")
    return True


def installed_version(connection: Connection) -> str | None:
    """The version of partwarden that this database has, None where it has none.

    Raises InstallRefused when there is a schema of that name which is not ours.
    """
    row = connection.execute(
        "select to_regclass('partwarden.installation') is not null, to_regnamespace('partwarden') is not null"
    ).fetchone()
    assert row is not None
    has_table, has_schema = row
    if has_table:
        found = connection.execute("select version from partwarden.installation").fetchone()
        return None if found is None else str(found[0])
    if has_schema:
        raise InstallRefused(
            'there is a schema "partwarden" that this tool did not make',
            remedy="rename or drop it: alter schema partwarden rename to …;",
        )
    return None


def is_up_to_date(connection: Connection) -> bool:
    """Whether the database has all of this version, and an install would change nothing.

    Raises InstallRefused when a newer partwarden has been here.
    """
    installed, server = installed_version(connection), inspect(connection)
    if installed is not None:
        _refuse_newer(server, installed)
    return installed == __version__ and not (_pending_migrations(connection, server) or _code_differs(connection))


def _refuse_unfit(server: Server) -> None:
    if server.version < OLDEST_SERVER:
        raise InstallRefused(
            f"PostgreSQL {server.version // 10000} is too old: partwarden needs {OLDEST_SERVER // 10000} or newer",
            remedy="partwarden check looks at it from outside as far as it can",
        )
    if server.in_recovery:
        raise InstallRefused("this server is a standby", remedy="install on its primary; the standby will follow")


def _refuse_newer(server: Server, installed: str) -> None:
    if _version_key(installed) > _version_key(__version__):
        raise InstallRefused(
            f"database {server.database} has partwarden {installed}, newer than this one, {__version__}",
            remedy="install with that version or a newer one; going back is not possible",
        )


def _host_name(connection: Connection) -> str | None:
    """The host as the user called it; background workers of the server don't know any."""
    host = connection.info.host
    return None if not host or host.startswith(("/", "127.", "localhost", "::1")) else host


def _create_schema(connection: Connection, server: Server) -> None:
    allowed = connection.execute("select has_database_privilege(current_database(), 'create')").fetchone()
    if allowed != (True,):
        raise InstallRefused(
            f"role {server.user} may not create a schema in database {server.database}",
            remedy=f"grant create on database {quoted(server.database)} to {quoted(server.user)};",
        )
    connection.execute("create schema partwarden")
    connection.execute("comment on schema partwarden is 'partwarden: guards partition maintenance'")
    connection.execute(
        """
        create table partwarden.migration (
            number     integer primary key,
            name       text not null,
            checksum   text not null,
            applied_at timestamptz not null default now()
        )
        """
    )


def _pending_migrations(connection: Connection, server: Server) -> list[bundle.Migration]:
    applied: dict[int, str] = dict(connection.execute("select number, checksum from partwarden.migration").fetchall())
    known = bundle.migrations()
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise InstallRefused(
                f"migration {migration.number:04} of database {server.database} is not the one this release has",
                remedy="install with the release that was used here before, or with a newer one",
            )
    if unknown := set(applied) - {migration.number for migration in known}:
        raise InstallRefused(
            f"database {server.database} has migrations that this release does not know: {sorted(unknown)}",
            remedy="install with the release that made them, or with a newer one",
        )
    return [migration for migration in known if migration.number not in applied]


def _code_differs(connection: Connection) -> bool:
    row = connection.execute("select version, code_hash from partwarden.installation").fetchone()
    return row != (__version__, bundle.code_hash())


def _drop_code(connection: Connection) -> None:
    """Drop every routine of the schema; it is ours, and code is always replaced whole."""
    routines = connection.execute(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'partwarden'::regnamespace"
    ).fetchall()
    if routines:
        names = sql.SQL(", ").join(sql.SQL(signature) for (signature,) in routines)
        connection.execute(sql.SQL("drop routine {}").format(names))


def _remove_guards(connection: Connection) -> None:
    """Remove what a killed ``maintain()`` has left on somebody's default partition; it is not in our schema."""
    if connection.execute("select to_regproc('partwarden.remove_guard') is not null").fetchone() == (True,):
        connection.execute("select partwarden.remove_guard(parent) from partwarden.guards()")


def _our_tables() -> set[str]:
    created = re.findall(r"create table partwarden\.(\w+)", "".join(each.text for each in bundle.migrations()))
    return {*created, "migration"}


def _place_doors(
    connection: Connection, server: Server, schema: str, *, replace: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Create or renew the article's procedures. Returns those made, and notes on why others were not."""
    ours = _our_doors(connection)
    others = connection.execute(
        """
        select proname from pg_proc
        where pronamespace = to_regnamespace(%s) and proname = any (%s)
          and coalesce(obj_description(oid, 'pg_proc'), '') not like %s
        """,
        (quoted(schema), list(bundle.ARTICLE_DOORS), _DOOR_MARK + "%"),
    ).fetchall()
    if others:
        names = ", ".join(f"{schema}.{name}" for (name,) in others)
        note = (
            f"left alone, because partwarden did not make them: {names}; drop them and install again to have the "
            "article's commands lead to partwarden.monitor()"
        )
        return (), (note,)
    if len(ours) == len(bundle.ARTICLE_DOORS) and not replace:
        return (), ()
    allowed = connection.execute("select has_schema_privilege(to_regnamespace(%s)::oid, 'create')", (quoted(schema),))
    if allowed.fetchone() != (True,):
        note = (
            f"the article's procedures were not made: role {server.user} may not create in schema {schema} "
            f"(grant create on schema {quoted(schema)} to {quoted(server.user)};)"
        )
        return (), (note,)
    for place, door in ours:
        _drop_door(connection, place, door)
    connection.execute(bundle.article_doors(quoted(schema)))
    return tuple(f"{schema}.{door}" for door in bundle.ARTICLE_DOORS), ()


def _readers(connection: Connection) -> set[str]:
    """The roles that may call the reader: code is replaced whole, and their right would go with it."""
    rows = connection.execute(
        """
        select pg_get_userbyid(entry.grantee)
        from pg_proc cross join aclexplode(proacl) entry
        where oid = to_regprocedure('partwarden.given()') and entry.grantee not in (0, proowner)
        """
    ).fetchall()
    return {str(name) for (name,) in rows}


def _admit_readers(
    connection: Connection, server: Server, wanted: Sequence[str], before: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Grant what ``partwarden check`` needs, to new readers and again to those there were; the new ones, and notes."""
    for role in wanted:
        if connection.execute("select to_regrole(%s) is null", (quoted(role),)).fetchone() == (True,):
            raise InstallRefused(f"there is no role {role}", remedy=f"create role {quoted(role)} login;")
    notes = []
    partman = server.extensions.get("pg_partman")
    for role in sorted({*before, *wanted}):
        reader = sql.Identifier(role)
        connection.execute(sql.SQL("grant usage on schema partwarden to {}").format(reader))
        connection.execute(sql.SQL("grant execute on function partwarden.given() to {}").format(reader))
        # What the page shows: incidents, notifications, runs of maintenance.
        connection.execute(sql.SQL("grant select on all tables in schema partwarden to {}").format(reader))
        connection.execute(
            sql.SQL(
                "grant execute on function partwarden.silent_until(text, text), partwarden.like_pattern(text) to {}"
            ).format(reader)
        )
        if partman is not None and not _may_read(connection, role, partman.schema):
            notes += _let_read(connection, role, partman.schema)
    for role in wanted:
        for granted, what in (("pg_read_all_stats", "sessions of others"), ("pg_read_all_settings", "settings")):
            row = connection.execute("select pg_has_role(%s, %s, 'member')", (role, granted)).fetchone()
            if row != (True,):
                notes.append(f"{role} does not see {what}: as an administrator, grant {granted} to {quoted(role)};")
        unreadable = connection.execute(
            """
            select count(*) from pg_partitioned_table
            where partdefid <> 0 and not has_table_privilege(%s, partdefid, 'select')
            """,
            (role,),
        ).fetchone()
        assert unreadable is not None
        if unreadable[0]:
            notes.append(
                f"default partitions that {role} may not look into: {unreadable[0]}; grant pg_read_all_data to "
                f"{quoted(role)}; or SELECT on them"
            )
    return tuple(role for role in wanted if role not in before), tuple(notes)


def _may_read(connection: Connection, role: str, schema: str) -> bool:
    row = connection.execute(
        "select has_schema_privilege(%s, %s, 'usage') and has_table_privilege(%s, %s, 'select')",
        (role, schema, role, quoted(schema, "part_config")),
    ).fetchone()
    return row == (True,)


def _let_read(connection: Connection, role: str, schema: str) -> list[str]:
    statement = sql.SQL(
        "grant usage on schema {schema} to {role}; grant select on {config}, {config_sub} to {role};"
    ).format(
        schema=sql.Identifier(schema),
        role=sql.Identifier(role),
        config=sql.Identifier(schema, "part_config"),
        config_sub=sql.Identifier(schema, "part_config_sub"),
    )
    try:
        with connection.transaction():
            connection.execute(statement)
            if _may_read(connection, role, schema):
                return []
    except errors.InsufficientPrivilege:
        pass
    return [f"{role} may not read pg_partman's configuration: as its owner, {statement.as_string(connection)}"]


def _our_doors(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        """
        select nspname, proname
        from pg_proc join pg_namespace on pronamespace = pg_namespace.oid
        where proname = any (%s) and obj_description(pg_proc.oid, 'pg_proc') like %s
        """,
        (list(bundle.ARTICLE_DOORS), _DOOR_MARK + "%"),
    ).fetchall()
    return [(schema, name) for schema, name in rows]


def _drop_door(connection: Connection, schema: str, name: str) -> None:
    connection.execute(sql.SQL("drop procedure {} (varchar, varchar)").format(sql.Identifier(schema, name)))


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
