"""The extension aws_lambda is created, granted, known for ours, and removed; on PostgreSQL 18, which can be shown one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from partwarden.aws.extension import ExtensionFailed, ExtensionReady, is_marked, look, remove
from partwarden.database import Connection
from partwarden.local.aws_lambda import uninstall_aws_lambda
from tests.servers import OWNER, Database, Server

pytestmark = pytest.mark.parametrize("server", [18], indirect=True)

# As on RDS: nobody may call them until they are granted.
COMMONS = """
create type _lambda_function_arn_1 as (function_name text, region text);
create function create_lambda_function_arn(text, text default null) returns _lambda_function_arn_1
    language sql as 'select $1, $2';
revoke all on function create_lambda_function_arn from public;
"""
LAMBDA = """
create function invoke(text, json, text default null) returns json language sql as 'select $2';
revoke all on function invoke from public;
"""


@pytest.fixture
def offering(server: Server, database: Database) -> Iterator[Database]:
    """A database whose server offers extensions of these names, and which has none."""
    folder = server.cluster.folder / "share" / "extension"
    folder.mkdir(parents=True)
    for name, needs, script in (("aws_commons", "", COMMONS), ("aws_lambda", "requires = 'aws_commons'\n", LAMBDA)):
        (folder / f"{name}.control").write_text(
            f"default_version = '1.0'\nrelocatable = false\nschema = {name}\nsuperuser = true\n{needs}"
        )
        (folder / f"{name}--1.0.sql").write_text(script)
    for each in (folder.parent, folder, *folder.iterdir()):
        shutil.chown(each, *_owner_of(server))
    with database.connect() as superuser:
        uninstall_aws_lambda(superuser)
        superuser.execute(
            sql.SQL("alter database {} set extension_control_path = {}").format(
                sql.Identifier(database.name),
                sql.Literal(f"$system:{server.cluster.installation.inside(folder.parent)}"),
            )
        )
    yield database
    shutil.rmtree(folder.parent)


def _owner_of(server: Server) -> tuple[int, int]:
    status = server.cluster.folder.stat()
    return status.st_uid, status.st_gid


def extensions(connection: Connection) -> set[str]:
    rows = connection.execute("select extname from pg_extension where extname like 'aws_%'").fetchall()
    return {name for (name,) in rows}


def test_it_is_created_by_the_administrator_and_granted_to_the_owner(offering: Database) -> None:
    step = ExtensionReady(offering.owner_dsn, offering.dsn)
    assert step.found() is None
    assert step.do() == f"created, and granted to {OWNER} in database {offering.name}"
    assert step.found() == f"{OWNER} may call it in database {offering.name}"
    with offering.connect_owner() as owner:
        assert owner.execute("select aws_lambda.invoke('f', '{}')").fetchone() == ({},)
    with offering.connect() as superuser:
        assert extensions(superuser) == {"aws_commons", "aws_lambda"}
        assert is_marked(superuser)
        assert remove(superuser)
        assert extensions(superuser) == set()
        assert not remove(superuser)


def test_owner_who_may_not_create_it_is_told_what_an_administrator_has_to_say(offering: Database) -> None:
    step = ExtensionReady(offering.owner_dsn, None)
    with pytest.raises(ExtensionFailed, match=f"role {OWNER} may not do this in database") as failure:
        step.do()
    statements = (failure.value.remedy or "").removeprefix("as a member of rds_superuser: ").partition(" or name")[0]
    with offering.connect() as superuser:
        assert extensions(superuser) == set()
        for statement in filter(None, statements.split(";")):
            superuser.execute(statement)
    assert step.found() is not None


def test_what_was_there_before_is_granted_and_left_at_the_end(offering: Database) -> None:
    with offering.connect() as superuser:
        superuser.execute("create extension aws_lambda cascade")
    assert ExtensionReady(offering.owner_dsn, offering.dsn).do() == f"granted to {OWNER} in database {offering.name}"
    with offering.connect() as superuser:
        assert not is_marked(superuser)
        assert not remove(superuser)
        assert extensions(superuser) == {"aws_commons", "aws_lambda"}


def test_commons_that_others_use_stays(offering: Database) -> None:
    with offering.connect() as superuser:
        superuser.execute("create extension aws_commons")
    ExtensionReady(offering.owner_dsn, offering.dsn).do()
    with offering.connect() as superuser:
        assert remove(superuser)
        assert extensions(superuser) == {"aws_commons"}


def test_extension_that_somebody_builds_on_is_not_dropped(offering: Database) -> None:
    ExtensionReady(offering.owner_dsn, offering.dsn).do()
    with offering.connect() as superuser:
        superuser.execute("create view theirs as select aws_lambda.invoke('f', '{}')")
        with pytest.raises(ExtensionFailed, match="could not drop extension aws_lambda"):
            remove(superuser)
        assert is_marked(superuser)


def test_server_that_does_not_offer_it_is_refused(server: Server, database: Database) -> None:
    with database.connect() as superuser:
        uninstall_aws_lambda(superuser)
        assert look(superuser).is_offered is False
    with pytest.raises(ExtensionFailed, match="does not offer the extension aws_lambda"):
        ExtensionReady(database.owner_dsn, None).found()


def test_grant_that_is_missing_is_found(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as owner:
        assert look(owner).is_granted
    with database.connect() as superuser:
        superuser.execute(f"revoke usage on schema aws_commons from {OWNER}")
    with psycopg.connect(database.owner_dsn) as owner:
        found = look(owner)
    assert (found.is_there, found.is_granted) == (True, False)
    ExtensionReady(database.owner_dsn, database.dsn).do()
    with psycopg.connect(database.owner_dsn) as owner:
        assert look(owner).is_granted
