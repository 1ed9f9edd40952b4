"""The sets that are drained while they are written to, and the table that each is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from partwarden.database import Connection
from tests.partition_sets import create_parent

PARENT = "app.events"

DAYS = range(-12, -6)
"""The days, counted from today, whose rows wait in the default partition; pg_partman's first partition comes after a gap."""

FAR = "timestamptz '1970-01-01 12:00+00'"
"""A moment so far away that no partition is made for it: its rows stay."""


@dataclass(frozen=True)
class Shape:
    """A set with rows in its default partition. ``days`` are those that they lie in.

    ``has_key`` says that no two rows are the same, ``has_details`` that another table's foreign key references the set,
    ``staying`` how many rows are to be left in the default partition, ``is_installed`` that partwarden is in the database.
    ``premake`` is how many partitions pg_partman shall make when it is called again, ``is_ill`` that more is wrong with the
    set: a partition is missing, and pg_partman believes that its partitioning is being undone.
    """

    name: str
    columns: str
    days: range
    rows: int
    has_key: bool = True
    has_details: bool = False
    staying: int = 0
    is_installed: bool = False
    premake: int = 3
    is_ill: bool = False


RICH = Shape(
    "rich",
    """
    id bigint not null,
    created_at timestamptz not null,
    kind integer not null references app.kind,
    payload text,
    facts jsonb,
    amount numeric(12, 2) not null default 0,
    twice numeric generated always as (amount * 2) stored,
    primary key (id, created_at)
    """,
    DAYS,
    rows=1500,
    staying=20,
)

KEYLESS = Shape(
    "keyless",
    """
    id bigint not null,
    created_at timestamptz not null,
    kind integer,
    payload text,
    facts json,
    amount double precision
    """,
    DAYS,
    rows=1200,
    has_key=False,
    staying=20,
)

REFERENCED = Shape(
    "referenced",
    """
    id bigint not null,
    created_at timestamptz not null,
    kind integer references app.kind,
    payload text,
    facts jsonb,
    amount numeric(12, 2),
    primary key (id, created_at)
    """,
    DAYS,
    rows=1500,
    has_details=True,
    is_installed=True,
)

_PLAIN_COLUMNS = """
    id bigint not null,
    created_at timestamptz not null,
    kind integer,
    payload text,
    facts jsonb,
    amount numeric(12, 2),
    primary key (id, created_at)
"""

AHEAD = Shape(
    "ahead",
    _PLAIN_COLUMNS,
    range(6, 9),  # in the way of the partitions that have to be made next
    rows=1500,
    staying=20,
    is_installed=True,
    premake=10,
)

ILL = Shape("ill", _PLAIN_COLUMNS, DAYS, rows=1500, premake=6, is_ill=True)


def make_set(connection: Connection, shape: Shape) -> None:
    """The set and what it is compared with, as the owner; no rows yet."""
    connection.execute(
        """
        create schema app;
        create table app.kind (id integer primary key);
        insert into app.kind values (1), (2), (3);
        create table app.marker (id bigint primary key)
        """
    )
    connection.execute(f"create table app.events ({shape.columns}) partition by range (created_at)".encode())
    connection.execute("create index on app.events (id)")
    create_parent(connection, PARENT, "1 day", p_premake=3)
    connection.execute("update partman.part_config set infinite_time_partitions = true")
    # From this moment on, not from this day: pg_partman may want one more than at first.
    connection.execute("select partman.run_maintenance(%s)", (PARENT,))
    connection.execute(
        """
        create table app.reference (like app.events including defaults including generated);
        create index on app.reference (id);
        create function app.refuse_movers() returns trigger language plpgsql as $$
        begin
            if current_setting('application_name') = 'partwarden' then
                raise exception 'a trigger fired for a row that only moves';
            end if;
            return null;
        end
        $$;
        create trigger refuse_movers after insert or update or delete on app.events
            for each row execute function app.refuse_movers();
        -- What reads the set in here has the snapshot of the statement that calls it, taken before the set is locked.
        create function app.late_look(out rows bigint, out hash numeric) language plpgsql stable as $$
        begin
            perform pg_sleep(0.005);
            select count(*), sum(hashtextextended(listed::text, 0)) into rows, hash from app.events listed;
        end
        $$
        """
    )
    if shape.has_details:
        connection.execute(
            "create table app.detail (id bigint primary key, event_id bigint, event_at timestamptz,"
            " foreign key (event_id, event_at) references app.events (id, created_at))"
        )


def fill_set(connection: Connection, shape: Shape) -> None:
    """Rows of the days that have no partition, of today, and of long ago; a few twice where nothing forbids that."""
    extra = "" if shape.has_key else f"union all select n, d, 1 from rows where n <= {shape.rows // 10}"
    connection.execute(
        f"""
        with rows (n, d) as (
            select n, date_trunc('day', now()) + interval '1 day' * ({shape.days.start} + n % {len(shape.days)})
                + n % 12000 * interval '7 seconds'
            from generate_series(1, {shape.rows}) n
            union all
            select n, {FAR} + n * interval '1 second'
            from generate_series({shape.rows} + 1, {shape.rows + shape.staying}) n
            union all
            select n, date_trunc('day', now()) + n * interval '1 second'
            from generate_series({shape.rows + shape.staying} + 1, {shape.rows + shape.staying} + 300) n
        ), listed (n, d, kind) as (
            select n, d, 1 + n % 3 from rows {extra}
        )
        insert into app.reference (id, created_at, kind, payload, facts, amount)
        select n, d, kind, repeat('row ' || n || ' ', 1 + n % 20), json_build_object('n', n, 'q', '"'), n % 1000
        from listed
        """.encode()
    )
    connection.execute(
        "insert into app.events (id, created_at, kind, payload, facts, amount)"
        " select id, created_at, kind, payload, facts, amount from app.reference"
    )
    if shape.has_details:
        connection.execute("insert into app.detail select id, id, created_at from app.events where id % 10 = 0")
    connection.execute("update partman.part_config set premake = %s", (shape.premake,))
    if shape.is_ill:
        connection.execute("update partman.part_config set undo_in_progress = true")
        connection.execute(
            "do $$ begin execute (select format('drop table app.%I', relname) from pg_class where relkind = 'r'"
            " and relname ~ ('^events_.*' || to_char(now() - interval '2 days', 'YYYY_?MM_?DD'))); end $$"
        )
    connection.execute("analyze app.events, app.reference")
