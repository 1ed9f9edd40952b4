"""What the file may say of a partition set: the one place that knows each key, what it means and takes.

None stands for what is not said: an existing set keeps what it has, and a new one gets pg_partman's default.
"""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from partwarden.config import contradictions, names
from partwarden.config import values as v
from partwarden.config.names import QualifiedName
from partwarden.config.said import Section
from partwarden.config.stated import Stated, key, unless


class Retention(Stated):
    """What happens to old partitions."""

    keep: v.Keep | None = key(
        "How long, or for how many ids, partitions are kept: an interval, or a number.", left_out="for ever"
    )
    then: Literal["detach", "drop", "move"] | None = key(
        "What happens to older ones: `detach` leaves them as tables of their own, `drop` drops them, "
        "`move to SCHEMA` puts them there.",
        left_out="detach",
    )
    move_to: v.Name | None = Field(default=None, description="Where to, with `then: move to SCHEMA`.")
    keep_index: v.Truth | None = key("Whether a detached partition keeps its indexes.", left_out="true")
    keep_publication: v.Truth | None = key(
        "Whether a detached partition stays in its publications.", left_out="false", since="5.1"
    )
    detach_before_drop: v.Truth | None = key(
        "Whether a partition is detached before it is dropped.", left_out="false", since="5.5"
    )
    cascade: v.Truth | None = key(
        "Whether foreign keys that refer to a partition are dropped with it.", left_out="false", since="4 only"
    )

    @model_validator(mode="before")
    @classmethod
    def _move_to_is_one_phrase(cls, said: Any) -> Any:
        """``then: move to SCHEMA`` says two things."""
        if not isinstance(said, Section):
            return said
        if "move_to" in said:
            raise v.Wrong(("move_to", "there is no such key: write then: move to SCHEMA"))
        then = said.get("then")
        if not isinstance(then, str):
            return said
        words = then.split(None, 2)
        divided = said.copied()
        if [word.lower() for word in words[:2]] == ["move", "to"] and len(words) == 3:
            divided.put("move_to", words[2], said.keys_at["then"], said.values_at["then"])
            divided["then"] = "move"
        elif then.lower() in ("move", "move to"):
            raise v.Wrong(("then", "where to? Write then: move to SCHEMA"))
        else:
            divided["then"] = str(then).lower()
        return divided

    @model_validator(mode="after")
    def _something_is_kept(self) -> Self:
        if self.keep is None and self.then is not None:
            raise v.Wrong(
                ("then", "this is for partitions that are no longer kept, and nothing says how long they are: keep")
            )
        return self


class Settings(Stated):
    """What a partition set and a level of sub-partitions have in common, and ``defaults`` may say for all."""

    interval: v.Interval | None = key(
        "How wide a partition is: an interval for times, a number for ids. A set has to have one, of its own or "
        "from `defaults`."
    )
    type: Literal["range", "list"] | None = key(
        "How the table is partitioned: by `range`, or, since pg_partman 5, by `list`, one number a partition.",
        left_out="range",
    )
    premake: v.Count | None = key("How many partitions are made ahead.", left_out="4")
    infinite: v.Truth | None = key(
        "Whether partitions are made ahead of now, even when no data comes.", left_out="false"
    )
    epoch: Literal["none", "seconds", "milliseconds", "microseconds", "nanoseconds"] | None = key(
        "What numbers in the control column count, when they are times.", left_out="none"
    )
    automatic: v.Automatic | None = key(
        "Whether maintenance takes care of the set without being asked for it by name.", left_out="on"
    )
    default: v.Truth | None = key("Whether there is a default partition.", left_out="true")
    template: Annotated[v.Qualified | Literal[False] | None, v.OR_FALSE] = key(
        "The table that new partitions take primary key, unique indexes, tablespace and options from; "
        "`false` for none.",
        left_out="one that pg_partman makes",
    )
    retention: Annotated[Retention | Literal[False] | None, v.OR_FALSE] = key(
        "What happens to old partitions; `false`: they are kept.", left_out="they are kept"
    )
    constraint_columns: Annotated[tuple[v.Name, ...] | None, v.SEVERAL] = key(
        "Columns that older partitions get constraints for, by the values that they hold.", left_out="none"
    )
    optimize_constraint: v.Count | None = key(
        "How many partitions behind the newest one these constraints begin.", left_out="30"
    )
    constraint_valid: v.Truth | None = key("Whether these constraints are validated at once.", left_out="true")
    inherit_privileges: v.Truth | None = key(
        "Whether partitions get the privileges of the parent, for those who name them.", left_out="false"
    )
    ignore_default_data: v.Truth | None = key(
        "Whether rows in the default partition are left out of account when it is decided which partitions to make.",
        left_out="true; false in 4",
        since="4.7",
    )
    datetime_string: v.Text | None = key(
        "The end of partitions' names, as a pattern of to_char().", left_out="by the interval"
    )
    date_trunc_interval: v.Text | None = key(
        "What the first bound is rounded to, in date_trunc()'s words.", left_out="by the interval", since="4.6"
    )
    time_encoder: v.Qualified | None = key(
        "The function that makes a value of the control column from a time, for text and uuid.", since="5.2"
    )
    time_decoder: v.Qualified | None = key("The function that does the reverse.", since="5.2")
    control_not_null: v.Truth | None = key(
        "Whether the control column has to be NOT NULL.", left_out="true", since="5.2"
    )
    offset: v.BigWhole | None = key("What the bounds of ids are moved by.", left_out="0", since="5.3")
    jobmon: v.Truth | None = key("Whether pg_jobmon records what is done, where it is installed.", left_out="true")
    maintenance_order: v.Whole | None = key("Sets with a lower number are maintained first.", since="5.1")
    maintenance_role: v.Name | None = key(
        "The role that maintenance of this set runs as.", left_out="whoever runs maintenance", since="5.5"
    )
    inherit_fk: v.Truth | None = key(
        "Whether partitions get the foreign keys of a template.", left_out="true", since="4 only"
    )
    publications: Annotated[tuple[v.Name, ...] | None, v.SEVERAL] = key(
        "Publications that new partitions are added to.", left_out="none", since="4 only"
    )
    subscription_refresh: v.Name | None = key(
        "The subscription that is refreshed after new partitions.", left_out="none", since="4 only"
    )


class SubPartition(Settings):
    """How each partition is partitioned itself."""

    control: v.Name = Field(description="The column that the partitions are partitioned by.")
    interval: v.Interval = Field(description="How wide a partition of a partition is: an interval, or a number.")
    sub: SubPartition | None = key("How each of these is partitioned again.", left_out="not at all")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        return unless(self, contradictions.of_level(self))


class Defaults(Settings):
    """What holds for every set of this file that does not say it itself; not for sub-partitions."""

    start: v.Start | None = key("Where the first partition begins: a date, a time or a number.", left_out="about now")
    repair: v.Repair | None = key(
        "Whether maintenance moves rows that are in the way of new partitions.", left_out="what `maintenance` says"
    )


ORDER = (
    *(
        "table",
        "tables",
        "control",
        "interval",
        "type",
        "premake",
        "start",
        "infinite",
        "epoch",
        "automatic",
        "default",
    ),
    *("template", "retention", "constraint_columns", "optimize_constraint", "constraint_valid", "inherit_privileges"),
    *("ignore_default_data", "datetime_string", "date_trunc_interval", "time_encoder", "time_decoder"),
    *("control_not_null", "offset", "jobmon", "maintenance_order", "maintenance_role", "inherit_fk", "publications"),
    *("subscription_refresh", "repair", "convert", "sub"),
)
"""The keys of a set in the order in which a person writes them."""

TABLE_MEANING = "The partitioned table, as `schema.name`. What is not in quotes is taken as it stands."


class PartitionSet(Defaults):
    """One partition set, or several that are alike."""

    tables: Annotated[tuple[v.Table, ...], v.SEVERAL] = Field(
        min_length=1,
        description="The partitioned tables: a pattern like `tenant_*.events`, or a list of names and patterns. "
        "Each table that matches is a set.",
    )
    control: v.Name = Field(description="The column that the table is partitioned by.")
    interval: v.Interval = Field(
        description="How wide a partition is: an interval for times, a number for ids. It may come from `defaults`."
    )
    convert: v.Truth | None = key(
        "Whether a plain table may be made into a partition set.", left_out="false: a plain table is an error"
    )
    sub: SubPartition | None = key("How each partition is partitioned itself.", left_out="not at all")

    @model_validator(mode="before")
    @classmethod
    def _one_table_is_several(cls, said: Any) -> Any:
        """``table`` is ``tables`` with one, and no pattern."""
        if not isinstance(said, Section) or "table" not in said:
            return said
        if "tables" in said:
            raise v.Wrong(("tables", "say table, or tables, not both"))
        table = said["table"]
        if not isinstance(table, str):
            raise v.Wrong(("table", "this names one table: for several, write tables"))
        if names.is_pattern(table):
            raise v.Wrong(("table", "this names one table: for a pattern, write tables"))
        renamed = said.copied()
        del renamed["table"]
        renamed.put("tables", (table,), said.keys_at["table"], said.values_at["table"])
        return renamed

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        return unless(self, chain(contradictions.of_level(self), contradictions.of_start(self.start, self.interval)))

    @property
    def is_pattern(self) -> bool:
        """Whether the set stands for whatever tables match, rather than for those that it names."""
        return any(names.is_pattern(each) for each in self.tables)

    def matches(self, table: QualifiedName) -> bool:
        """Whether this entry means a table."""
        return any(names.matches(each, table) for each in self.tables)
