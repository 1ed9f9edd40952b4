"""Sets like nothing that pg_partman makes: each takes nothing off the others, and is told as it is."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.findings import Finding, Report
from partwarden.install import install
from partwarden.status import SetStatus, State, look
from partwarden.survey import Survey, survey
from partwarden.web.drawing.timeline import draw
from partwarden.web.reading.sets import read_set
from tests.partition_sets import create_parent, daily_set
from tests.servers import Database

TODAY = "date_trunc('day', now(), 'UTC')"
"""Bounds that lie around now are worked out when a table is made: a bound is written as a constant."""


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def seen(database: Database) -> Survey:
    found = survey(database.owner_dsn, name="here")
    assert found.report.error is None
    assert [each.detail for each in found.report.findings if each.check == "check-error"] == []
    return found


def one(found: Survey, name: str) -> SetStatus:
    return next(each for each in found.sets if each.name == name)


def told(report: Report, name: str) -> dict[str, Finding]:
    return {each.check: each for each in report.findings if each.object == name}


def days(owner: Connection, name: str, *ranges: tuple[str, str], control: str = "timestamptz") -> None:
    """A set by time with these partitions; a bound is a number of days from now, or PostgreSQL's word for an open end."""
    owner.execute(sql.SQL("create table {} (at {}) partition by range (at)").format(_name(name), sql.SQL(control)))
    for number, ends in enumerate(ranges):
        bounds = [_day(owner, end) for end in ends]
        owner.execute(
            sql.SQL("create table {} partition of {} for values from ({}) to ({})").format(
                _name(f"{name}_{number}"), _name(name), *bounds
            )
        )


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _day(owner: Connection, end: str) -> sql.Composable:
    if end.isupper():
        return sql.SQL(end)
    if not end.lstrip("-").isdigit():
        return sql.Literal(end)
    row = owner.execute(f"select ({TODAY} + {int(end)} * interval '1 day')::text").fetchone()
    assert row is not None
    return sql.Literal(row[0])


def test_bounds_that_are_no_time_or_number_take_nothing_off_the_others(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.well")
    owner.execute(
        """
        create table app.number (id numeric not null) partition by range (id);
        create table app.number_0 partition of app.number for values from ('-Infinity') to (0);
        create table app.number_1 partition of app.number for values from (0) to (1e120);
        create table app.number_2 partition of app.number for values from ('Infinity') to ('NaN');
        create table app.narrow (id numeric not null) partition by range (id);
        create table app.narrow_0 partition of app.narrow for values from (1e17) to (100000000000000000.01);
        create table app.narrow_1 partition of app.narrow for values from (100000000000000000.01) to (100000000000000000.02);
        insert into app.narrow values (1e17);
        create table app.epoch (at bigint not null) partition by range (at);
        """
    )
    days(owner, "app.far", ("2020-01-01", "300000-01-01"), ("300000-01-01", "400000-01-01"), control="date")
    days(owner, "app.always", ("-infinity", "infinity"))
    days(owner, "app.letters", ("a", "k"), ("k", "t"), ("t", "MAXVALUE"), control="text")
    create_parent(owner, "app.epoch", "1 month", p_control="at", p_epoch="seconds", p_premake=2)
    owner.execute("drop table app.epoch_default")
    row = owner.execute(
        "select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::bigint) from pg_class"
        " join pg_inherits on inhrelid = oid where inhparent = 'app.epoch'::regclass"
    ).fetchone()
    assert row is not None
    owner.execute(
        sql.SQL(
            "create table app.epoch_last partition of app.epoch for values from ({}) to (9223372036854775807)"
        ).format(sql.Literal(row[0]))
    )
    found = seen(database)
    assert {each.name for each in found.sets} == {
        "app.well", "app.number", "app.narrow", "app.epoch", "app.far", "app.always", "app.letters",
    }  # fmt: skip
    assert [one(found, name).is_endless for name in ("app.number", "app.far", "app.always", "app.epoch")] == [True] * 4
    assert told(found.report, "app.epoch").keys() & {"headroom-low", "gap", "check-error"} == set()
    assert all(draw(each) is not None for each in found.sets if each.spans)
    install(owner)
    owner.execute("call partwarden.monitor()")
    assert owner.execute("select count(*) from partwarden.incident where check_id = 'check-error'").fetchone() == (0,)


def test_ids_beyond_what_a_float_can_tell_apart_are_exact(database: Database, owner: Connection) -> None:
    start = 2**63 - 1000
    owner.execute("create table app.late (id bigint not null) partition by range (id)")
    for number in range(9):
        owner.execute(
            sql.SQL("create table {} partition of app.late for values from ({}) to ({})").format(
                _name(f"app.late_{number}"), sql.Literal(start + number * 100), sql.Literal(start + (number + 1) * 100)
            )
        )
    owner.execute("insert into app.late values (%s)", [start + 210])
    late = one(seen(database), "app.late")
    assert [(each.lower, each.upper) for each in late.spans][:2] == [(start, start + 100), (start + 100, start + 200)]
    assert late.ids_left == 700
    assert [place.state for place in late.line] == [State.PAST] * 2 + [State.NOW] + [State.AHEAD] * 6
    picture = draw(late)
    assert picture is not None
    widths = {block.width for block in picture.blocks}
    assert len(widths) == 1
    assert widths.pop() > 10


def test_a_set_by_id_without_a_row_is_drawn_without_a_hand(database: Database, owner: Connection) -> None:
    owner.execute(
        """
        create table app.empty (id bigint not null) partition by range (id);
        create table app.empty_0 partition of app.empty for values from (0) to (100);
        create table app.empty_1 partition of app.empty for values from (100) to (200);
        """
    )
    empty = one(seen(database), "app.empty")
    assert empty.position is None
    picture = draw(empty)
    assert picture is not None
    assert picture.now is None
    assert [block.kind for block in picture.blocks] == ["ahead", "ahead"]
    assert picture.first == "0"


def test_it_goes_on_for_ever_only_where_nothing_is_missing_before(database: Database, owner: Connection) -> None:
    days(owner, "app.open", ("-1", "1"), ("1", "MAXVALUE"))
    days(owner, "app.torn", ("-1", "1"), ("5", "MAXVALUE"))
    days(owner, "app.torn_too", ("-1", "1"), ("5", "infinity"))
    days(owner, "app.within", ("-9", "-5"), ("-5", "MAXVALUE"))
    days(owner, "app.after_a_gap", ("-9", "-5"), ("-3", "MAXVALUE"))
    owner.execute(
        """
        create table app.ids (id bigint not null) partition by range (id);
        create table app.ids_0 partition of app.ids for values from (0) to (100);
        create table app.ids_1 partition of app.ids for values from (200) to (MAXVALUE);
        insert into app.ids values (50);
        """
    )
    found = seen(database)
    endless = {each.name.removeprefix("app."): each.is_endless for each in found.sets}
    assert endless == {
        "open": True, "torn": False, "torn_too": False, "within": True, "after_a_gap": True, "ids": False,
    }  # fmt: skip
    torn = one(found, "app.torn")
    assert torn.runs_out_in is not None
    assert torn.runs_out_in.total_seconds() < 86400
    assert one(found, "app.ids").ids_left == 100
    assert [place.state.value for place in torn.line] == ["now", "gap", "gap", "ahead"]
    picture = draw(torn)
    assert picture is not None
    assert [block.kind for block in picture.blocks] == ["now", "gap", "ahead"]
    assert picture.blocks[-1].title.endswith("on, without an end")
    gaps = {each.object: each.severity for each in found.report.findings if each.check == "gap"}
    assert gaps == {
        "app.torn": "critical", "app.torn_too": "critical", "app.after_a_gap": "warning", "app.ids": "critical",
    }  # fmt: skip


def test_a_gap_before_a_partition_without_an_end_is_filled_by_hand(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.events", premake=2)
    owner.execute(
        sql.SQL("create table app.last partition of app.events for values from ({}) to (maxvalue)").format(
            _day(owner, "6")
        )
    )
    gap = told(seen(database).report, "app.events")["gap"]
    assert gap.remedy is not None
    owner.execute(gap.remedy.encode())
    after = seen(database)
    assert told(after.report, "app.events").keys() & {"gap", "headroom-low"} == set()
    assert one(after, "app.events").is_endless


def test_what_lies_below_lists_and_hashes_counts_where_it_belongs(database: Database, owner: Connection) -> None:
    owner.execute(
        """
        create table app.shop (region text not null, at timestamptz not null, id bigint not null) partition by range (at);
        create table app.world (region text not null, at timestamptz not null) partition by list (region);
        create table app.world_de partition of app.world for values in ('de') partition by range (at);
        create table app.world_de_21 partition of app.world_de for values from ('2021-01-01') to ('2022-01-01')
            partition by range (at);
        create table app.world_de_21_a partition of app.world_de_21 for values from ('2021-01-01') to ('2021-07-01');
        """
    )
    for number, (lower, upper) in enumerate((("-1", "1"), ("1", "2"))):
        owner.execute(
            sql.SQL(
                "create table {} partition of app.shop for values from ({}) to ({}) partition by list (region)"
            ).format(_name(f"app.shop_{number}"), _day(owner, lower), _day(owner, upper))
        )
    owner.execute(
        """
        create table app.shop_default partition of app.shop default partition by hash (id);
        create table app.shop_default_0 partition of app.shop_default for values with (modulus 1, remainder 0);
        create table app.shop_0_de partition of app.shop_0 for values in ('de');
        create table app.shop_0_fr partition of app.shop_0 for values in ('fr') partition by range (id);
        create table app.shop_0_fr_0 partition of app.shop_0_fr for values from (0) to (1000000);
        insert into app.shop select 'de', now(), n from generate_series(1, 5000) n;
        insert into app.shop select 'fr', now(), n from generate_series(1, 5000) n;
        insert into app.shop select 'de', now() + interval '1 year', n from generate_series(1, 7) n;
        insert into app.world select 'de', '2021-02-01' from generate_series(1, 5000) n;
        """
    )
    owner.execute("select pg_stat_force_next_flush()")  # or what is inserted is counted after the analysis, twice
    owner.execute("vacuum analyze app.shop_0_de, app.shop_0_fr_0, app.world_de_21_a, app.shop_default_0")
    found = seen(database)
    assert {each.name: each.sub_sets for each in found.sets} == {"app.shop": 1, "app.world_de": 1}
    sizes: dict[str, int] = dict(
        owner.execute(
            "select relname, pg_total_relation_size(oid) from pg_class"
            " where relname in ('shop_0_de', 'shop_0_fr_0', 'world_de_21_a', 'shop_default_0')"
        ).fetchall()
    )
    shop = one(found, "app.shop")
    beside = 2 * 24 * 1024  # the maps of free space and visibility, which the catalog does not count
    in_it = sizes["shop_0_de"] + sizes["shop_0_fr_0"]
    assert [each.bytes for each in shop.spans][1] == 0
    assert in_it - 2 * beside <= (shop.spans[0].bytes or 0) <= in_it
    assert shop.default_rows == 7
    assert (shop.spans[0].bytes or 0) < shop.bytes <= in_it + sizes["shop_default_0"]
    world = one(found, "app.world_de")
    assert sizes["world_de_21_a"] - beside <= world.bytes <= sizes["world_de_21_a"]
    assert world.spans[0].sub_set == "app.world_de_21"
    (below,) = look(database.owner_dsn, within=_oid(owner, "app.shop"))
    assert below.name == "app.shop_0_fr"
    in_full = read_set(database.owner_dsn, "app.shop", found)
    assert in_full is not None
    assert {each.name: (each.rows, bool(each.bytes), each.is_set) for each in in_full.partitions} == {
        "app.shop_0": (10_000, True, True), "app.shop_1": (0, False, True), "app.shop_default": (7, True, True),
    }  # fmt: skip
    with database.connect_owner() as other, other.transaction():
        other.execute("lock table app.shop_0_de in access exclusive mode")
        assert {each.name for each in look(database.owner_dsn, timeout=10)} == {"app.shop", "app.world_de"}


def _oid(owner: Connection, name: str) -> int:
    row = owner.execute("select %s::regclass::oid::bigint", [name]).fetchone()
    assert row is not None
    return int(row[0])


def test_how_many_lie_outside_the_picture_is_counted_of_the_set_alone(database: Database, owner: Connection) -> None:
    owner.execute("create table app.many (at timestamptz not null) partition by range (at)")
    owner.execute(
        f"""
        do $$ begin for n in -90..9 loop
            execute format('create table app.many_%s partition of app.many for values from (%L) to (%L)%s', n + 90,
                {TODAY} + n * interval '1 day', {TODAY} + (n + 1) * interval '1 day',
                case n when 0 then ' partition by range (at)' end);
        end loop; end $$;
        """
    )
    owner.execute("create table app.many_in partition of app.many_90 for values from (minvalue) to (maxvalue)")
    many = one(seen(database), "app.many")
    assert (many.earlier, many.later, len(many.spans)) == (30, 0, 70)
    picture = draw(many)
    assert picture is not None
    drawn = sum(block.kind != "gap" for block in picture.blocks)
    assert picture.earlier + drawn + picture.beyond == 100


def test_intervals_of_a_million_years_are_no_error(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.well")
    daily_set(owner, "app.kept")
    owner.execute("update partman.part_config set retention = '999999 years' where parent_table = 'app.kept'")
    owner.execute("update partman.part_config set partition_interval = '999999 years' where parent_table = 'app.well'")
    assert {each.name for each in seen(database).sets} == {"app.well", "app.kept"}


def test_the_monitor_reads_bounds_as_the_role_has_them_written(database: Database, owner: Connection) -> None:
    install(owner)
    daily_set(owner, "app.events")
    with database.connect() as administrator:
        for name, value in (("datestyle", "SQL, DMY"), ("timezone", "America/Sao_Paulo")):
            administrator.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(database.name), sql.Identifier(name), sql.Literal(value)
                )
            )
    with psycopg.connect(
        database.owner_dsn, autocommit=True
    ) as scheduled:  # as pg_cron would, without our own settings
        assert scheduled.execute("show datestyle").fetchone() == ("SQL, DMY",)
        scheduled.execute("call partwarden.maintain()")
        scheduled.execute("call partwarden.monitor()")
    assert owner.execute("select count(*) from partwarden.reach").fetchone() == (1,)
    assert owner.execute("select check_id, summary from partwarden.incident").fetchall() == []
