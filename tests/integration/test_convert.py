"""partwarden convert: a plain table becomes a partition set, with all that hangs on it, and nobody notices."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg import sql

from partwarden.converting import Conversion, Converted, Form, Undo, Wish, convert, look, undo
from partwarden.database import Connection
from partwarden.draining import Drain, Step, Waiting, drain
from partwarden.draining.events import tell_nobody
from partwarden.errors import ConvertRefused, LockNotAcquired
from partwarden.health import check_database
from tests.partition_sets import partitions, partman_version
from tests.servers import Database

INFINITE = {"infinite_time_partitions": "true"}

ARTICLE = """
create table app.organization (org_id int primary key, name text not null);
insert into app.organization select number, 'org ' || number from generate_series(1, 5) as number;
create table app.events (
    event_id bigint generated always as identity,
    dropped int,
    created_at timestamptz,
    org_id int not null constraint of_organization references app.organization,
    parent_id bigint,
    parent_at timestamptz,
    operation char(1) not null constraint operation_known check (operation in ('I', 'U', 'D')),
    serial_no bigserial,
    doubled bigint generated always as (org_id * 2) stored,
    payload text,
    constraint events_key primary key (event_id, created_at),
    constraint of_parent foreign key (parent_id, parent_at) references app.events (event_id, created_at)
) with (fillfactor = 90);
alter table app.events drop column dropped;
create index events_by_org on app.events (org_id, created_at desc);
create index on app.events (lower(payload)) where payload is not null;
create unique index events_serial on app.events (serial_no);
insert into app.events (created_at, org_id, operation, payload)
    select now() - number * interval '7 hours', 1 + number % 5, 'I', 'row ' || number from generate_series(0, 40) as number;
update app.events later set parent_id = former.event_id, parent_at = former.created_at
    from app.events former where former.event_id = later.event_id + 1;
create table app.detail (id int primary key, event_id bigint, event_at timestamptz,
    constraint of_event foreign key (event_id, event_at) references app.events (event_id, created_at) on delete cascade);
insert into app.detail select event_id, event_id, created_at from app.events where event_id > 35;
comment on constraint of_event on app.detail is 'each detail has its event';
create view app.recent with (security_barrier) as
    select event_id, created_at, name from app.events join app.organization using (org_id);
create view app.over_recent as select * from app.recent;
create function app.stamp() returns trigger language plpgsql as
    'begin new.payload := coalesce(new.payload, ''none''); return new; end';
create trigger stamp before insert on app.events for each row execute function app.stamp();
create trigger idle before delete on app.events for each row execute function app.stamp();
alter table app.events disable trigger idle;
create policy theirs on app.events for select to convert_reader using (org_id < 3);
alter table app.events enable row level security;
create rule keep as on delete to app.events where old.org_id = 5 do instead nothing;
create function app.latest() returns bigint language sql stable begin atomic select max(event_id) from app.events; end;
grant select on app.events, app.recent to convert_reader;
grant insert (payload) on app.events to convert_reader;
grant usage on sequence app.events_event_id_seq to convert_reader;
grant usage on schema app to convert_reader;
comment on table app.events is 'what has happened';
comment on column app.events.payload is 'what it was';
alter table app.events alter column payload set statistics 500;
"""


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection; nothing of partwarden is in the database."""
    with database.connect() as superuser:
        superuser.execute(
            "do $$ begin create role convert_reader; exception when duplicate_object then null; end $$;"
            "create publication everything with (publish_via_partition_root)"
        )
        superuser.execute("alter publication everything owner to app_owner")
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def converted(database: Database, wish: Wish) -> Converted:
    done = convert(database.owner_dsn, wish, tell_nobody)
    assert done is not None
    return done


def looked_at(database: Database, wish: Wish) -> Conversion:
    found = look(database.owner_dsn, wish)
    assert found is not None
    return found


def drained(database: Database, table: str) -> None:
    drain(database.owner_dsn, Drain(table), tell_nobody)


def findings(database: Database) -> list[str]:
    report = check_database(database.owner_dsn)
    assert report.error is None
    return [each.check for each in report.findings]


def one(connection: Connection, statement: str, *parameters: object) -> Any:
    row = connection.execute(statement.encode(), parameters or None).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def contents(connection: Connection, table: str) -> object:
    return one(connection, f"select count(*), sum(hashtextextended(listed::text, 0)) from {table} listed")


def leftovers(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select relname::text from pg_class where relname like 'partwarden%' union all "
        "select proname::text from pg_proc where proname like 'partwarden%' union all "
        "select conname::text from pg_constraint where conname like 'partwarden%' union all "
        "select tgname::text from pg_trigger where tgname like 'partwarden%'"
    ).fetchall()
    return [name for (name,) in rows]


def described(connection: Connection) -> list[str]:
    """All that makes the tables what they are, by name."""
    rows = connection.execute(
        """
        with mine as (select oid from pg_class where relnamespace = 'app'::regnamespace)
        select concat_ws(' ', 'relation', relname, relkind, relacl, reloptions, relrowsecurity, relreplident,
            obj_description(oid, 'pg_class'))
        from pg_class where relnamespace = 'app'::regnamespace
            or relnamespace = 'partman'::regnamespace and relname like 'template%'
        union all
        select concat_ws(' ', 'column', attrelid::regclass, attname, attnotnull, attidentity, attacl,
            to_jsonb(pg_attribute) -> 'attstattarget', pg_get_expr(adbin, adrelid))
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid in (select oid from mine) and attnum > 0 and not attisdropped
        union all
        select concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
        from pg_index where indrelid in (select oid from mine)
        union all
        select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated,
            obj_description(oid, 'pg_constraint'))
        from pg_constraint where conrelid in (select oid from mine) and contype <> 'n'
        union all
        select concat_ws(' ', 'trigger', pg_get_triggerdef(oid), tgenabled) from pg_trigger
        where tgrelid in (select oid from mine) and not tgisinternal
        union all
        select concat_ws(' ', 'view', relname, pg_get_viewdef(oid))
        from pg_class where relkind = 'v' and oid in (select oid from mine)
        union all
        select concat_ws(' ', 'policy', to_jsonb(listed)) from pg_policies listed
        union all
        select concat_ws(' ', 'rule', to_jsonb(listed)) from pg_rules listed where schemaname = 'app'
        union all
        select concat_ws(' ', 'publication', prrelid::regclass,
            regexp_replace((to_jsonb(listed) - 'oid' - 'prrelid')::text, ':location -?[0-9]+', '', 'g'))
        from pg_publication_rel listed
        union all
        select concat_ws(' ', 'function', pg_get_functiondef(oid)) from pg_proc where pronamespace = 'app'::regnamespace
        union all
        select concat_ws(' ', 'sequence', seqrelid::regclass, seqstart, refobjid::regclass)
        from pg_sequence join pg_depend on objid = seqrelid and refobjid in (select oid from mine)
        order by 1
        """
    ).fetchall()
    return [line for (line,) in rows]


def test_an_articles_table_becomes_a_set_with_all_that_hangs_on_it(database: Database, owner: Connection) -> None:
    owner.execute(ARTICLE.encode())
    owner.execute("alter publication everything add table app.events")
    identity = "d" if partman_version(owner).startswith("4.") else "i"  # pg_partman 4 does not hand it on
    if identity == "i":
        owner.execute("alter table app.events replica identity using index events_key")
    before, said = contents(owner, "app.events"), described(owner)
    wish = Wish("app.events", "created_at", "1 day", settings=INFINITE)

    planned = looked_at(database, wish)
    assert described(owner) == said  # looking changes nothing
    with noted() as sent:
        done = converted(database, wish)

    assert planned.form is done.form is Form.DEFAULT
    fingerprint = re.compile("[0-9a-f]{32}")
    listed = ";\n".join(statement.text for statement in planned.statements)
    assert fingerprint.sub("…", ";\n".join(sent)) == fingerprint.sub("…", listed)
    assert contents(owner, "app.events") == before
    assert findings(database) == ["default-not-empty"]
    assert leftovers(owner) == []
    assert partitions(owner, "app.events")[0] == "events_default"
    assert len(partitions(owner, "app.events")) == 1 + planned.partitions

    # Names, keys, and who may do what.
    assert one(owner, "select pg_get_constraintdef(oid) from pg_constraint where conname = 'events_key'") == (
        "PRIMARY KEY (event_id, created_at)"
    )
    assert one(owner, "select count(*) from pg_index where not indisvalid") == 0
    assert (
        one(owner, "select obj_description('app.events'::regclass), col_description('app.events'::regclass, 10)")
        == (
            "what has happened",
            "what it was",
        )
        or one(owner, "select obj_description('app.events'::regclass)") == "what has happened"
    )
    assert one(owner, "select relreplident::text from pg_class where oid = 'app.events'::regclass") == identity
    assert one(owner, "select reloptions::text from pg_class where oid = 'app.events_default'::regclass") == (
        one(
            owner,
            "select distinct reloptions::text from pg_class join pg_inherits on oid = inhrelid "
            "where inhparent = 'app.events'::regclass",
        )
    )
    assert one(owner, "select array_agg(prrelid::regclass::text) from pg_publication_rel") == ["app.events"]
    with database.connect() as superuser:
        superuser.execute("set role convert_reader")
        assert one(superuser, "select count(*) filter (where org_id >= 3), count(*) > 0 from app.events") == (0, True)
        assert one(superuser, "select count(*) > 0 from app.recent")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            superuser.execute("select from app.events_default")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            superuser.execute("delete from app.events")

    # What acts, and what refers to it.
    new = one(
        owner,
        "insert into app.events (created_at, org_id, operation) values (now() + interval '1 day', 1, 'I')"
        " returning event_id, serial_no, payload, doubled, tableoid <> 'app.events_default'::regclass",
    )
    assert new == (42, 42, "none", 2, True)
    assert one(owner, "select app.latest()") == 42
    assert one(owner, "select max(event_id) from app.over_recent") == 42
    owner.execute("insert into app.detail select 42, event_id, created_at from app.events where event_id = 42")
    for statement, error in (
        ("insert into app.detail values (43, 43, now())", psycopg.errors.ForeignKeyViolation),
        (
            "insert into app.events (created_at, org_id, operation) values (now(), 9, 'I')",
            psycopg.errors.ForeignKeyViolation,
        ),
        (
            "insert into app.events (created_at, org_id, operation, parent_id, parent_at) select now(), 1, 'I', 99, now()",
            psycopg.errors.ForeignKeyViolation,
        ),
        (
            "insert into app.events (created_at, org_id, operation) values (now(), 1, 'X')",
            psycopg.errors.CheckViolation,
        ),
    ):
        with pytest.raises(error):
            owner.execute(statement.encode())
    owner.execute("delete from app.events where event_id = 42")
    assert one(owner, "select count(*) from app.detail where id = 42") == 0
    assert one(owner, "select bool_and(convalidated) from pg_constraint where contype = 'f' and conparentid = 0")
    assert "each detail has its event" in str(described(owner))

    drained(database, "app.events")
    assert findings(database) == []
    assert contents(owner, "app.events") == before


def test_what_lies_in_one_interval_becomes_the_partition_of_that(database: Database, owner: Connection) -> None:
    owner.execute("create table app.events (id bigint primary key, at timestamptz, note text)")
    owner.execute("insert into app.events select number, now(), 'n' from generate_series(1, 100) as number")

    done = converted(database, Wish("app.events", "at", "10 years", premake=2, settings=INFINITE))

    assert done.form is Form.FIRST
    assert done.next == "nothing is left to do"
    assert findings(database) == []
    assert one(owner, "select distinct tableoid::regclass::text from app.events") == done.partition
    # The old key still holds among the old rows; a new row of another partition is not compared with them.
    with pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("insert into app.events values (1, now() + interval '1 second')")
    owner.execute("insert into app.events values (1, now() + interval '11 years')")
    owner.execute(
        "update partman.part_config set retention = '1 year', retention_keep_table = false; select partman.run_maintenance()"
    )
    assert one(owner, "select count(*) from app.events") == 101


WEIRD = '"Weird ""Table"", {}"'


def test_names_may_be_as_weird_and_long_as_they_come(database: Database, owner: Connection) -> None:
    multibyte = not partman_version(owner).startswith("4.")
    names = {
        "schema": 'My "Schema"',
        "table": ('Weird "Table", ' + ("ünï " if multibyte else "uni ") + "x" * 60).encode()[:63].decode(),
        "control": 'when "it", was',
        "view": 'a "view"',
        "trigger": 'a "trigger"',
        "key": 'the "key" ' + "k" * 53,
    }
    quoted = {name: sql.Identifier(text) for name, text in names.items()}
    qualified = f"{names['schema']}.{names['table']}"
    owner.execute("create function app.nothing() returns trigger language plpgsql as 'begin return null; end'")
    owner.execute(
        sql.SQL(
            """
            create schema {schema};
            create table {schema}.{table} (id bigint generated by default as identity constraint {key} primary key,
                {control} timestamptz not null, "co,de" text unique);
            create index on {schema}.{table} ({control});
            insert into {schema}.{table} ({control}, "co,de")
                select now() - number * interval '1 day', number from generate_series(0, 9) as number;
            create view {schema}.{view} as select * from {schema}.{table};
            create trigger {trigger} after insert on {schema}.{table} for each row execute function app.nothing();
            """
        ).format(**quoted)
    )
    table = sql.Identifier(names["schema"], names["table"]).as_string(owner)
    before = contents(owner, table)
    wish = Wish(qualified, names["control"], "1 day", settings=INFINITE)

    converted(database, wish)

    assert findings(database) == ["default-not-empty"]
    drained(database, qualified)
    assert contents(owner, table) == before
    assert findings(database) == []
    assert leftovers(owner) == []


def test_any_control_column_that_pg_partman_takes(database: Database, owner: Connection) -> None:
    owner.execute("set timezone = 'UTC'")
    cases = {
        "id": ("bigint", "number * 70", Wish("app.id", "c", "1000", premake=2)),
        "numbers": ("int", "number", Wish("app.numbers", "c", "1000", premake=2)),
        "dates": ("date", "current_date - number", Wish("app.dates", "c", "1 month", settings=INFINITE)),
        "stamps": (
            "timestamp",
            "localtimestamp - number * interval '6 hours'",
            Wish("app.stamps", "c", "1 week", settings=INFINITE),
        ),
        "epoch": (
            "bigint",
            "extract(epoch from now())::bigint * 1000 - number * 3600000",
            Wish("app.epoch", "c", "1 day", epoch="milliseconds", settings=INFINITE),
        ),
        "ahead": (
            "timestamptz",
            "now() + number * interval '1 hour'",
            Wish("app.ahead", "c", "1 day", settings=INFINITE),
        ),
        "outlier": (
            "timestamptz",
            "case number when 7 then 'infinity' when 8 then timestamptz '2199-01-01' else now() end",
            Wish("app.outlier", "c", "1 day", settings=INFINITE),
        ),
        "empty": ("timestamptz", None, Wish("app.empty", "c", "15 minutes", settings=INFINITE)),
    }
    if not partman_version(owner).startswith("4."):
        owner.execute(
            "create function app.write(timestamptz) returns text language sql stable as"
            " $$ select to_char($1, 'YYYYMMDDHH24MISS') $$;"
            "create function app.read(text) returns timestamptz language sql stable as"
            " $$ select to_timestamp($1, 'YYYYMMDDHH24MISS') $$"
        )
        cases["encoded"] = (
            'text collate "C"',
            "app.write(now() - number * interval '1 hour')",
            Wish("app.encoded", "c", "1 day", time_encoder="app.write", time_decoder="app.read", settings=INFINITE),
        )
    for name, (kind, value, wish) in cases.items():
        owner.execute(f"create table app.{name} (c {kind} not null, note text)".encode())
        if value is not None:
            owner.execute(f"insert into app.{name} select {value}, 'n' from generate_series(0, 99) as number".encode())
        before = contents(owner, f"app.{name}")
        done = converted(database, wish)
        assert contents(owner, f"app.{name}") == before, name
        expected = Form.FIRST if name in ("numbers", "empty") else Form.DEFAULT
        assert done.form is expected, name
        drained(database, f"app.{name}")
        assert contents(owner, f"app.{name}") == before, name
    report = check_database(database.owner_dsn)
    assert {each.object for each in report.findings} == {"app.outlier"}


def test_undone_it_is_what_it_was(database: Database, owner: Connection) -> None:
    owner.execute(ARTICLE.encode())
    owner.execute(
        "alter publication everything add table app.events (event_id, created_at, payload) where (org_id > 1)"
        if database.server.major >= 15
        else "alter publication everything add table app.events"
    )
    before = described(owner)
    wish = Wish("app.events", "created_at", "1 day")

    # Also when it has not come to its end, and when undoing does not.
    with noted(lambda _, query: "validate constraint of_event" in query), pytest.raises(KilledError):
        converted(database, wish)
    assert described(owner) != before
    with noted(lambda _, query: "validate constraint of_parent" in query), pytest.raises(KilledError):
        undo(database.owner_dsn, Undo("app.events"), tell_nobody)
    assert undo(database.owner_dsn, Undo("app.events"), tell_nobody)
    assert described(owner) == before
    assert one(owner, "select count(*) from partman.part_config") == 0

    # What was only prepared is taken back, too.
    prepare(database, wish)
    assert leftovers(owner)
    assert undo(database.owner_dsn, Undo("app.events"), tell_nobody)
    assert (described(owner), leftovers(owner)) == (before, [])
    assert not undo(database.owner_dsn, Undo("app.events"), tell_nobody)

    # There is no way back once another partition has rows.
    converted(database, wish)
    owner.execute("insert into app.events (created_at, org_id, operation) values (now() + interval '1 day', 1, 'I')")
    with pytest.raises(ConvertRefused, match="has rows by now"):
        undo(database.owner_dsn, Undo("app.events"), tell_nobody)


def test_killed_before_any_statement_it_goes_on(database: Database, owner: Connection) -> None:
    """Each server takes a third of them."""
    table = (
        "create schema {0}; create table {0}.ref (id int primary key); insert into {0}.ref values (1);"
        "create table {0}.t (id bigint generated always as identity primary key, at timestamptz, ref int references {0}.ref,"
        " up bigint, up_at timestamptz, constraint k unique (id, at),"
        " constraint up foreign key (up, up_at) references {0}.t (id, at));"
        "create table {0}.d (id bigint, at timestamptz, constraint d foreign key (id, at) references {0}.t (id, at));"
        "insert into {0}.t (at, ref) select now() - number * interval '1 day', 1 from generate_series(0, 5) as number;"
        "insert into {0}.d select id, at from {0}.t; update {0}.t set up = id, up_at = at"
    )
    number, is_over = 0, False
    while not is_over:
        number += 1
        if number % 3 != database.server.major % 3:
            continue
        owner.execute(table.format(f"k{number}").encode())
        wish = Wish(f"k{number}.t", "at", "1 day", premake=2, settings=INFINITE)
        before = contents(owner, wish.table)
        with noted(lambda sent, _, at=number: sent == at) as seen, suppress(KilledError):  # type: ignore[misc]
            converted(database, wish)
            is_over = True
        assert contents(owner, wish.table) == before, seen[-1]
        owner.execute(f"insert into {wish.table} (at) values (now())".encode())
        is_told = "convert-interrupted" in findings(database)
        assert is_told == bool(leftovers(owner)), seen[-1]
        convert(database.owner_dsn, Wish(wish.table, "", "") if is_told else wish, tell_nobody)
        assert one(owner, f"select count(*) from {wish.table}") == 7, seen[-1]
        assert partitions(owner, wish.table)[0] == "t_default", seen[-1]
        assert len(partitions(owner, wish.table)) == 3, seen[-1]
        assert leftovers(owner) == [], seen[-1]
        assert one(
            owner,
            "select array_agg(conname::text || convalidated order by conname) from pg_constraint where contype = 'f'"
            " and conparentid = 0 and connamespace = %s::regnamespace",
            f"k{number}",
        ) == ["dtrue", "t_ref_fkeytrue", "uptrue"], seen[-1]
    assert number > 15
    assert set(findings(database)) == {"default-not-empty"}


def test_nobody_is_refused_and_no_answer_is_wrong_meanwhile(database: Database, owner: Connection) -> None:
    owner.execute(
        "create table app.events (id bigint generated always as identity primary key, at timestamptz not null,"
        " pair int, note text);"
        "create index on app.events (at);"
        "insert into app.events (at, pair) select now() - number / 2 * interval '1 minute', number / 2"
        " from generate_series(0, 9999) as number;"
        "create view app.seen as select * from app.events"
    )
    problems: list[str] = []
    over = threading.Event()
    written = [0] * 2

    def write(mine: int) -> None:
        with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
            while not over.is_set():
                with connection.transaction():
                    for _ in range(2):
                        connection.execute("insert into app.events (at, pair) values (now(), %s)", (-1 - mine,))
                    connection.execute(
                        "update app.events set note = 'touched' where id = %s", (written[mine] % 9000 + 1,)
                    )
                    connection.execute(
                        "delete from app.events where id in (%s, %s) and pair >= 0",
                        (written[mine] * 4, written[mine] * 4 + 1),
                    )
                written[mine] += 1
                time.sleep(0.005)

    def read(relation: str) -> None:
        with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
            while not over.is_set():
                row = connection.execute(
                    f"select count(*) filter (where pair = -1) from {relation}".encode()
                ).fetchone()
                if row is None or row[0] % 2 or row[0] < written[0] * 2 - 200:
                    problems.append(f"{row} of {written}")
                time.sleep(0.01)

    def guarded(work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
            problems.append(repr(error))

    threads = [
        threading.Thread(target=guarded, args=arguments)
        for arguments in ((write, 0), (write, 1), (read, "app.events"), (read, "app.seen"))
    ]
    for thread in threads:
        thread.start()
    try:
        done = converted(database, Wish("app.events", "at", "1 day", settings=INFINITE))
        begun = list(written)
        deadline = time.monotonic() + 20
        while min(written) < max(begun) + 10 and time.monotonic() < deadline and not problems:
            time.sleep(0.01)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert done.form is Form.DEFAULT
    assert one(owner, "select count(*) from app.events where pair < 0") == 2 * sum(written)
    assert findings(database) == ["default-not-empty"]


def test_a_row_beyond_the_bound_begins_it_anew_and_is_found(database: Database, owner: Connection) -> None:
    owner.execute("create table app.events (id int primary key, at timestamptz not null)")
    owner.execute(
        "insert into app.events select number, now() - number * interval '1 day' from generate_series(0, 9) as number"
    )
    wish = Wish("app.events", "at", "1 day")
    prepare(database, wish)
    owner.execute("insert into app.events values (10, now() + interval '2 days')")
    with database.connect() as superuser:  # an index whose building was interrupted
        superuser.execute("update pg_index set indisvalid = false where indexrelid::regclass::text like '%local'")

    exchanges = 0

    def tell(event: object) -> None:
        nonlocal exchanges
        if event == Step("exchanging"):
            exchanges += 1
            if exchanges == 1:
                owner.execute("insert into app.events values (11, now() + interval '4 days')")

    convert(database.owner_dsn, wish, tell)

    assert exchanges == 2
    assert one(owner, "select count(*) from app.events_default") == 12
    # What is looked for in one partition is there.
    assert one(owner, "select array_agg(id) from app.events where at > now() + interval '1 day'") == [10, 11]
    assert leftovers(owner) == []


def test_what_comes_right_before_the_exchange_is_carried_over_too(database: Database, owner: Connection) -> None:
    owner.execute("create table app.events (id int, at timestamptz not null)")
    owner.execute("insert into app.events values (1, now() - interval '2 days'), (2, now())")
    exchanges = 0

    def tell(event: object) -> None:
        nonlocal exchanges
        if event == Step("exchanging"):
            exchanges += 1
            if exchanges == 1:
                owner.execute("create view app.late as select count(*) from app.events")

    with database.connect_owner() as reader:
        reader.execute("begin isolation level repeatable read")
        assert one(reader, "select count(*) from pg_class where relname = 'late'") == 0
        convert(database.owner_dsn, Wish("app.events", "at", "1 day"), tell)
        assert one(reader, "select count(*) from app.events") == 2  # of a moment before

    assert exchanges == 2
    owner.execute("insert into app.events values (3, now() + interval '1 day')")
    assert one(owner, "select * from app.late") == 3


def test_nothing_is_read_under_the_lock(database: Database, owner: Connection) -> None:
    said: list[str] = []

    def is_fatal(_: int, query: str) -> bool:
        return query.startswith("analyze")

    def listen(connection: psycopg.Connection[Any], query: str) -> None:
        if "convert_open" in query:
            connection.execute("set local client_min_messages = debug1")
            connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))

    owner.execute("create table app.other (id int primary key); insert into app.other values (1)")
    for number, (form, at) in enumerate(((Form.DEFAULT, "now()"), (Form.DEFAULT, "null"), (Form.FIRST, "now()"))):
        name = f"app.events{number}"
        owner.execute(f"create table {name} (id int references app.other, at timestamptz)".encode())
        owner.execute(f"insert into {name} values (1, now() - interval '3 days'), (1, {at})".encode())
        with noted(is_fatal, listen), pytest.raises(KilledError):
            convert(database.owner_dsn, Wish(name, "at", "1 day", form=form), tell_nobody)
        assert any("is implied by existing constraints" in each for each in said), said
        # What PostgreSQL says when it reads a table to see whether a constraint holds.
        read = [each.split('"')[1] for each in said if each.startswith("verifying table")]
        (old,) = one(
            owner, f"select array_agg(distinct relname::text) from pg_class where oid in (select tableoid from {name})"
        )
        if partman_version(owner).startswith("4.") and form is Form.DEFAULT:
            read.remove(old)  # its own default partition, which is empty, and dropped again
        assert not any(each in (old, f"events{number}") or each.startswith("partwarden") for each in read), read
        said.clear()


def test_a_building_index_waits_for_others_and_says_so(database: Database, owner: Connection) -> None:
    owner.execute("create table app.events (id int primary key, at timestamptz not null)")
    told: list[str] = []

    with database.connect_owner() as other:
        other.execute("begin isolation level repeatable read; select")

        def tell(event: object) -> None:
            told.append(str(event))
            if isinstance(event, Waiting):
                other.execute("rollback")

        convert(database.owner_dsn, Wish("app.events", "at", "1 day"), tell)

    assert any("older transactions" in each and "app_owner" in each for each in told)
    assert findings(database) == []


def test_who_is_in_the_way_is_named(database: Database, owner: Connection) -> None:
    owner.execute("create table app.events (id int, at timestamptz not null)")
    with database.connect_owner() as other, other.transaction():
        other.execute("select from app.events")
        with pytest.raises(LockNotAcquired, match=r"holds AccessShareLock on app\.events"):
            convert(database.owner_dsn, Wish("app.events", "at", "1 day", window=0.3), tell_nobody)
    assert leftovers(owner) == []
    assert converted(database, Wish("app.events", "at", "1 day")).form is Form.FIRST


def prepare(database: Database, wish: Wish) -> None:
    """Have a conversion die right before its exchange."""
    with noted(lambda _, query: "convert_open" in query), pytest.raises(KilledError):
        convert(database.owner_dsn, wish, tell_nobody)


class KilledError(BaseException):
    """The client is gone: nothing that it would do about an error is done."""


@contextmanager
def noted(
    is_fatal: Callable[[int, str], bool] = lambda *_: False,
    listen: Callable[[psycopg.Connection[Any], str], None] = lambda *_: None,
) -> Iterator[list[str]]:
    """What is sent of the statements that are listed, message by message; before a fatal one the client is gone."""
    sent: list[str] = []
    execute = psycopg.Connection.execute

    def note(connection: psycopg.Connection[Any], query: Any, *arguments: Any, **named: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else ""
        if text and "create function pg_temp" not in text and not text.startswith("lock table only"):
            if is_fatal(len(sent) + 1, text):
                sent.append(text)
                connection.close()
                raise KilledError
            sent.append(text)
            listen(connection, text)
        return execute(connection, query, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", note)
        yield sent
