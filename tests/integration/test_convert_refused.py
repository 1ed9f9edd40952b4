"""partwarden convert: what it says before anything is locked, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from partwarden.converting import Conversion, Form, Wish, convert, look
from partwarden.database import Connection
from partwarden.draining.events import tell_nobody
from partwarden.errors import ConvertRefused
from tests.commands import partwarden
from tests.servers import Database

pytestmark = pytest.mark.one_server


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection; nothing of partwarden is in the database."""
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def looked_at(database: Database, table: str, **wish: object) -> Conversion:
    found = look(database.owner_dsn, Wish(table, "at", "1 day", **wish))  # type: ignore[arg-type]
    assert found is not None
    return found


OBSTACLES = {
    "inherits": (
        "create table app.base (at timestamptz not null); create table {t} () inherits (app.base)",
        "inherits from app.base",
    ),
    "is_inherited": (
        "create table {t} (at timestamptz not null); create table app.heir () inherits ({t})",
        "app.heir inherits from it",
    ),
    "typed": (
        "create type app.shape as (at timestamptz); create table {t} of app.shape",
        "table of type app.shape",
    ),
    "matview": (
        "create table {t} (at timestamptz); create materialized view app.summary as select count(*) from {t}",
        "materialized view app.summary is made from it",
    ),
    "row_type": (
        "create table {t} (at timestamptz); create function app.of({t}) returns int language sql as 'select 1'",
        "function app.of(app.row_type) uses its row type",
    ),
    "column_of_type": (
        "create table {t} (at timestamptz); create table app.holder (one {t})",
        "column one of table app.holder uses its row type",
    ),
    "referenced": (
        """create table {t} (id int primary key, at timestamptz not null);
        create table app.refers (id int constraint tells references {t})""",
        "foreign key tells of app.refers references it by a key that a partition set can't have: at is not in it",
    ),
    "unvalidated": (
        "create table {t} (at timestamptz); alter table {t} add constraint late check (at > '2000-01-01') not valid",
        "constraint late is not validated",
    ),
    "grouped": (
        """create table {t} (id int primary key, name text, at timestamptz not null);
        create view app.grouped_view as select id, name, count(*) from {t} group by id""",
        "depends on its primary key",
    ),
    "transition": (
        """create table {t} (at timestamptz);
        create function app.nothing() returns trigger language plpgsql as 'begin return null; end';
        create trigger many after insert on {t} referencing new table as fresh for each row execute function app.nothing()""",
        "row trigger many has transition tables",
    ),
    "published": (
        "create table {t} (at timestamptz); create publication plain for table {t}",
        "publication plain publishes it, and would publish each partition by its own name",
    ),
    "null_key": (
        "create table {t} (id int primary key, at timestamptz); insert into {t} values (1, null)",
        "at is null in some rows, and the primary key of a partition set has to have that column",
    ),
    "taken": (
        "create table {t} (at timestamptz); create table {t}_default (id int)",
        "there is a relation app.taken_default already",
    ),
    "sequence_used": (
        """create table {t} (id int generated always as identity, at timestamptz);
        create table app.borrower (id int default nextval('app.sequence_used_id_seq'))""",
        "uses the sequence of its identity column",
    ),
    '"dot.ted"': ("create table {t} (at timestamptz)", "a dot or an apostrophe"),
}


def test_what_is_in_the_way_is_named_before_anything_is_done(database: Database, owner: Connection) -> None:
    for name, (statements, _) in OBSTACLES.items():
        owner.execute(statements.format(t=f"app.{name}").encode())
    for name, (_, problem) in OBSTACLES.items():
        found = looked_at(database, f"app.{name}", form=Form.DEFAULT)
        told = [each.problem for each in found.obstacles]
        assert any(problem in each for each in told), (name, told)
        assert all(each.remedy for each in found.obstacles)
        assert found.steps == ()
    with pytest.raises(ConvertRefused, match="at is null in some rows, and the primary key"):
        convert(database.owner_dsn, Wish("app.null_key", "at", "1 day"), tell_nobody)


def test_what_can_not_be_a_partition_set_at_all(database: Database, owner: Connection) -> None:
    owner.execute(
        """
        create table app.plain (id int, at timestamptz, made int generated always as (id) stored, body json);
        create table app.parts (id int, at timestamptz) partition by range (at);
        create view app.shown as select 1;
        create table app.hidden (at timestamptz);
        alter table app.hidden enable row level security, force row level security;
        """
    )
    for table, control, interval, problem, remedy in (
        ("app.plain", "att", "1 day", "no such column", "did you mean at?"),
        ("app.plain", "xyz", "1 day", "no such column", "its columns: id, at, made, body"),
        ("app.plan", "at", "1 day", "there is no table app.plan", "did you mean app.plain?"),
        ("app.plain", "body", "1 day", "no column of type json", None),
        ("app.plain", "made", "1 day", "none that is generated", None),
        ("app.plain", "at", "a day", "a day is no interval of column at", None),
        ("app.plain", "id", "1 day", "1 day is no interval of column id", None),
        ("app.parts", "at", "1 day", "it is partitioned already", "partwarden apply"),
        ("app.shown", "at", "1 day", "it is no table", None),
        ("app.hidden", "at", "1 day", "row-level security", "NO FORCE ROW LEVEL SECURITY"),
        ("app.nothing", "at", "1 day", "there is no table app.nothing", None),
    ):
        with pytest.raises(ConvertRefused) as refused:
            look(database.owner_dsn, Wish(table, control, interval))
        assert problem in refused.value.problem
        assert (remedy or "") in str(refused.value.remedy)
    with database.connect() as superuser:
        superuser.execute("create table app.others (at timestamptz); alter table app.others owner to postgres")
        with pytest.raises(ConvertRefused, match="it belongs to postgres"):
            look(database.owner_dsn, Wish("app.others", "at", "1 day"))
        superuser.execute("drop extension pg_partman cascade")
    with pytest.raises(ConvertRefused, match="pg_partman, which is to manage its partitions, is not installed"):
        look(database.owner_dsn, Wish("app.plain", "at", "1 day"))


def test_a_first_partition_that_retention_would_remove_at_once_is_refused(
    database: Database, owner: Connection
) -> None:
    owner.execute("create table app.events (at timestamptz)")
    owner.execute(
        "insert into app.events select now() - number * interval '1 day' from generate_series(0, 9) as number"
    )

    asked = looked_at(database, "app.events", form=Form.FIRST, settings={"retention": "3 days"})
    assert "would be removed as a whole" in asked.obstacles[0].problem
    assert looked_at(database, "app.events", form=Form.FIRST).obstacles == ()
    assert looked_at(database, "app.events").form is Form.DEFAULT

    owner.execute("insert into app.events values (null)")
    found = looked_at(database, "app.events", form=Form.FIRST)
    assert "at is null in some rows" in found.obstacles[0].problem
    assert looked_at(database, "app.events").obstacles == ()


def test_what_will_be_different_is_said(database: Database, owner: Connection) -> None:
    owner.execute(
        """
        create table app.events (id int primary key, code text unique, at timestamptz, room int4range,
            constraint apart exclude using gist (room with &&), constraint here check (code <> '') no inherit);
        create function app.nothing() returns trigger language plpgsql as 'begin return new; end';
        create trigger early before insert or update on app.events for each row execute function app.nothing();
        """
    )
    told = "\n".join(looked_at(database, "app.events").warnings)
    for part in (
        "primary key events_pkey lacks at",
        "the set's is PRIMARY KEY (id, at)",
        "unique constraint events_code_key lacks at",
        "ON CONFLICT has to name all columns",
        "exclusion constraint apart stays with partition",
        "check constraint here is declared NO INHERIT",
        "trigger early fires when it is decided already which partition a row goes to",
        "at becomes NOT NULL",
    ):
        assert part in told


def test_the_command_shows_asks_does_and_undoes(database: Database, owner: Connection) -> None:
    owner.execute("create table app.events (id int primary key, at timestamptz not null)")
    owner.execute(
        "insert into app.events select number, now() - number * interval '1 day' from generate_series(0, 9) as number"
    )
    asked = ("convert", "app.events", "--control", "at", "--interval", "1 day", "-d", database.owner_dsn)

    shown = partwarden(*asked, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "alter table app.events attach partition app.events_default default;  -- access exclusive" in shown.stdout
    document = json.loads(partwarden(*asked, "--dry-run", "--json").stdout)
    assert document["possible"] is True
    assert document["form"] == "default"
    assert [step["phase"] for step in document["steps"]].count("exchange") == 1
    refused = partwarden(*asked)
    assert refused.returncode == 3
    assert "--yes" in refused.stderr

    done = partwarden(*asked, "--yes")
    assert done.returncode == 0, done.stderr
    assert "next: partwarden drain app.events" in done.stdout
    assert "nothing to do" in partwarden(*asked, "--yes").stdout
    back = partwarden("convert", "app.events", "--undo", "--json", "-d", database.owner_dsn)
    assert json.loads(back.stdout) == {"table": "app.events", "undone": True}
    assert partwarden("convert", "app.events", "-d", database.owner_dsn).returncode == 3
