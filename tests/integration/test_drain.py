"""partwarden drain: every row where it belongs, whatever the set looks like, by each method."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from partwarden.database import Connection
from partwarden.draining import Drain, Event, Finished, Method, abandon, drain, look, swap
from partwarden.draining.events import Tell
from partwarden.draining.session import Session
from partwarden.errors import DrainRefused
from tests.partition_sets import create_parent, create_sub_parent, partitions, partman_version
from tests.servers import Database

BOTH = pytest.mark.parametrize("method", [Method.SWAP, Method.BATCH])

ROWS = 3_000


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection; nothing of partwarden is in the database."""
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def drained(database: Database, parent: str, **wish: object) -> Finished:
    return drain(database.owner_dsn, Drain(parent, **wish), ignore)  # type: ignore[arg-type]


def ignore(event: Event) -> None:
    """What is told on the way does not matter here."""


def contents(connection: Connection, parent: str) -> tuple[int, object]:
    """How many rows, and the sum of their hashes as text: the same whatever partition they lie in."""
    row = connection.execute(
        f"select count(*), sum(hashtextextended(listed::text, 0)) from {parent} listed".encode()
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def in_default(connection: Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def leftovers(connection: Connection) -> list[str]:
    """Whatever has a name of ours in the schema of the tables."""
    rows = connection.execute(
        """
        select relname::text from pg_class where relname like 'partwarden%' and relnamespace = 'app'::regnamespace
        union all select proname from pg_proc where proname like 'partwarden%' and pronamespace = 'app'::regnamespace
        union all select tgname from pg_trigger where tgname like 'partwarden%'
        union all select conname from pg_constraint where conname like 'partwarden%' and connamespace = 'app'::regnamespace
        """
    ).fetchall()
    return [name for (name,) in rows]


def events(
    connection: Connection, *, columns: str = "payload text", key: str = ", primary key (id, created_at)"
) -> None:
    """A set by day with rows of thirty days before its first partition, in its default partition."""
    connection.execute(
        f"create table app.events (id bigint not null, created_at timestamptz not null, {columns} {key})"
        " partition by range (created_at)".encode()
    )
    create_parent(connection, "app.events", "1 day", p_premake=3)
    connection.execute("update partman.part_config set infinite_time_partitions = true, ignore_default_data = true")


def fill(connection: Connection, rows: int = ROWS) -> None:
    connection.execute(
        f"""
        insert into app.events (id, created_at)
        select n, now() - interval '30 days' + (n % 20) * interval '1 day' + n * interval '1 second'
        from generate_series(1, {rows}) n
        """.encode()
    )
    connection.execute("insert into app.events (id, created_at) select n, now() from generate_series(1, 10) n")


def maintained(connection: Connection, parent: str = "app.events") -> None:
    """pg_partman goes on with the set as before."""
    connection.execute("select partman.run_maintenance(%s)", (parent,))


@BOTH
def test_rows_move_to_partitions_like_those_of_pg_partman(
    database: Database, owner: Connection, method: Method
) -> None:
    events(owner, columns="payload text default 'x', double bigint generated always as (id * 2) stored")
    owner.execute("create index on app.events (payload)")
    fill(owner)
    before = contents(owner, "app.events")

    finished = drained(database, "app.events", method=method)

    assert (finished.method, finished.rows_moved, finished.rows_staying) == (method, ROWS, 0)
    assert contents(owner, "app.events") == before
    assert in_default(owner, "app.events_default") == 0
    assert leftovers(owner) == []
    described = owner.execute(
        """
        select distinct
            (select string_agg(pg_get_indexdef(indexrelid), ';' order by indexrelid) from pg_index where indrelid = child.oid)
                is not null as has_indexes,
            (select count(*) from pg_index where indrelid = child.oid),
            (select string_agg(replace(conname, child.relname, '') || ':' || pg_get_constraintdef(pg_constraint.oid), ';'
                               order by pg_get_constraintdef(pg_constraint.oid))
             from pg_constraint where conrelid = child.oid),
            (select string_agg(concat_ws(':', attname, format_type(atttypid, atttypmod), attnotnull, attgenerated), ';'
                               order by attnum)
             from pg_attribute where attrelid = child.oid and attnum > 0),
            relowner, relacl::text, reloptions::text, relpersistence, relreplident
        from pg_inherits join pg_class child on child.oid = inhrelid
        where inhparent = 'app.events'::regclass
        """
    ).fetchall()
    assert len(described) == 1  # the default partition, pg_partman's own and ours are all alike
    names = owner.execute(
        "select count(*) from pg_index join pg_class on pg_class.oid = indrelid"
        " join pg_class index on index.oid = indexrelid"
        " where pg_class.relkind = 'r' and pg_class.relnamespace = 'app'::regnamespace"
        " and pg_class.oid in (select inhrelid from pg_inherits where inhparent = 'app.events'::regclass)"
        " and not starts_with(index.relname, pg_class.relname)"
    ).fetchone()
    assert names == (0,)
    maintained(owner)


@BOTH
def test_a_second_run_finds_nothing_to_do(database: Database, owner: Connection, method: Method) -> None:
    events(owner)
    fill(owner)
    drained(database, "app.events", method=method)
    assert drained(database, "app.events", method=method).rows_moved == 0


def test_a_dry_run_says_what_would_be_done_and_does_nothing(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    before = partitions(owner, "app.events")

    plan, holders = look(database.owner_dsn, Drain("app.events"))

    assert plan.rows == ROWS
    assert sum(1 for each in plan.intervals if each.rows) == 20 or sum(1 for each in plan.intervals if each.rows) == 21
    assert plan.method is Method.BATCH
    assert plan.disk_bytes > 0
    assert holders == []
    assert partitions(owner, "app.events") == before


@BOTH
def test_rows_that_are_absurdly_far_away_stay_and_are_named(
    database: Database, owner: Connection, method: Method
) -> None:
    events(owner)
    fill(owner)
    owner.execute("insert into app.events (id, created_at) values (1, '9999-12-31'), (2, '1970-01-01')")

    plan, _ = look(database.owner_dsn, Drain("app.events"))
    finished = drained(database, "app.events", method=method)

    assert plan.rows_staying == finished.rows_staying == 2
    assert [(each.lowest[:4], each.highest[:4]) for each in plan.staying if each.lowest and each.highest] == [
        ("1970", "9999")
    ]
    assert in_default(owner, "app.events_default") == 2
    maintained(owner)


@BOTH
def test_only_what_lies_between_from_and_to_is_moved(database: Database, owner: Connection, method: Method) -> None:
    events(owner)
    fill(owner)
    row = owner.execute("select (current_date - 25)::text, (current_date - 23)::text").fetchone()
    assert row is not None
    inside = in_default(owner, f"app.events_default where created_at >= '{row[0]}' and created_at < '{row[1]}'")

    finished = drained(database, "app.events", start=row[0], end=row[1], method=method)

    assert inside > 0
    assert finished.rows_moved == inside
    assert in_default(owner, "app.events_default") == ROWS - inside


CONTROLS = {
    "timestamp": ("timestamp", "1 day", "(now() - interval '30 days' + n * interval '3 hours')", {}),
    "date": ("date", "1 month", "(current_date - 400 + n)", {}),
    "bigint": ("bigint", "100", "n * 7", {"p_start_partition": "5000"}),
    "numeric": ("numeric", "100", "n * 7", {"p_start_partition": "5000"}),
    "epoch": ("bigint", "1 day", "extract(epoch from now())::bigint - 2000000 + n * 3600", {"p_epoch": "seconds"}),
    "milliseconds": (
        "bigint",
        "1 week",
        "(extract(epoch from now())::bigint - 4000000 + n * 3600) * 1000",
        {"p_epoch": "milliseconds"},
    ),
}


@BOTH
@pytest.mark.parametrize("control", CONTROLS)
def test_any_control_column_that_pg_partman_takes(
    database: Database, owner: Connection, method: Method, control: str
) -> None:
    kind, interval, value, arguments = CONTROLS[control]
    if kind == "numeric" and not partman_version(owner).startswith("5.5"):
        pytest.skip("older pg_partmans take no numeric")
    owner.execute(
        f"create table app.things (at {kind} not null, n integer, primary key (at, n)) partition by range (at)".encode()
    )
    create_parent(owner, "app.things", interval, p_control="at", p_premake=3, **arguments)
    owner.execute(f"insert into app.things select {value}, n from generate_series(1, 400) n".encode())
    assert in_default(owner, "app.things_default") > 0
    before = contents(owner, "app.things")

    finished = drained(database, "app.things", method=method)

    assert finished.rows_staying == 0
    assert in_default(owner, "app.things_default") == 0
    assert contents(owner, "app.things") == before
    assert leftovers(owner) == []
    maintained(owner, "app.things")


@BOTH
def test_a_control_column_of_uuids(database: Database, owner: Connection, method: Method) -> None:
    if partman_version(owner).startswith("4."):
        pytest.skip("pg_partman 4 knows no encoded control columns")
    owner.execute("create table app.things (id uuid primary key, n integer) partition by range (id)")
    create_parent(
        owner, "app.things", "1 day", p_control="id", p_premake=3,
        p_time_encoder="partman.uuid7_time_encoder", p_time_decoder="partman.uuid7_time_decoder",
    )  # fmt: skip
    owner.execute(
        "insert into app.things select (substr(partman.uuid7_time_encoder(now() - n * interval '1 hour')::text, 1, 24)"
        " || lpad(n::text, 12, '0'))::uuid, n from generate_series(1, 400) n"
    )
    assert in_default(owner, "app.things_default") > 0
    before = contents(owner, "app.things")

    drained(database, "app.things", method=method)

    assert in_default(owner, "app.things_default") == 0
    assert contents(owner, "app.things") == before
    maintained(owner, "app.things")


@BOTH
def test_a_set_that_nobody_manages(database: Database, owner: Connection, method: Method) -> None:
    owner.execute(
        """
        create table app.plain (at date not null, n integer) partition by range (at);
        create table app.plain_default partition of app.plain default;
        insert into app.plain select date '2024-01-31' + n, n from generate_series(1, 200) n
        """
    )
    with pytest.raises(DrainRefused, match="its interval is not known"):
        drained(database, "app.plain")
    before = contents(owner, "app.plain")

    finished = drained(database, "app.plain", interval="1 month", method=method)

    assert (finished.rows_moved, finished.partitions_made) == (200, 7)
    assert contents(owner, "app.plain") == before
    assert partitions(owner, "app.plain")[:3] == ["plain_default", "plain_p20240201", "plain_p20240301"]


@pytest.mark.parametrize("name", ['a ""b"""', "ünï 'x'", "x" * 63])
@BOTH
def test_names_that_need_quoting(database: Database, owner: Connection, method: Method, name: str) -> None:
    table = psycopg.sql.Identifier("app", name)
    owner.execute(psycopg.sql.SQL("create table {} (at date not null, {} text) partition by range (at)").format(
        table, psycopg.sql.Identifier('a "column"')))  # fmt: skip
    owner.execute(
        psycopg.sql.SQL("create table app.{} partition of {} default").format(
            psycopg.sql.Identifier(f"d{name}"[:60]), table
        )
    )
    owner.execute(
        psycopg.sql.SQL("insert into {} select date '2024-01-31' + n, n from generate_series(1, 100) n").format(table)
    )
    finished = drained(database, f"app.{name}", interval="1 month", method=method)
    assert finished.rows_moved == 100
    assert leftovers(owner) == []


def test_a_default_partition_that_fits_one_interval_becomes_it(database: Database, owner: Connection) -> None:
    events(owner)
    owner.execute("grant select on app.events_default to public")
    owner.execute(
        "insert into app.events (id, created_at) select n, current_date - 20 + n * interval '1 second'"
        " from generate_series(1, 5000) n"
    )
    # pg_partman counts from its first partition, so that nothing is missing in between.
    row = owner.execute("select min(substr(pg_get_expr(relpartbound, 0), 19, 10))::date - 1 from pg_class"
                        " where relpartbound is not null and pg_get_expr(relpartbound, 0) <> 'DEFAULT'").fetchone()  # fmt: skip
    assert row is not None
    owner.execute("update app.events_default set created_at = %s + (created_at - (current_date - 20))", (row[0],))
    before = contents(owner, "app.events")
    filenode = owner.execute("select pg_relation_filenode('app.events_default')").fetchone()

    finished = drained(database, "app.events")

    assert (finished.method, finished.rows_moved, finished.partitions_made) == (Method.ATTACH, 5000, 1)
    assert contents(owner, "app.events") == before
    assert in_default(owner, "app.events_default") == 0
    child = partitions(owner, "app.events")[1]
    assert owner.execute(f"select pg_relation_filenode('app.{child}')".encode()).fetchone() == filenode
    assert leftovers(owner) == []
    names = owner.execute(
        "select relname from pg_index join pg_class on pg_class.oid = indexrelid"
        f" where indrelid = 'app.{child}'::regclass".encode()
    ).fetchall()
    assert names == [(f"{child}_pkey",)]
    maintained(owner)


def test_a_big_default_partition_becomes_it_without_being_read_under_the_lock(
    database: Database, owner: Connection
) -> None:
    """PostgreSQL says by itself when it takes a constraint's word for where the rows are."""
    owner.execute("create table app.plain (at date not null, filler text) partition by range (at)")
    owner.execute("create table app.plain_default partition of app.plain default")
    owner.execute("insert into app.plain select '2024-05-05', repeat('x', 500) from generate_series(1, 20000)")
    told: list[str] = []
    owner.execute("set client_min_messages = debug1")
    before = contents(owner, "app.plain")
    with database.connect() as superuser:
        superuser.execute(f"alter database {database.name} set client_min_messages = debug1".encode())
    original = psycopg.connect

    def listening(*arguments: object, **more: object) -> Connection:
        connection = original(*arguments, **more)  # type: ignore[arg-type]
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg, "connect", listening)
        finished = drained(database, "app.plain", interval="1 month")

    assert (finished.method, finished.rows_moved) == (Method.ATTACH, 20000)
    assert any("plain_p20240501" in each and "is implied by existing constraints" in each for each in told)
    assert contents(owner, "app.plain") == before
    assert leftovers(owner) == []
    constraints = owner.execute(
        "select conname from pg_constraint where contype = 'c'"
        " and conrelid in (select relid from pg_partition_tree('app.plain'))"
    ).fetchall()
    assert constraints == []


def test_a_foreign_key_of_the_set_to_itself(database: Database, owner: Connection) -> None:
    """The article's own events_daily."""
    events(
        owner,
        columns="parent_id bigint, parent_at timestamptz",
        key=", primary key (id, created_at), foreign key (parent_id, parent_at) references app.events (id, created_at)",
    )
    fill(owner)
    owner.execute(
        "update app.events child set parent_id = above.id, parent_at = above.created_at"
        " from app.events above where above.id = child.id - 1 and above.created_at < now() - interval '1 day'"
    )
    before = contents(owner, "app.events")
    plan, _ = look(database.owner_dsn, Drain("app.events"))
    assert plan.method is Method.BATCH
    assert "references the set" in plan.because
    with pytest.raises(DrainRefused, match="references the set"):
        drained(database, "app.events", method=Method.SWAP)

    drained(database, "app.events")

    assert contents(owner, "app.events") == before
    assert in_default(owner, "app.events_default") == 0
    keys = owner.execute(
        "select distinct condeferrable, convalidated from pg_constraint"
        " where contype = 'f' and conrelid = 'app.events'::regclass"
    ).fetchall()
    assert keys == [(False, True)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute("delete from app.events where id = 5 and created_at < now() - interval '1 day'")
    maintained(owner)


@pytest.mark.parametrize("action", ["no action", "cascade", "set null", "restrict"])
def test_a_foreign_key_to_the_set_acts_on_nothing(database: Database, owner: Connection, action: str) -> None:
    events(owner)
    fill(owner)
    owner.execute(
        "create table app.note (id bigint, created_at timestamptz, constraint about foreign key (id, created_at)"
        f" references app.events (id, created_at) on delete {action})".encode()
    )
    owner.execute("comment on constraint about on app.note is 'what it is about'")
    owner.execute("insert into app.note select id, created_at from app.events")
    definition = (
        "select pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint') from pg_constraint"
        " where conname = 'about'"
    )
    before = (contents(owner, "app.note"), owner.execute(definition.encode()).fetchall())

    finished = drained(database, "app.events")

    assert finished.rows_moved == ROWS
    assert (contents(owner, "app.note"), owner.execute(definition.encode()).fetchall()) == before
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute("insert into app.note values (-1, now())")
    maintained(owner)


def test_a_foreign_key_of_somebody_elses_table_is_refused_with_the_way_out(
    database: Database, owner: Connection
) -> None:
    events(owner)
    fill(owner)
    with database.connect() as superuser:
        superuser.execute(
            "create table public.note (id bigint, created_at timestamptz,"
            " foreign key (id, created_at) references app.events (id, created_at) on delete cascade)"
        )
        superuser.execute("insert into public.note select id, created_at from app.events")
    with pytest.raises(
        DrainRefused, match=r"of public\.note references it, and role app_owner does not own that table"
    ):
        drained(database, "app.events")
    # Whoever may silence triggers may drain it, and nothing is deleted.
    finished = drain(database.dsn, Drain("app.events"), ignore)
    assert finished.rows_moved == ROWS
    with database.connect() as superuser:
        assert superuser.execute("select count(*) from public.note").fetchone() == (ROWS + 10,)


@BOTH
def test_foreign_keys_of_the_set_to_others(database: Database, owner: Connection, method: Method) -> None:
    owner.execute("create table app.organization (id bigint primary key)")
    owner.execute(f"insert into app.organization select generate_series(1, {ROWS})".encode())
    events(owner, columns="organization bigint default 1 references app.organization")
    fill(owner)
    before = contents(owner, "app.events")

    drained(database, "app.events", method=method)

    assert contents(owner, "app.events") == before
    states = owner.execute(
        "select distinct convalidated, conparentid <> 0 from pg_constraint where contype = 'f'"
        " and conrelid in (select inhrelid from pg_inherits where inhparent = 'app.events'::regclass)"
    ).fetchall()
    assert states == [(True, True)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute("insert into app.events values (1, now() - interval '20 days', -1)")
    maintained(owner)


@BOTH
def test_nobodys_triggers_fire(database: Database, owner: Connection, method: Method) -> None:
    events(owner)
    owner.execute("create table app.fired (what text)")
    owner.execute(
        "create function app.fire() returns trigger language plpgsql as"
        " $$ begin insert into app.fired values (tg_op); return coalesce(new, old); end $$"
    )
    fill(owner)
    owner.execute(
        "create trigger watch after insert or update or delete on app.events for each row execute function app.fire()"
    )
    drained(database, "app.events", method=method)
    assert owner.execute("select count(*) from app.fired").fetchone() == (0,)
    owner.execute("update app.events set payload = 'y' where id = 7")
    assert owner.execute("select count(*) from app.fired").fetchone() == (2,)
    enabled = owner.execute("select distinct tgenabled::text from pg_trigger where tgname = 'watch'").fetchall()
    assert enabled == [("O",)]


def test_row_level_security_that_hides_rows_is_refused(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    owner.execute("alter table app.events enable row level security, force row level security")
    owner.execute("create policy few on app.events using (id < 10)")
    with pytest.raises(DrainRefused, match=r"row-level security hides rows of app\.events from role app_owner"):
        drained(database, "app.events")


def test_a_default_partition_with_something_of_its_own_is_kept(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    owner.execute("create view app.strays as select * from app.events_default")
    oid = owner.execute("select 'app.events_default'::regclass::oid").fetchone()
    with pytest.raises(DrainRefused, match=r"view app\.strays depends on app\.events_default"):
        drained(database, "app.events", method=Method.SWAP)
    drained(database, "app.events")
    assert owner.execute("select 'app.events_default'::regclass::oid").fetchone() == oid
    assert in_default(owner, "app.strays") == 0


@BOTH
def test_a_table_without_a_key(database: Database, owner: Connection, method: Method) -> None:
    events(owner, columns="payload json, place point", key="")
    fill(owner)
    owner.execute("insert into app.events select * from app.events_default")  # each row twice
    before = contents(owner, "app.events")
    drained(database, "app.events", method=method)
    assert contents(owner, "app.events") == before
    assert in_default(owner, "app.events_default") == 0


def test_sub_partitions_are_made_as_pg_partman_makes_them(database: Database, owner: Connection) -> None:
    owner.execute(
        "create table app.hourly (id bigint, created_at timestamptz not null, event_date timestamptz not null)"
        " partition by range (created_at)"
    )
    create_parent(owner, "app.hourly", "1 day", p_premake=1)
    create_sub_parent(owner, "app.hourly", "event_date", "1 hour", p_premake=2)
    owner.execute(
        "insert into app.hourly select n, now() - interval '6 days' + n * interval '1 hour', now()"
        " from generate_series(1, 50) n"
    )
    before = contents(owner, "app.hourly")
    assert in_default(owner, "app.hourly_default") > 0

    finished = drained(database, "app.hourly")

    assert finished.method is Method.BATCH
    assert in_default(owner, "app.hourly_default") == 0
    assert contents(owner, "app.hourly") == before
    configured = owner.execute(
        "select count(*) from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'app.hourly'::regclass"
        " and relkind = 'p' and 'app.' || relname not in (select parent_table from partman.part_config)"
    ).fetchone()
    assert configured == (0,)


def test_a_template_tablespace_and_privileges_are_followed(database: Database, owner: Connection) -> None:
    events(owner, key="")
    template = owner.execute("select template_table from partman.part_config").fetchone()
    assert template is not None
    owner.execute(f"alter table {template[0]} add unique (id)".encode())
    owner.execute(f"alter table {template[0]} set (fillfactor = 70)".encode())
    owner.execute("grant select on app.events to pg_monitor")
    owner.execute("update partman.part_config set inherit_privileges = true, premake = 4")
    maintained(owner)
    owner.execute(
        "insert into app.events (id, created_at) select n, now() - n * interval '1 hour' from generate_series(1, 400) n"
    )
    drained(database, "app.events", method=Method.SWAP)
    traits = owner.execute(
        """
        select relacl::text, reloptions::text,
            (select count(*) from pg_index where indrelid = pg_class.oid and indisunique)
        from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'app.events'::regclass and relname <> 'events_default'
        group by 1, 2, 3 order by count(*) desc
        """
    ).fetchall()
    assert traits[0][1:] == ("{fillfactor=70}", 1)
    assert "pg_monitor=r" in traits[0][0]


def test_the_new_default_partition_is_like_the_old_one(database: Database, owner: Connection) -> None:
    events(owner)
    owner.execute(
        """
        alter table app.events_default set (fillfactor = 80, toast.autovacuum_enabled = off);
        alter table app.events_default add constraint nonsense check (id > -5);
        alter table app.events_default alter payload set statistics 77, alter payload set storage external;
        alter table app.events_default replica identity full;
        comment on table app.events_default is 'strays';
        create index strays on app.events_default (payload) where payload is not null;
        grant select, update on app.events_default to pg_monitor with grant option;
        """
    )
    fill(owner)
    traits = """
        select relname, (select array_agg(entry::text order by entry::text) from unnest(relacl) entry),
            reloptions::text, relreplident, relowner, obj_description(pg_class.oid),
            (select reloptions::text from pg_class toast where toast.oid = pg_class.reltoastrelid),
            (select array_agg((attname, atttypid, attnotnull, attstorage, attstattarget)::text order by attnum)
             from pg_attribute where attrelid = pg_class.oid and attnum > 0),
            (select array_agg(pg_get_indexdef(indexrelid) order by indexrelid::regclass::text) from pg_index
             where indrelid = pg_class.oid),
            (select array_agg((conname, pg_get_constraintdef(oid))::text order by conname) from pg_constraint
             where conrelid = pg_class.oid)
        from pg_class where oid = 'app.events_default'::regclass
    """
    before = owner.execute(traits.encode()).fetchone()
    drained(database, "app.events", method=Method.SWAP)
    assert owner.execute(traits.encode()).fetchone() == before


def test_what_was_begun_can_be_taken_back(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    before = (partitions(owner, "app.events"), contents(owner, "app.events"))
    with database.connect_owner() as reader:
        reader.execute("begin")
        reader.execute("select count(*) from app.events")
        with pytest.raises(DrainRefused, match=f"process {reader.info.backend_pid} .* holds AccessShareLock"):
            drained(database, "app.events", method=Method.SWAP, window=0.5)
    assert leftovers(owner) != []

    assert abandon(database.owner_dsn, Drain("app.events"), ignore)

    assert leftovers(owner) == []
    assert (partitions(owner, "app.events"), contents(owner, "app.events")) == before
    assert not abandon(database.owner_dsn, Drain("app.events"), ignore)


def test_a_copy_that_differs_is_never_put_in_place(
    database: Database, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    events(owner)
    fill(owner)
    before = contents(owner, "app.events")
    verify = swap._verify

    def spoil(session: Session, wish: Drain, tell: Tell) -> None:
        child = next(table for number, table in swap.Begun(session).targets() if number)
        with session.connection.transaction():
            session.connection.execute(f"update {child} set payload = 'another'".encode())
        verify(session, wish, tell)

    monkeypatch.setattr(swap, "_verify", spoil)
    wish = Drain("app.events", method=Method.SWAP)
    with pytest.raises(
        DrainRefused, match=r"the copy differs .* app\.events_p\S+ should have \d+ rows of it and has \d+"
    ):
        drain(database.owner_dsn, wish, ignore)
    assert contents(owner, "app.events") == before
    monkeypatch.undo()
    assert abandon(database.owner_dsn, wish, ignore)
    assert leftovers(owner) == []
    assert contents(owner, "app.events") == before


def test_two_drains_of_one_set_do_not_meet(database: Database, owner: Connection) -> None:
    events(owner)
    fill(owner)
    owner.execute("select pg_advisory_lock(hashtext('partwarden drain'), 'app.events'::regclass::oid::integer)")
    with pytest.raises(DrainRefused, match=f"another drain works on it, process {owner.info.backend_pid}"):
        drained(database, "app.events")


def test_what_is_no_partition_set_is_refused_with_its_name(database: Database, owner: Connection) -> None:
    owner.execute("create table app.plain (id int)")
    owner.execute("create table app.bare (id int) partition by range (id)")
    for parent, told in (
        ("app.nothing", r"there is no table app\.nothing"),
        ("app.plain", r"app\.plain: it is not a partitioned table"),
    ):
        with pytest.raises(DrainRefused, match=told):
            drained(database, parent)
    with pytest.raises(DrainRefused, match=r"app\.bare: it has no default partition"):
        drained(database, "app.bare", interval="10")
