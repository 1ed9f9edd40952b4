"""Where the partitions that a set has already end, which is where pg_partman begins to make more."""

from __future__ import annotations

import re
from decimal import Decimal

import psycopg

from partwarden.catalog import Table
from partwarden.config import PartitionSet
from partwarden.config.names import qualified_name
from partwarden.database import first_line, quoted
from partwarden.planning.steps import Obstacle
from partwarden.planning.view import View
from partwarden.planning.writing import literal

_BOUNDS = """
select child.relname, pg_get_expr(child.relpartbound, child.oid), format_type(atttypid, null)
from pg_catalog.pg_inherits
join pg_catalog.pg_class child on child.oid = inhrelid
join pg_catalog.pg_partitioned_table on partrelid = inhparent
join pg_catalog.pg_attribute on attrelid = inhparent and attnum = partattrs[0]
where inhparent = %s and child.oid <> partdefid
"""

_RANGE = re.compile(r"FOR VALUES FROM \((?P<lower>.*?)\) TO \((?P<upper>.*)\)", re.DOTALL)
_ONE_NUMBER = re.compile(r"FOR VALUES IN \('?(?P<number>-?\d+)'?\)")
_UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


def end_of_partitions(view: View, wanted: PartitionSet, table: Table) -> str | Obstacle:
    """Where the newest partition ends, as create_parent() takes it; or why pg_partman can't go on from there."""
    found = view.connection.execute(_BOUNDS, (table.oid,)).fetchall()
    if table.strategy == "list":
        return _after_the_numbers(wanted, table, found)
    assert view.partman is not None
    uppers = []
    for child, bound, _ in found:
        ends = _RANGE.fullmatch(bound)
        assert ends is not None
        if ends["upper"] == "MAXVALUE":
            problem = f"its newest partition {child} has no end, so pg_partman could make none after it"
            return _refusal(wanted, table, problem, "give it one: detach it, and attach it again with an upper bound")
        if ends["lower"] == "MINVALUE" and not view.partman.is_4:
            problem = (
                f"its oldest partition {child} has no beginning, which pg_partman {view.partman.version} can't read"
            )
            return _refusal(wanted, table, problem, "give it one: detach it, and attach it again with a lower bound")
        uppers.append(ends["upper"].strip("'").replace("''", "'"))
    try:
        return _newest(view, wanted, table, uppers, found[0][2])
    except psycopg.DataError as failure:
        return _refusal(wanted, table, f"the end of its newest partition: {first_line(failure)}", "mend what it says")


def _after_the_numbers(wanted: PartitionSet, table: Table, found: list[tuple[str, str, str]]) -> str | Obstacle:
    newest = None
    for child, bound, _ in found:
        one = _ONE_NUMBER.fullmatch(bound)
        if one is None:
            problem = f"its partition {child} is not for one number, and pg_partman's are"
            return _refusal(wanted, table, problem, "divide it, or detach it")
        newest = max(int(one["number"]), int(one["number"]) if newest is None else newest)
    assert newest is not None
    return str(newest + 1)


def _newest(view: View, wanted: PartitionSet, table: Table, uppers: list[str], kind: str) -> str | Obstacle:
    row = view.connection.execute(
        f"select upper from unnest(%s::text[]) upper order by upper::{kind} desc limit 1".encode(), (uppers,)
    ).fetchone()
    assert row is not None
    newest: str = row[0]
    if wanted.epoch in _UNITS:
        return _asked(view, f"select to_timestamp(%s::numeric / {_UNITS[wanted.epoch]})::text", newest)
    if wanted.time_decoder is not None:
        decoder = qualified_name(wanted.time_decoder)
        # What it takes, text or a uuid, is known only to the function: pg_partman asks it the same way.
        return _asked(view, f"select ({quoted(decoder.schema, decoder.name)}({literal(newest)}))::text")
    if wanted.interval.isdigit():
        beyond = Decimal(newest) % Decimal(wanted.interval)
        if beyond != (wanted.offset or 0):
            problem = f"its newest partition ends at {newest}, which is {beyond} beyond a multiple of {wanted.interval}"
            return _refusal(wanted, table, problem, _moved(view, beyond))
    return newest


def _moved(view: View, offset: Decimal) -> str:
    assert view.partman is not None
    if "p_offset_id" in view.partman.arguments:
        return f"write `offset: {offset}`"
    return "bring pg_partman to 5.3 or newer, which takes an `offset`: partwarden upgrade-check"


def _asked(view: View, question: str, *values: str) -> str:
    row = view.connection.execute(question.encode(), values or None).fetchone()
    assert row is not None
    return str(row[0])


def _refusal(wanted: PartitionSet, table: Table, problem: str, remedy: str) -> Obstacle:
    return Obstacle(table.parent_table, problem, remedy, str(wanted.source))
