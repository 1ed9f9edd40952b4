"""What the file may say of a database but for its sets, and the file as a whole; None stands for what is not said."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, Self

from psycopg.conninfo import make_conninfo
from pydantic import Field, GetCoreSchemaHandler, JsonValue, model_validator
from pydantic_core import CoreSchema, core_schema

from partwarden.config import contradictions
from partwarden.config import values as v
from partwarden.config.sets import Defaults, PartitionSet
from partwarden.config.stated import Stated, key, unless
from partwarden.dsn import is_libpqs
from partwarden.errors import BadConfig

_ALL: dict[str, JsonValue] = {"x-left-out": "all", "x-since": ""}


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
        return unless(self, contradictions.of_lock_wait(self.lock_wait))


class Monitor(Stated):
    """The job that calls ``partwarden.monitor()``, and the settings that it goes by."""

    schedule: v.Schedule | None = key(
        "When pg_cron runs it; seconds take pg_cron 1.5.", left_out="10 seconds, else every minute"
    )
    channel: Literal["aws_lambda", "agent", "both", "none"] | None = key(
        "How notifications leave: through `aws_lambda`, by the `agent` to the file's `channels`, `both`, or `none`: "
        "incidents are kept, and nobody is told.",
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
    invoke_timeout: v.SomeTime | None = key(
        "How long a delivery waits for the Lambda function, or for a channel.", left_out="25 seconds"
    )
    keep_history: v.SomeTime | None = key("How long what is over and delivered is kept.", left_out="90 days")
    flap_window: v.Duration | None = key(
        "What comes back within this time is the same incident.", left_out="15 minutes"
    )
    heartbeat: v.Truth | None = key(
        "Whether a heartbeat is sent through the Lambda function, once a minute.", left_out="true"
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        return unless(self, contradictions.of_monitor(self))


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


class Channel(Stated):
    """A way to people that the agent takes: where it leads, and who is told of what."""

    name: v.ChannelName = Field(description="What it is called here; `--channel` takes it.")
    url: v.ChannelUrl = Field(
        description="Where the URL stands that leads there: `env:NAME`, `file:/path` or `aws-secret:NAME`; only one of "
        "`mailto:` without a password may stand here itself."
    )
    severity: Literal["warning", "critical"] | None = key("The least that is told here.", left_out="warning")
    databases: Annotated[tuple[v.Text, ...], v.SEVERAL] = Field(
        default=(), description="Names or patterns of databases that are told of here.", json_schema_extra=_ALL
    )
    sets: Annotated[tuple[v.Table, ...], v.SEVERAL] = Field(
        default=(),
        description="Names or patterns of partition sets that are told of here, and then nothing else is.",
        json_schema_extra=_ALL,
    )
    events: Annotated[tuple[v.Event, ...], v.SEVERAL] = Field(
        default=(),
        description="What is told of an incident: `opened`, `worsened`, `reopened`, `reminder`, `resolved`.",
        json_schema_extra=_ALL,
    )
    signing_key: v.SecretReference | None = key(
        "Where the key stands that a webhook's body is signed with: `env:NAME`, `file:/path` or `aws-secret:NAME`.",
        left_out="not signed",
    )


class DatabasePart(Stated):
    """What one file says of a database."""

    name: v.Text = Field(description="What it is called here; `--database` takes it.")
    dsn: v.Dsn | None = key(
        "How to get in: a connection string without a password, `env:NAME`, `iam:…` or `aws-secret:…`. "
        "One file has to say it."
    )
    cluster: v.Text | None = key("What messages call the server.", left_out="the host in the DSN of the first install")
    cron_database: v.Text | None = key("The database that pg_cron lives in.", left_out="what the server says")
    scheduler: Literal["pg_cron", "agent"] | None = key(
        "Who runs both jobs when they are due: `pg_cron`, or `partwarden agent`, where there is none.",
        left_out="pg_cron",
    )
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
    channels: tuple[Channel, ...] = Field(
        default=(), description="Where `partwarden agent` takes the notifications of all databases."
    )
    databases: tuple[DatabasePart, ...] = Field(default=(), description="The databases.")


class Config(Stated):
    """What the files say together."""

    databases: tuple[Database, ...]
    channels: tuple[Channel, ...] = ()
