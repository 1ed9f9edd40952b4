"""From a wish and what is there to the statements: looks at the table, chooses the form, and writes nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from partwarden.converting.conversion import Conversion, Obstacle
from partwarden.converting.session import Session, refusals
from partwarden.converting.stages import steps
from partwarden.converting.wish import Form, Wish
from partwarden.database import Connection
from partwarden.errors import ConvertRefused
from partwarden.nearest import nearest

_BYTES_READ_A_SECOND = 100_000_000
_MARGIN_SECONDS = 60
_FEW = 200
"""So many partitions are made by a drain that is not told otherwise."""

Facts = dict[str, Any]
Rows = Sequence[tuple[Any, ...]]


def preview(connection: Connection, wish: Wish) -> Conversion | None:
    """What would be done to ``wish.table``, with what is in the way. Nothing is changed; None for a partition set.

    The connection is in autocommit, and may be read-only. Reads the table, unless an index begins with the control column.
    Raises ConvertRefused where there is no such table or column, or where it is partitioned, and pg_partman does not manage it.
    """
    with refusals(wish.table), connection.transaction(force_rollback=True):
        connection.execute("set transaction read write")  # routines are made in the session's temporary schema
        session = Session(connection, wish.table)
        if session.is_partitioned:
            session.refuse_unmanaged()
            return None
        if session.may_act:
            session.act_as_owner(for_now=True)
        return build(session, wish)


def build(session: Session, wish: Wish) -> Conversion:
    """The same in a session that is open already."""
    noted = session.call("convert_kept", session.table)
    facts = session.call("convert_facts", session.table, json.dumps(_said(session, wish, noted)))
    _refuse_what_can_not_be_looked_at(session, wish, facts)
    if noted is not None and _is_gone_on_with(session, wish, facts, noted):
        facts |= {name: noted[name] for name in _EDGES if name in noted}
        form, because = Form(noted["form"]), "it had been begun"
    else:
        facts |= _edges(session, facts)
        form, because = _choose(wish, facts)
        noted = {**facts, "form": form}
    facts["form"] = form
    facts["purpose"] = json.dumps(
        {name: noted[name] for name in (*_ASKED, *_EDGES, "form") if name in noted}, sort_keys=True
    )
    facts |= session.call("convert_names", json.dumps(facts))
    obstacles = tuple(_obstacles(session, facts))
    given = json.dumps(facts)
    intervals = facts.get("intervals")
    return Conversion(
        table=session.name,
        owner=session.owner,
        control=facts["control"],
        interval=facts["interval"],
        form=form,
        because=because,
        partition=facts["final_name"],
        lower_bound=facts["lower_bound"] if form is Form.FIRST else None,
        upper_bound=facts["upper_bound"],
        intervals=None if intervals is None else int(intervals),
        partitions=int(facts["partitions"]),
        bytes=facts["bytes"],
        rows=facts["rows"],
        warnings=tuple(warning for (warning,) in session.rows("convert_warnings", given)),
        obstacles=obstacles,
        steps=() if obstacles else tuple(steps(session, given, facts["heap_bytes"])),
        next=_next(session, form, facts),
    )


_DECISIVE = ("control", "interval", "epoch", "premake", "date_trunc_interval", "offset_id")
"""What of a wish the proof depends on: another one begins anew."""

_ASKED = (
    *_DECISIVE,
    *("template_table", "has_default", "time_encoder", "time_decoder", "jobmon", "settings"),
)
_EDGES = (
    *("oldest", "newest", "has_nulls", "fits", "intervals", "partitions"),
    *("lower_bound", "upper_bound", "end_bound", "start", "suffix"),
)
"""What an interrupted run leaves beside its guard, for the next one to go on with: what was asked, and what was found."""


def _said(session: Session, wish: Wish, noted: Facts | None) -> Facts:
    """What is asked; of what was begun already, when nothing is."""
    if not (wish.control and wish.interval):
        if noted is None:
            raise ConvertRefused(
                f"could not convert {session.name}: by which column, and by how much of it?",
                remedy=f"partwarden convert {shlex.quote(session.name)} --control created_at --interval '1 day'",
            )
        return {name: noted[name] for name in _ASKED}
    return {
        "control": wish.control,
        "interval": wish.interval,
        "premake": wish.premake,
        "epoch": wish.epoch,
        "template_table": wish.template,
        "has_default": wish.has_default,
        "date_trunc_interval": wish.date_trunc_interval,
        "time_encoder": wish.time_encoder,
        "time_decoder": wish.time_decoder,
        "offset_id": wish.offset_id,
        "jobmon": wish.jobmon,
        "settings": dict(wish.settings),
    }


def _refuse_what_can_not_be_looked_at(session: Session, wish: Wish, facts: Facts) -> None:
    attempt = f"could not convert {session.name}"
    if not session.may_act:
        raise ConvertRefused(
            f"{attempt}: it belongs to {session.owner}, and this role is not that, nor a member of it",
            remedy=f"connect as {session.owner}",
        )
    if facts["partman"] is None:
        raise ConvertRefused(
            f"{attempt}: pg_partman, which is to manage its partitions, is not installed in this database",
            remedy="create schema partman; create extension pg_partman schema partman;",
        )
    if facts["control"] is None:
        columns = _columns(session)
        near = nearest(wish.control, columns)
        raise ConvertRefused(
            f"{attempt} by {wish.control}: it has no such column",
            remedy=f"did you mean {near}?" if near else "its columns: " + ", ".join(columns),
        )
    if facts["kind"] is None:
        raise ConvertRefused(
            f"{attempt} by {wish.control}: pg_partman takes no column of type {facts['control_type']}, and none that is "
            "generated",
            remedy="a time, a whole number; from pg_partman 5 on, a text or uuid that holds a time",
        )
    if facts["kind"] == "encoded" and None in (facts["encoder"], facts["decoder"]):
        raise ConvertRefused(
            f"{attempt} by {wish.control}: it takes functions that write a time as {facts['control_type']}, and read it, "
            "and they are not there",
            remedy="name both with their schema: --encoder and --decoder, or time_encoder and time_decoder in the file",
        )


def _columns(session: Session) -> list[str]:
    rows = session.connection.execute(
        "select attname::text from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped order by attnum",
        (session.table,),
    ).fetchall()
    return [name for (name,) in rows]


def _is_gone_on_with(session: Session, wish: Wish, facts: Facts, noted: Facts) -> bool:
    """Whether what an interrupted run has proved is what is asked for now, and still ahead of this moment."""
    is_same = all(noted[name] == facts[name] for name in _DECISIVE)
    return (
        is_same
        and wish.form in (None, noted["form"])
        and bool(session.call("convert_is_ahead", json.dumps(facts | {"upper_bound": noted["upper_bound"]})))
    )


def _edges(session: Session, facts: Facts) -> Facts:
    margin = _MARGIN_SECONDS + 4 * facts["bytes"] / _BYTES_READ_A_SECOND
    edges: Facts = session.call("convert_edges", json.dumps(facts), f"{margin:.0f} seconds")
    return edges


def _choose(wish: Wish, facts: Facts) -> tuple[Form, str]:
    if wish.form is not None:
        return wish.form, "it was asked for"
    if facts["has_nulls"]:
        return Form.DEFAULT, f"{facts['control']} is null in some rows, which only a default partition can hold"
    if not facts["fits"] or "lower_bound" not in facts:
        return (
            Form.DEFAULT,
            f"some rows lie far ahead, up to {facts['newest']}, and no first partition should reach there",
        )
    if facts["intervals"] == 1:
        return Form.FIRST, "all rows lie in one interval, so it is the partition of that"
    return Form.DEFAULT, (
        f"its rows lie in {facts['intervals']:,.0f} intervals: partwarden drain gives each its own partition. In a first "
        "partition they would stay together, and pg_partman's retention, which takes each partition for one interval, would "
        "remove all of them at once"
    )


def _obstacles(session: Session, facts: Facts) -> Iterator[Obstacle]:
    for problem, remedy in session.rows("convert_obstacles", json.dumps(facts)):
        yield Obstacle(problem, remedy)
    control, name = facts["control"], session.name
    if facts["form"] is Form.DEFAULT:
        if not facts["has_default"]:
            yield Obstacle(
                "the set is to have no default partition, which is what the table would become", "--as first"
            )
        return
    if facts["has_nulls"]:
        yield Obstacle(
            f"{control} is null in some rows, and only a default partition can hold them",
            f"select count(*) from {name} where {control} is null;  -- correct them, or: --as default",  # noqa: S608
        )
    if not facts["fits"] or "lower_bound" not in facts:
        yield Obstacle(
            f"its rows reach from {facts['oldest']} to {facts['newest']}, and a first partition would have to as well",
            "correct the rows that lie far ahead, or: --as default",
        )
    elif facts["intervals"] > 1 and facts["settings"].get("retention") is not None:
        yield Obstacle(
            "pg_partman's retention takes each partition for one interval, by its beginning: a first partition of "
            f"{facts['intervals']:,.0f} intervals would be removed as a whole, with rows that are younger",
            "--as default, then partwarden drain",
        )


def _next(session: Session, form: Form, facts: Facts) -> str:
    if form is Form.DEFAULT:
        more = facts.get("intervals") or 0
        option = f" --max-new-partitions {more + _FEW:.0f}" if more > _FEW else ""
        return f"partwarden drain {shlex.quote(session.name)}{option}"
    if facts["intervals"] == 1:
        return "nothing is left to do"
    return (
        f"the rows stay together in {facts['final_name']} until that is detached as a whole. Set no retention before: "
        "pg_partman would remove it as soon as its beginning is old enough"
    )
