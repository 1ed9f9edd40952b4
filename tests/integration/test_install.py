"""Installing, upgrading and removing the schema: idempotent, whole, and without trace."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from partwarden import __version__, bundle
from partwarden import install as installing
from partwarden.database import Connection, connect
from partwarden.errors import InstallRefused
from partwarden.install import install, installed_version, uninstall
from tests.servers import OWNER, Database
from tests.waiting import wait_until


def everything(connection: Connection) -> set[Any]:
    """Every schema, relation, routine, type and extension of a database, with owner and grants."""
    return set(
        connection.execute(
            """
            select 'schema', nspname::text, nspowner::regrole::text, nspacl::text from pg_namespace
            where nspname !~ '^pg_(temp|toast)'
            union all select 'relation', oid::regclass::text, relowner::regrole::text, relacl::text from pg_class
            where relnamespace <> 'pg_toast'::regnamespace
            union all select 'routine', oid::regprocedure::text, proowner::regrole::text, proacl::text from pg_proc
            union all select 'type', oid::regtype::text, typowner::regrole::text, typacl::text from pg_type
            where typnamespace <> 'pg_toast'::regnamespace
            union all select 'extension', extname::text, extversion, '' from pg_extension
            """
        ).fetchall()
    )


def test_an_ordinary_owner_installs_and_a_second_time_changes_nothing(database: Database) -> None:
    with database.connect_owner() as owner:
        first = install(owner)
        assert (first.before, first.changed, first.notes) == (None, True, ())
        there = everything(owner)
        second = install(owner)
        assert (second.before, second.changed) == (__version__, False)
        assert everything(owner) == there


def test_uninstall_removes_every_trace_and_nothing_else(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create table public.mine (id int)")
        before = everything(owner)
        install(owner)
        assert everything(owner) > before
        assert uninstall(owner) is True
        assert everything(owner) == before
        assert uninstall(owner) is False


def test_uninstall_tries_again_when_it_and_a_running_monitor_wait_for_each_other(database: Database) -> None:
    removed = []

    def remove() -> None:
        with database.connect_owner() as owner:
            owner.execute("set application_name = 'remover'")
            removed.append(uninstall(owner))

    with database.connect_owner() as owner:
        install(owner)
    with database.connect() as monitor, database.connect() as watcher:
        monitor.execute("set deadlock_timeout = '1 min'")  # so that it is the remover whom the server ends
        remover = threading.Thread(target=remove)
        with monitor.transaction():
            monitor.execute("select from partwarden.heartbeat")
            remover.start()
            wait_until(
                lambda: (
                    watcher.execute(
                        "select from pg_stat_activity where application_name = 'remover' and wait_event_type = 'Lock'"
                    ).fetchone()
                    is not None
                ),
                "the one waits for the other",
            )
            monitor.execute("select from partwarden.incident")
        remover.join(timeout=30)
    assert removed == [True]


def test_what_somebody_else_put_into_the_schema_is_not_removed(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("create table partwarden.notes_of_a_dba (note text)")
        with pytest.raises(InstallRefused, match=r"notes_of_a_dba|cannot drop schema"):
            uninstall(owner)
        assert installed_version(owner) == __version__  # all of it is still there
        owner.execute("select * from partwarden.run_checks()")


def test_a_view_on_our_tables_is_named_and_kept(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("create view public.open_incidents as select * from partwarden.incident")
        with pytest.raises(InstallRefused, match="cannot drop"):
            uninstall(owner)
        assert owner.execute("select count(*) from public.open_incidents").fetchone() == (0,)


def test_a_newer_version_is_not_replaced_by_an_older_one(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("update partwarden.installation set version = '99.0.0'")
        with pytest.raises(InstallRefused, match=rf"99\.0\.0, newer than this one, {__version__}"):
            install(owner)


def test_a_migration_that_is_not_known_here_is_refused(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("insert into partwarden.migration (number, name, checksum) values (9999, 'later', 'x')")
        with pytest.raises(InstallRefused, match=r"\[9999\]"):
            install(owner)


def test_an_edited_migration_is_refused(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("update partwarden.migration set checksum = 'edited'")
        with pytest.raises(InstallRefused, match="migration 0001"):
            install(owner)


def test_upgrading_keeps_the_data_and_replaces_the_code(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before this one had no second migration and other code."""
    with database.connect_owner() as owner:
        monkeypatch.setattr(installing, "__version__", "0.0.9")
        install(owner, cluster="kept")
        owner.execute("create function partwarden.of_the_old_version() returns int language sql as 'select 1'")
        monkeypatch.undo()
        released = bundle.migrations()
        later = bundle.Migration(
            released[-1].number + 1, "one more column", "alter table partwarden.incident add column colour text;"
        )
        monkeypatch.setattr(bundle, "migrations", lambda: [*released, later])

        report = install(owner)

        assert (report.before, report.migrations) == ("0.0.9", (f"{later.number:04} one more column",))
        assert installed_version(owner) == __version__
        assert owner.execute("select cluster from partwarden.setting").fetchone() == ("kept",)
        assert owner.execute("select to_regproc('partwarden.of_the_old_version')").fetchone() == (None,)
        owner.execute("select colour from partwarden.incident")
        owner.execute("call partwarden.monitor()")


def test_a_failing_install_leaves_nothing_half_made(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.connect_owner() as owner:
        before = everything(owner)
        monkeypatch.setattr(bundle, "code", lambda: "create function partwarden.broken() returns nonsense;")
        with pytest.raises(InstallRefused, match="could not install partwarden"):
            install(owner)
        assert everything(owner) == before


def test_a_schema_that_is_not_ours_is_left_alone(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create schema partwarden")
        with pytest.raises(InstallRefused, match="did not make"):
            install(owner)


def test_a_role_that_may_not_create_a_schema_is_told_the_grant(database: Database) -> None:
    with database.connect() as superuser:
        superuser.execute(f"alter database {database.name} owner to postgres")
        superuser.execute(f"revoke create on database {database.name} from public")
    with database.connect_owner() as owner, pytest.raises(InstallRefused) as refused:
        install(owner)
    assert refused.value.remedy == f'grant create on database "{database.name}" to "{OWNER}";'


def test_a_procedure_of_the_article_that_is_not_ours_is_left_alone(database: Database) -> None:
    with database.connect_owner() as owner:
        owner.execute("create procedure public.send_cron_job_failures(a varchar, b varchar) language sql as 'select 1'")
        report = install(owner)
        assert report.doors == ()
        assert "public.send_cron_job_failures" in report.notes[0]
        uninstall(owner)
        owner.execute("call public.send_cron_job_failures('a', 'b')")


def test_twenty_installers_at_once_leave_one_installation(database: Database) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
                install(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    installers = [threading.Thread(target=run) for _ in range(20)]
    for each in installers:
        each.start()
    for each in installers:
        each.join()
    assert errors == []
    with database.connect_owner() as owner:
        assert owner.execute("select count(*) from partwarden.migration").fetchone() == (len(bundle.migrations()),)


def test_every_routine_runs_under_a_pinned_search_path(database: Database) -> None:
    """A procedure that commits can't have a SET clause; everything else must."""
    with database.connect_owner() as owner:
        install(owner)
        unpinned = owner.execute(
            """
            select proname from pg_proc
            where pronamespace = 'partwarden'::regnamespace and prokind = 'f'
              and not coalesce(proconfig, '{}') && array['search_path=pg_catalog, pg_temp']
            """
        ).fetchall()
    assert unpinned == []


def test_every_body_is_valid_by_itself(database: Database) -> None:
    """At install the bodies are not looked at, because they name each other; here each one is made again."""
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("set check_function_bodies = on")
        definitions = owner.execute(
            "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'partwarden'::regnamespace"
        ).fetchall()
        assert len(definitions) > 20
        for (definition,) in definitions:
            owner.execute(definition)


def test_a_hostile_search_path_changes_nothing(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute("create schema evil")
        owner.execute(
            "create function evil.clock_timestamp() returns timestamptz language sql as 'select null::timestamptz'"
        )
        owner.execute(
            "create function evil.array_append(text[], text) returns text[] language sql as 'select null::text[]'"
        )
        owner.execute("set search_path = evil, pg_catalog")
        owner.execute("call partwarden.maintain()")
        owner.execute("call partwarden.monitor()")
        assert owner.execute("select outcome from partwarden.maintenance").fetchone() == ("succeeded",)


def test_nobody_else_may_call_or_read_anything(database: Database) -> None:
    with database.connect_owner() as owner:
        install(owner)
    with database.connect() as superuser:
        superuser.execute("create role a_stranger")
        try:
            superuser.execute("set role a_stranger")
            for statement in ("call partwarden.maintain()", "select * from partwarden.incident"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    superuser.execute(statement)
        finally:
            superuser.execute("reset role")
            superuser.execute("drop role a_stranger")


def test_a_password_never_reaches_an_error() -> None:
    with (
        pytest.raises(Exception, match="could not connect") as failure,
        connect("host=127.0.0.1 port=1 user=me password=s3cr3t-w0rd"),
    ):
        pass
    assert "s3cr3t-w0rd" not in str(failure.value)
    assert failure.value.__cause__ is None
