"""A plain table that the file wants as a partition set: how it is told to the room that converts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from partwarden.catalog import Partman, Table
from partwarden.config import PartitionSet
from partwarden.converting import Wish, preview
from partwarden.database import quoted
from partwarden.errors import ConvertRefused
from partwarden.planning.steps import Action, Danger, Kind, Obstacle, Step, Warned
from partwarden.planning.view import View
from partwarden.planning.wanted import Wanted, in_partmans_words


def wish_for(wanted: PartitionSet, table: Table, partman: Partman) -> Wish:
    """What the file wants, as a wish to convert the table."""
    words = in_partmans_words(wanted, partman)
    return Wish(
        table=quoted(table.schema, table.name),
        control=wanted.control,
        interval=wanted.interval,
        premake=wanted.premake or 4,
        epoch=wanted.epoch or "none",
        template=str(words.columns["template_table"]) if wanted.template else None,
        has_default=wanted.default is not False,
        date_trunc_interval=wanted.date_trunc_interval,
        time_encoder=wanted.time_encoder,
        time_decoder=wanted.time_decoder,
        offset_id=wanted.offset,
        jobmon=wanted.jobmon,
        settings=_settings(words),
    )


def plan_conversion(view: View, wanted: PartitionSet, table: Table) -> Iterator[Step | Obstacle]:
    """The conversion as a step of the plan, or why it can't be; the set's own partitions come with it."""
    assert view.partman is not None
    place = str(wanted.source_of("convert"))
    if wanted.sub is not None:
        yield Obstacle(
            table.parent_table,
            "a table that is converted has rows, and its partitions can't be partitioned themselves",
            "leave out `sub`, or make a new set that has it and move the rows",
            str(wanted.source_of("sub")),
        )
        return
    wish = wish_for(wanted, table, view.partman)
    try:
        found = preview(view.connection, wish)
    except ConvertRefused as refused:
        yield Obstacle(table.parent_table, refused.problem, refused.remedy or "", place)
        return
    assert found is not None  # it is no partition set
    for each in found.obstacles:
        yield Obstacle(table.parent_table, each.problem, each.remedy, place)
    if not found.obstacles:
        yield Step(
            Kind.CONVERSION,
            Action.CHANGE,
            table.parent_table,
            f"the table becomes the {found.form} partition of a set, {wanted.interval} by {wanted.control}: {found.because}",
            tuple(each.text for each in found.statements),
            warnings=(
                *(Warned(Danger.DIFFERENT, each) for each in found.warnings),
                Warned(Danger.LOCKING, f"locks the table for about {found.lock_ms:.0f} ms, when all else is done"),
            ),
            wish=wish,
        )


def _settings(words: Wanted) -> dict[str, str]:
    return {column: _text(value) for column, value in words.rest.items() if value is not None}


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return (
                "{" + ",".join('"' + str(each).replace("\\", "\\\\").replace('"', '\\"') + '"' for each in value) + "}"
            )
        case _:
            return str(value)
