"""The keys of ``partwarden.yaml`` and what pg_partman calls the same: its columns, and the arguments it is created with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from partwarden.config.names import written


@dataclass(frozen=True)
class Term:
    """One thing that pg_partman can be told.

    ``key`` is the file's, below a partition set; ``column`` that of part_config (with ``sub_`` before it, of
    part_config_sub); ``argument`` that of create_parent(). Not every version has each of them.
    """

    key: str
    column: str | None
    argument: str | None = None


TERMS = (
    Term("control", "control", "p_control"),
    Term("interval", "partition_interval", "p_interval"),
    Term("type", "partition_type", "p_type"),
    Term("epoch", "epoch", "p_epoch"),
    Term("premake", "premake", "p_premake"),
    Term("start", None, "p_start_partition"),
    Term("default", "default_table", "p_default_table"),
    Term("automatic", "automatic_maintenance", "p_automatic_maintenance"),
    Term("template", "template_table", "p_template_table"),
    Term("infinite", "infinite_time_partitions"),
    Term("retention.keep", "retention"),
    Term("retention.then", "retention_keep_table"),
    Term("retention.keep_index", "retention_keep_index"),
    Term("retention.keep_publication", "retention_keep_publication"),
    Term("retention.detach_before_drop", "detach_before_drop"),
    Term("retention.cascade", "drop_cascade_fk"),
    Term("constraint_columns", "constraint_cols", "p_constraint_cols"),
    Term("optimize_constraint", "optimize_constraint"),
    Term("constraint_valid", "constraint_valid"),
    Term("inherit_privileges", "inherit_privileges"),
    Term("ignore_default_data", "ignore_default_data"),
    Term("datetime_string", "datetime_string"),
    Term("date_trunc_interval", "date_trunc_interval", "p_date_trunc_interval"),
    Term("time_encoder", "time_encoder", "p_time_encoder"),
    Term("time_decoder", "time_decoder", "p_time_decoder"),
    Term("control_not_null", "control_not_null", "p_control_not_null"),
    Term("offset", None, "p_offset_id"),
    Term("jobmon", "jobmon", "p_jobmon"),
    Term("maintenance_order", "maintenance_order"),
    Term("maintenance_role", "maintenance_role"),
    Term("inherit_fk", "inherit_fk", "p_inherit_fk"),
    Term("publications", "publications", "p_publications"),
    Term("subscription_refresh", "subscription_refresh"),
)

LENGTHS = frozenset({"partition_interval", "retention"})
"""Columns that hold an interval or a number as text: ``1 day`` and ``24:00:00`` differ, ``1 mon`` and ``1 month`` do not."""


def fate_of_old(config: Mapping[str, Any]) -> str:
    """What becomes of old partitions, as ``retention.then`` says it; where they are moved, nothing else counts."""
    if config["retention_schema"] is not None:
        return f"move to {written(config['retention_schema'])}"
    return "detach" if config["retention_keep_table"] else "drop"
