"""What ``partwarden.yaml`` may say, as frozen models: the one place that knows each key, what it means and takes.

None stands for what is not said: an existing object keeps what it has, and a new one gets pg_partman's default.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar

from psycopg.conninfo import make_conninfo
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from partwarden.config import contradictions, names
from partwarden.config import values as v
from partwarden.config.names import QualifiedName
from partwarden.config.said import NOWHERE, Section, Source
from partwarden.dsn import is_libpqs
from partwarden.errors import BadConfig

_Said = TypeVar("_Said", bound="Stated")


def key(meaning: str, *, left_out: str = "", since: str = "") -> Any:
    """A key that may be left out: what it means, what holds for a new object without it, which pg_partman has it."""
    return Field(default=None, description=meaning, json_schema_extra={"x-left-out": left_out, "x-since": since})


class Stated(BaseModel):
    """What stands in a file. Where it stands is neither compared nor dumped."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    _source: Source = PrivateAttr(default=NOWHERE)
    _keys_at: Mapping[str, Source] = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    @property
    def source(self) -> Source:
        """File, line and column where it begins."""
        return self._source

    def source_of(self, name: str) -> Source:
        """Where a key stands; where the whole stands if the key is not said."""
        return self._keys_at.get(name, self._source)

    @model_validator(mode="wrap")
    @classmethod
    def _remember_the_place(cls, said: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = handler(said)
        if isinstance(said, Section):
            return model.placed(said.source, said.keys_at)
        return model

    def placed(self, source: Source, keys_at: Mapping[str, Source]) -> Self:
        """The same object, which knows now where it stands, and where its keys do."""
        self._source = source
        self._keys_at = MappingProxyType(dict(keys_at))
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.model_dump() == self.model_dump()

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


def _unless(said: _Said, found: Iterable[tuple[str, str]]) -> _Said:
    """What was said, if nothing was found against it."""
    wrong = tuple(found)
    if wrong:
        raise v.Wrong(*wrong)
    return said


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
        return _unless(self, contradictions.of_level(self))


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
        return _unless(self, chain(contradictions.of_level(self), contradictions.of_start(self.start, self.interval)))

    @property
    def is_pattern(self) -> bool:
        """Whether the set stands for whatever tables match, rather than for those that it names."""
        return any(names.is_pattern(each) for each in self.tables)

    def matches(self, table: QualifiedName) -> bool:
        """Whether this entry means a table."""
        return any(names.matches(each, table) for each in self.tables)


class Maintenance(Stated):
    """The job that calls ``partwarden.maintain()``, and the settings that it goes by."""

    schedule: v.Schedule | None = key("When pg_cron runs it.", left_out="0 * * * *")
    repair: v.Repair | None = key(
        "Whether rows that are in the way of new partitions are moved: `small` for few rows, `always`, `off`.",
        left_out="small",
    )
    repair_rows: v.BigCount | None = key("How many rows are few.", left_out="100000")
    lock_timeout: v.Duration | None = key(
        "For how long maintenance tries again to get the locks of a set.", left_out="5 seconds"
    )
    lock_wait: v.SomeTime | None = key(
        "How long one try waits, and with it everybody who comes after: 1 millisecond to 10 seconds.",
        left_out="20 milliseconds",
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        return _unless(self, contradictions.of_lock_wait(self.lock_wait))


class Monitor(Stated):
    """The job that calls ``partwarden.monitor()``, and the settings that it goes by."""

    schedule: v.Schedule | None = key(
        "When pg_cron runs it; seconds take pg_cron 1.5.", left_out="10 seconds, else every minute"
    )
    channel: Literal["aws_lambda", "none"] | None = key(
        "How notifications leave: `aws_lambda`, or `none`: incidents are kept, and nobody is told.",
        left_out="aws_lambda where there are ARNs",
    )
    lambda_arn: v.Text | None = key("The Lambda function that sends them.")
    topic_arn: v.Text | None = key("The SNS topic that it sends them to.")
    remind_after: v.SomeTime | None = key(
        "An open incident that was last announced so long ago is announced again.", left_out="24 hours"
    )
    retry_after: v.SomeTime | None = key(
        "The pause after the first failed delivery; it doubles each time.", left_out="10 seconds"
    )
    invoke_timeout: v.SomeTime | None = key("How long a delivery waits for the Lambda function.", left_out="25 seconds")
    keep_history: v.SomeTime | None = key("How long what is over and delivered is kept.", left_out="90 days")
    flap_window: v.Duration | None = key(
        "What comes back within this time is the same incident.", left_out="15 minutes"
    )
    heartbeat: v.Truth | None = key(
        "Whether a heartbeat is sent through the Lambda function, once a minute.", left_out="true"
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        return _unless(self, contradictions.of_monitor(self))


class Thresholds(Stated):
    """From when on checks find something."""

    headroom: v.Count | None = key("How many partitions have to lie ahead.", left_out="half of `premake`")
    maintenance_stale_after: v.SomeTime | None = key(
        "A set whose last good maintenance is older is stale.", left_out="26 hours"
    )
    headroom_grace: v.Duration | None = key(
        "How late maintenance may be before few partitions ahead are told of.", left_out="2 hours"
    )
    id_headroom: v.Duration | None = key(
        "For how long the ids of a set by id have to last, at the rate seen.", left_out="1 day"
    )
    overdue_grace: v.Duration | None = key("How late a job may start.", left_out="5 minutes")
    stuck_after: v.SomeTime | None = key(
        "A run that takes longer, and five times its usual time, is stuck.", left_out="2 hours"
    )
    blocked_after: v.SomeTime | None = key(
        "A transaction that old, with a lock that maintenance needs, is told of.", left_out="5 minutes"
    )
    deliver_within: v.SomeTime | None = key("A notification that waits longer is told of.", left_out="15 minutes")
    monitor_within: v.SomeTime | None = key(
        "A monitor that has not looked for longer is told of.", left_out="10 minutes"
    )
    leftovers_after: v.Duration | None = key(
        "How long a detached partition may stay before it is told of.", left_out="30 days"
    )
    run_log_rows: v.BigCount | None = key("More rows in cron.job_run_details are told of.", left_out="1000000")
    require_default: v.Truth | None = key("Whether every set must have a default partition.", left_out="false")
    count_rows: v.Truth | None = key(
        "Whether rows in default partitions are counted exactly, which reads all of them.", left_out="false"
    )


class _AsThresholds:
    """Those that are said, by name: a plain dictionary to its readers, and known keys to whoever writes it."""

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda said: said.model_dump(exclude_none=True),
            handler.generate_schema(Thresholds),
            serialization=core_schema.simple_ser_schema("any"),
        )


class Silence(Stated):
    """Incidents that nothing is said of, up to a time."""

    check: v.Check = Field(
        description="The check, by the name that `partwarden checks` shows; `*` stands for anything."
    )
    object: v.Text = Field(description="What it is wrong with, as findings name it; `*` stands for anything.")
    until: v.Moment = Field(description="Until when: a date, or a date and a time.")
    note: v.Text | None = key("Why.")


class DatabasePart(Stated):
    """What one file says of a database."""

    name: v.Text = Field(description="What it is called here; `--database` takes it.")
    dsn: v.Dsn | None = key(
        "How to get in: a connection string without a password, `env:NAME`, `iam:…` or `aws-secret:…`. "
        "One file has to say it."
    )
    cluster: v.Text | None = key("What messages call the server.", left_out="the host in the DSN of the first install")
    cron_database: v.Text | None = key("The database that pg_cron lives in.", left_out="what the server says")
    extensions: Annotated[dict[v.Name, v.Name | None], v.EXTENSIONS] = Field(
        default_factory=dict, description="Extensions, and the schema of each. Both are created where missing."
    )
    schemas: Annotated[tuple[v.Name, ...], v.SEVERAL] = Field(
        default=(), description="Schemas that are created where missing."
    )
    maintenance: Annotated[Maintenance | Literal[False] | None, v.OR_FALSE] = key(
        "The job that maintains the sets; `false`: there is to be none.", left_out="not managed"
    )
    monitor: Annotated[Monitor | Literal[False] | None, v.OR_FALSE] = key(
        "The job that looks whether all is well, and tells; `false`: there is to be none.", left_out="not managed"
    )
    thresholds: Annotated[dict[str, str | int | bool], _AsThresholds()] = Field(
        default_factory=dict, description="From when on checks find something."
    )
    silences: tuple[Silence, ...] = Field(default=(), description="Incidents that nothing is said of, up to a time.")
    partition_sets: tuple[PartitionSet, ...] = Field(default=(), description="The partition sets.")


class Database(DatabasePart):
    """One database. ``dsn`` is a connection string without a password, ``env:NAME``, ``iam:…`` or ``aws-secret:…``."""

    dsn: v.Dsn

    @property
    def conninfo(self) -> str:
        """The connection string itself, or the login through AWS; raises BadConfig when there is no such variable."""
        if is_libpqs(self.dsn):
            return make_conninfo(self.dsn)
        if not self.dsn.startswith("env:"):
            return self.dsn
        name = self.dsn.removeprefix("env:")
        if name not in os.environ:
            raise BadConfig(
                f"database {self.name}: the environment has no variable {name}", remedy=f"export {name}='service=…'"
            )
        return os.environ[name]


class File(Stated):
    """What one file says."""

    include: Annotated[tuple[v.Text, ...], v.SEVERAL] = Field(
        default=(), description="More files, by name or pattern, relative to this one."
    )
    defaults: Defaults | None = key("What holds for every partition set of this file that does not say it itself.")
    databases: tuple[DatabasePart, ...] = Field(default=(), description="The databases.")


class Config(Stated):
    """What the files say together."""

    databases: tuple[Database, ...]
