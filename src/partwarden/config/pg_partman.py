"""pg_partman's own names for what ``partwarden.yaml`` says in its words, for those who come from there."""

from __future__ import annotations

from collections.abc import Mapping

_TRIGGERS = "this is for sets that pg_partman 4 partitions with triggers, and PostgreSQL partitions without them"

SAID_HERE: Mapping[str, str] = {
    "parent_table": "table",
    "p_parent_table": "table",
    "p_control": "control",
    "p_interval": "interval",
    "partition_interval": "interval",
    "p_type": "type",
    "partition_type": "type",
    "p_premake": "premake",
    "p_start_partition": "start",
    "infinite_time_partitions": "infinite",
    "p_epoch": "epoch",
    "automatic_maintenance": "automatic",
    "p_automatic_maintenance": "automatic",
    "p_default_table": "default",
    "default_table": "default",
    "template_table": "template",
    "p_template_table": "template",
    "retention_schema": "retention: {then: move to SCHEMA}",
    "retention_keep_table": "retention: {then: detach}, or drop",
    "retention_keep_index": "retention: {keep_index: …}",
    "retention_keep_publication": "retention: {keep_publication: …}",
    "drop_cascade_fk": "retention: {cascade: …}",
    "constraint_cols": "constraint_columns",
    "p_constraint_cols": "constraint_columns",
    "p_jobmon": "jobmon",
    "p_date_trunc_interval": "date_trunc_interval",
    "p_control_not_null": "control_not_null",
    "p_time_encoder": "time_encoder",
    "p_time_decoder": "time_decoder",
    "p_offset_id": "offset",
    "offset_id": "offset",
    "p_inherit_fk": "inherit_fk",
    "p_publications": "publications",
    "sub_partition_set_full": "automatic",
    "sub_control": "sub: {control: …}",
    "sub_partition_interval": "sub: {interval: …}",
    "sub_partition_type": "sub: {type: …}",
    "sub_premake": "sub: {premake: …}",
}

NOT_SAID_HERE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "upsert",
            "p_upsert",
            "trigger_return_null",
            "p_trigger_return_null",
            "trigger_exception_handling",
            "p_trigger_exception_handling",
            "optimize_trigger",
            "p_use_run_maintenance",
        ),
        f"there is no such key: {_TRIGGERS}",
    ),
    "undo_in_progress": "there is no such key: pg_partman sets it itself while a set is undone",
    "maintenance_last_run": "there is no such key: pg_partman writes it",
    "async_partitioning_in_progress": "there is no such key: pg_partman writes it",
}

INTERVAL_OF_WORD = {
    "yearly": "1 year",
    "quarterly": "3 months",
    "monthly": "1 month",
    "weekly": "1 week",
    "daily": "1 day",
    "hourly": "1 hour",
    "half-hour": "30 minutes",
    "quarter-hour": "15 minutes",
}
"""The words that pg_partman 4 took for intervals; 5 takes intervals of PostgreSQL only."""
