"""partwarden status: each set on a line, from the catalog alone, on every version of pg_partman and without it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql

from partwarden.database import Connection
from partwarden.install import install
from partwarden.status import SetStatus, State, look
from tests.commands import partwarden
from tests.partition_sets import create_parent, create_sub_parent, daily_set, made_ahead, partitions
from tests.servers import Database

WEIRD = 'Weird "Table", ünï ' + "x" * 41


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        connection.execute("create schema app")
        yield connection


def drawn(found: SetStatus) -> str:
    """The time line in letters: past, now, ahead, missing, wanted."""
    letters = {State.PAST: "p", State.NOW: "N", State.AHEAD: "a", State.GAP: "x", State.WANTED: "w"}
    return "".join(letters[place.state] for place in found.line)


def by_name(found: tuple[SetStatus, ...]) -> dict[str, SetStatus]:
    return {each.name: each for each in found}


def test_each_set_stands_on_a_line_and_the_worst_come_first(database: Database, owner: Connection) -> None:
    assert look(database.owner_dsn) == ()
    daily_set(owner, "app.well", premake=6)
    owner.execute("insert into app.well select n, now() - n * interval '6 hours' from generate_series(1, 16) as n")
    daily_set(owner, "app.gap", premake=6)
    children = [name for name in partitions(owner, "app.gap") if not name.endswith("_default")]
    for child in (children[3], children[9]):  # three days ago, and in three days
        owner.execute(sql.SQL("drop table app.{}").format(sql.Identifier(child)))
    daily_set(owner, "app.filled", premake=6)
    owner.execute("insert into app.filled select n, now() - interval '1 year' from generate_series(1, 1234) as n")
    assert by_name(look(database.owner_dsn))["app.filled"].default_rows in (1234, None)  # until the statistics know
    owner.execute("select pg_stat_force_next_flush()")
    owner.execute("create table app.ids (id bigint not null) partition by range (id)")
    create_parent(owner, "app.ids", "1000", p_control="id", p_premake=4, p_start_partition="0")
    owner.execute("insert into app.ids select generate_series(1, 2500)")
    owner.execute("select partman.run_maintenance('app.ids')")
    owner.execute(
        sql.SQL(
            "create table app.{0} (day date not null) partition by range (day);"
            "create table app.old partition of app.{0} for values from ('2020-01-01') to ('2021-01-01');"
            "create table app.open (day date not null) partition by range (day);"
            "create table app.open_1 partition of app.open for values from ('2020-01-01') to ('2021-01-01');"
            "create table app.open_2 partition of app.open for values from ('2021-01-01') to (maxvalue)"
        ).format(sql.Identifier(WEIRD))
    )

    found = look(database.owner_dsn)
    assert [each.name for each in found[:2]] == ["app.gap", "app.filled"]
    sets = by_name(found)

    gap = sets["app.gap"]
    assert (gap.severity, "gap" in gap.findings) == ("critical", True)
    assert drawn(gap) == "pppxppNaax" + "a" * (made_ahead(6) - 3)
    assert (gap.now, gap.ahead) == (6, 2)
    left = gap.runs_out_in
    assert left is not None
    assert timedelta(days=2) < left <= timedelta(days=3)

    well = sets["app.well"]
    assert (well.severity, well.default_rows, well.has_default, well.is_managed) == (None, 0, True, True)
    assert drawn(well) == "ppppppN" + "a" * made_ahead(6)
    sizes = [place.bytes for place in well.line]
    assert all(size and size > 0 for size in sizes[3:6])
    assert sizes[7:] == [0] * made_ahead(6)
    assert well.bytes == sum(size or 0 for size in sizes)

    assert (sets["app.filled"].severity, sets["app.filled"].default_rows) == (None, 1234)
    ids = sets["app.ids"]
    assert (ids.kind, drawn(ids), ids.ahead, ids.ends_at, ids.severity) == ("id", "ppNaaaa", 4, None, None)
    weird = sets['app."' + WEIRD.replace('"', '""') + '"']
    assert (weird.is_managed, weird.has_default, weird.last_maintained) == (False, False, None)
    assert drawn(weird) == "pxxxxxx"
    assert weird.runs_out_in is not None
    assert weird.runs_out_in < timedelta(0)
    assert (sets["app.open"].is_endless, drawn(sets["app.open"])) == (True, "pN")


def test_a_set_shows_what_maintenance_has_not_made(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a", premake=3)
    daily_set(owner, "app.over", premake=3)
    for child in [name for name in partitions(owner, "app.over") if not name.endswith("_default")][1:]:
        owner.execute(sql.SQL("drop table app.{}").format(sql.Identifier(child)))
    owner.execute("update partman.part_config set premake = 5 where parent_table = 'app.a'")
    sets = by_name(look(database.owner_dsn))
    assert drawn(sets["app.a"]) == "pppN" + "a" * made_ahead(3) + "w" * (5 - made_ahead(3))
    assert drawn(sets["app.over"]) == "pxxxwww"
    assert (sets["app.over"].severity, sets["app.over"].now) == ("critical", 3)
    install(owner)
    owner.execute("call partwarden.maintain()")
    maintained = by_name(look(database.owner_dsn))["app.a"]
    assert drawn(maintained) == "pppN" + "a" * made_ahead(5)
    assert maintained.last_maintained is not None
    assert abs(maintained.looked_at - maintained.last_maintained) < timedelta(minutes=1)


def test_sub_sets_count_with_the_set_that_they_are_a_part_of(database: Database, owner: Connection) -> None:
    owner.execute(
        "create table app.deep (id bigint, created_at timestamptz not null, event_at timestamptz not null)"
        " partition by range (created_at)"
    )
    create_parent(owner, "app.deep", "1 day", p_premake=1)
    create_sub_parent(owner, "app.deep", "event_at", "1 hour", p_premake=3)
    owner.execute("insert into app.deep values (1, now(), now()), (2, now(), now() - interval '1 year')")
    owner.execute("select pg_stat_force_next_flush()")
    (deep,) = look(database.owner_dsn)
    assert (deep.name, deep.kind) == ("app.deep", "time")
    assert deep.sub_sets == len(partitions(owner, "app.deep")) - 1
    assert deep.default_rows == 1
    assert deep.bytes > 0
    assert deep.line[deep.now].bytes == deep.bytes
    # The hours of today end before tomorrow begins, unless today does so first.
    row = owner.execute(
        "select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz) from pg_class"
        " where relname like 'deep\\_p%\\_p%' and relispartition"
    ).fetchone()
    assert row is not None
    assert deep.ends_at is not None
    assert deep.looked_at < deep.ends_at <= row[0]


def test_nothing_is_opened_that_somebody_has_locked(database: Database, owner: Connection) -> None:
    daily_set(owner, "app.a")
    owner.execute("insert into app.a values (1, now())")
    with database.connect_owner() as other:
        other.execute("begin")
        other.execute("lock table app.a in access exclusive mode")
        (found,) = look(database.owner_dsn)
        assert drawn(found) == "pppppN" + "a" * made_ahead(5)
        assert found.line[found.now].bytes in (0, 8192)  # as the statistics know, by now or not yet
        assert found.default_rows == 0


@pytest.mark.one_server
class TestCommand:
    def test_it_is_a_table_and_a_document(self, database: Database, owner: Connection) -> None:
        daily_set(owner, "app.a", premake=2)
        daily_set(owner, "app.b", premake=2)
        owner.execute("insert into app.b values (1, now() - interval '1 year')")
        shown = partwarden("status", "-d", database.owner_dsn)
        assert (shown.returncode, shown.stderr) == (0, "")
        head, b, a, _, legend, last = shown.stdout.splitlines()
        assert head.split() == ["partition", "set", "now", "default", "runs", "out", "size", "maintained", "found"]
        assert (b.split()[1], a.split()[1]) == ("app.b", "app.a")
        assert b.index("│") == a.index("│") == head.index("now") + 1
        assert "in 2 days" in a or "in 3 days" in a or " h " in a
        assert (
            last == "2 sets, 1 with rows in the default partition; partwarden check says what is wrong, and what to do"
        )
        assert legend.startswith("each place is a partition: ")
        gone = "host=127.0.0.1 port=1 dbname=gone"
        answer = partwarden("status", database.owner_dsn, gone, "--json")
        assert answer.returncode == 3
        first, second = json.loads(answer.stdout)["databases"]
        assert [each["name"] for each in first["sets"]] == ["app.b", "app.a"]
        assert first["sets"][1]["line"] == ["past", "past", "now"] + ["ahead"] * made_ahead(2)
        assert first["sets"][1]["runs_out_in_seconds"] > 86400
        assert (second["sets"], "could not connect" in second["error"]) == ([], True)
        owner.execute("drop table app.a_default")
        child = partitions(owner, "app.a")[2]
        owner.execute(sql.SQL("drop table app.{}").format(sql.Identifier(child)))
        assert partwarden("status", database.owner_dsn).returncode == 1

    def test_python_sees_what_the_page_says(
        self, database: Database, owner: Connection, capsys: pytest.CaptureFixture[str]
    ) -> None:
        daily_set(owner, "app.a", premake=2)
        page = (Path(__file__).parents[2] / "docs" / "status.md").read_text()
        (program,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        exec(program.replace("service=app", database.owner_dsn))  # noqa: S102 - our own page
        assert re.fullmatch(r"app\.a None \d days?, [\d:.]+ 0\n", capsys.readouterr().out)

    def test_a_role_that_may_read_nothing_sees_the_sets(self, database: Database, owner: Connection) -> None:
        daily_set(owner, "app.a", premake=2)
        with database.connect() as superuser:
            superuser.execute("create role nobody_much login password 'x'")
        try:
            dsn = database.dsn.replace("user=postgres", "user=nobody_much password=x")
            (found,) = look(dsn)
            assert (found.name, found.is_managed, drawn(found)) == ("app.a", False, "ppN" + "a" * made_ahead(2))
        finally:
            with database.connect() as superuser:
                superuser.execute("drop role nobody_much")
