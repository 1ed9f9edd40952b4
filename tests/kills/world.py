"""A database with one set under load, and what has to hold there after a kill and at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from partwarden import health
from partwarden.database import Connection
from partwarden.install import install
from tests.kills.load import Load, compare
from tests.kills.shapes import Shape, fill_set, make_set
from tests.servers import OWNER, Database, Server

_LEFT = r"""
    with ours as (select oid from pg_namespace where nspname = 'partwarden' or nspname ~ '^pg_(toast_)?temp')
    select format('%s %s', relkind, oid::regclass) from pg_class
    where relname like 'partwarden\_%' and relnamespace not in (select oid from ours)
    union all
    select 'function ' || oid::regprocedure from pg_proc
    where proname like 'partwarden\_%' and pronamespace not in (select oid from ours)
    union all
    select format('trigger %s on %s', tgname, tgrelid::regclass) from pg_trigger where tgname like 'partwarden\_%'
    union all
    select format('constraint %s on %s', conname, conrelid::regclass) from pg_constraint where conname like 'partwarden\_%'
    union all
    select format('constraint %s on %s alone: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
    from pg_constraint
    where conrelid in (select relid from pg_partition_tree('app.events')) and conrelid <> 'app.events'::regclass
      and contype = 'c' and coninhcount = 0
    union all
    select format('%s is no partition', oid::regclass) from pg_class
    where relnamespace = 'app'::regnamespace and relkind in ('r', 'p', 'S') and not relispartition
      and relname not in ('events', 'reference', 'marker', 'kind', 'detail')
    union all
    select format('partition %s is not wholly attached', inhrelid::regclass) from pg_inherits
    where inhparent = 'app.events'::regclass and inhdetachpending
    union all
    select format('index %s of %s is not valid', indexrelid::regclass, indrelid::regclass) from pg_index
    where indrelid in (select relid from pg_partition_tree('app.events')) and not (indisvalid and indisready)
    union all
    select format('trigger %s on %s is disabled', tgname, tgrelid::regclass) from pg_trigger
    where tgenabled <> 'O' and tgrelid in (
        select relid from pg_partition_tree('app.events') union all select to_regclass('app.detail'))
    order by 1
"""

_MADE = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated from pg_constraint
    where contype <> 'n' and (
        conrelid in ('app.events'::regclass, 'app.events_default'::regclass)
        or conrelid = to_regclass('app.detail') and conparentid = 0)
    union all
    select tgrelid::regclass::text, tgname, tgenabled::text, true from pg_trigger
    where tgrelid in (select relid from pg_partition_tree('app.events')) and not tgisinternal
      and tgrelid in ('app.events'::regclass, 'app.events_default'::regclass)
    union all
    select indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid from pg_index
    where indrelid in ('app.events'::regclass, 'app.events_default'::regclass)
    order by 1, 2, 3
"""
"""What the parent and the default partition are made of, whatever their identity."""

_UNLIKE = """
    with trait as (
        select relid,
            (select string_agg(format('%s %s %s', pg_get_indexdef(indexrelid, 0, true) ~ 'UNIQUE', indkey, indisprimary), ', '
                order by indkey::text) from pg_index where indrelid = relid) as indexes,
            (select string_agg(format('%s %s %s', contype, conkey, convalidated), ', ' order by contype, conkey::text)
                from pg_constraint where conrelid = relid and contype <> 'n') as constraints,
            (select string_agg(tgname || tgenabled::text, ', ' order by tgname)
                from pg_trigger where tgrelid = relid and not tgisinternal) as triggers,
            pg_get_userbyid(relowner) as owner
        from pg_partition_tree('app.events') join pg_class on oid = relid
        where isleaf
    ), made_by_partman as (
        select * from trait
        where relid = (select min(relid::oid) from trait where relid <> 'app.events_default'::regclass)
    )
    select trait.relid::regclass::text, to_jsonb(trait)::text, to_jsonb(made_by_partman)::text
    from trait, made_by_partman
    where (trait.indexes, trait.constraints, trait.triggers, trait.owner)
        is distinct from (made_by_partman.indexes, made_by_partman.constraints, made_by_partman.triggers, made_by_partman.owner)
"""


@dataclass
class Template:
    """A database to make others from: the set is there, with its rows, and nothing works on it."""

    server: Server
    shape: Shape
    name: str
    made: list[tuple[object, ...]]
    findings: frozenset[str]


def make_template(server: Server, shape: Shape) -> Template:
    """A set of this shape, healthy but for the rows in its default partition."""
    database = server.new_database(f"{shape.name}_{server.major}")
    with database.connect_owner() as owner:
        if shape.is_installed:
            install(owner)
        make_set(owner, shape)
        made = owner.execute(_MADE).fetchall()
        findings = _findings(database)
        fill_set(owner, shape)
    if shape.staying:
        findings |= {"default-not-empty"}
    return Template(server, shape, database.name, made, findings)


class World:
    """A copy of a template, with a load on it."""

    def __init__(self, template: Template, database: Database, load: Load) -> None:
        self.template = template
        self.server = template.server
        self.shape = template.shape
        self.database = database
        self.load = load

    def crash(self) -> None:
        """The server goes down at once and comes back."""
        with self.load.outage():
            self.server.cluster.stop(mode="immediate")
            self.server.cluster.start()

    def assert_nothing_lost(self) -> None:
        """While the load goes on: the set holds what it should, and nobody has seen anything else."""
        with self.database.connect_owner() as owner:
            difference = compare(owner)
            assert difference is None, difference
        self._assert_nobody_noticed()

    def assert_as_it_should_be(self) -> None:
        """At the end: every row is where it belongs, and nothing tells that there has been a drain."""
        with self.load.pause(), self.database.connect_owner() as owner:
            self._assert_nobody_noticed()
            difference = compare(owner)
            assert difference is None, f"{difference}: {_differing_rows(owner)}"
            assert _ids(owner) == self.load.believed_ids(owner), "what was committed is not there"
            _assert_same("left behind", left_behind(owner), [])
            _assert_same("parent and default partition", owner.execute(_MADE).fetchall(), self.template.made)
            _assert_same("rows that could be moved", _rows_to_drain(owner), [])
            _assert_same("unlike the other partitions", unlike_the_others(owner), [])
            _assert_same("found by partwarden check", _findings(self.database), self.template.findings)

    def _assert_nobody_noticed(self) -> None:
        assert not self.load.problems, "\n".join(self.load.problems)


@contextmanager
def world_of(template: Template, seed: int, *, is_busy: bool = True) -> Iterator[World]:
    """A world of its own for one story; it is removed if the story ends well."""
    server = template.server
    database = Database(server, server.new_name())
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} owner {}").format(
                *map(sql.Identifier, (database.name, template.name, OWNER))
            )
        )
    load = Load(database.owner_dsn, template.shape, seed, is_busy=is_busy)
    try:
        yield World(template, database, load)
    finally:
        load.stop()
    server.drop_database(database)


def _assert_same(what: str, found: object, wanted: object) -> None:
    assert found == wanted, f"{what}: {found}, instead of {wanted}"


def left_behind(connection: Connection) -> list[str]:
    """What should not be there when nothing works on the set any more, in words."""
    return [str(what) for (what,) in connection.execute(_LEFT.encode()).fetchall()]


def unlike_the_others(connection: Connection) -> list[tuple[object, ...]]:
    """Partitions that are not made like the oldest one, which pg_partman made."""
    return connection.execute(_UNLIKE.encode()).fetchall()


def _rows_to_drain(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select id, created_at from app.events_default where created_at > '1980-01-01' limit 5"
    ).fetchall()


def _differing_rows(connection: Connection) -> str:
    rows = connection.execute(
        """
        with of_set as (select events::text as image from app.events),
        of_reference as (select reference::text as image from app.reference)
        (select 'missing', image from (table of_reference except all table of_set) listed limit 5)
        union all
        (select 'too many', image from (table of_set except all table of_reference) listed limit 5)
        """
    ).fetchall()
    return "; ".join(f"{what} {row}" for what, row in rows)


def _ids(connection: Connection) -> set[int]:
    return {number for (number,) in connection.execute("select id from app.events").fetchall()}


def _findings(database: Database) -> frozenset[str]:
    report = health.check_database(database.owner_dsn)
    assert report.error is None
    return frozenset(each.check for each in report.findings)
