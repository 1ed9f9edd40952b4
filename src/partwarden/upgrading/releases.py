"""What each release of pg_partman drops on the way there, as its update scripts say.

A test holds this against the scripts themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NEWEST = "5.5.0"
"""The newest release that is known here; what a newer one changes is not."""

FIRST_5 = "5.0.0"
SECOND_HALF_OF_5 = "5.0.1"
"""5.0 comes in two updates, which need a transaction each: the second alters a table that the first has written to."""


class Kind(StrEnum):
    """What can be dropped."""

    ROUTINE = "routine"
    TABLE = "table"
    COLUMN = "column"


@dataclass(frozen=True)
class Dropped:
    """Something that the update to ``since`` drops.

    ``part`` is the column of the table ``name``; ``is_gone`` tells that nothing of that name comes back; ``keeps_grants``
    that the update grants again what had been granted.
    """

    since: str
    kind: Kind
    name: str
    part: str | None = None
    is_gone: bool = False
    keeps_grants: bool = False


GONE_IN_5 = (
    "apply_foreign_keys",
    "apply_publications",
    "create_function_id",
    "create_function_time",
    "create_trigger",
    "drop_partition_column",
)
"""Routines that pg_partman 5.0 has no longer; whoever calls them has to do without."""
_REMADE_IN_5 = (
    "check_subpart_sameconfig",
    "create_parent",
    "create_partition_id",
    "create_partition_time",
    "create_sub_parent",
    "partition_data_proc",
    "run_maintenance",
    "run_maintenance_proc",
    "undo_partition",
    "undo_partition_proc",
)
_COLUMNS_GONE_IN_5 = {
    "part_config": (
        "optimize_trigger",
        "inherit_fk",
        "trigger_exception_handling",
        "upsert",
        "trigger_return_null",
        "publications",
        "subscription_refresh",
        "drop_cascade_fk",
    ),
    "part_config_sub": (
        "sub_optimize_trigger",
        "sub_inherit_fk",
        "sub_trigger_exception_handling",
        "sub_upsert",
        "sub_trigger_return_null",
        "sub_subscription_refresh",
    ),
}
_REMADE_LATER = {
    "5.1.0": ("check_subpart_sameconfig", "partition_gap_fill"),
    "5.2.0": ("check_subpart_sameconfig", "create_parent", "create_sub_parent"),
    "5.3.0": ("create_parent", "partition_data_id", "partition_data_time", "show_partition_info"),
    "5.4.0": ("check_default", "partition_data_proc", "partition_data_time", "reapply_constraints_proc"),
    "5.5.0": ("check_subpart_sameconfig",),
}
_FORGOTTEN = {("5.4.0", "check_default")}

DROPPED: tuple[Dropped, ...] = (
    *(Dropped(FIRST_5, Kind.TABLE, name) for name in ("part_config", "part_config_sub")),
    Dropped(FIRST_5, Kind.TABLE, "custom_time_partitions", is_gone=True),
    *(
        Dropped(FIRST_5, Kind.COLUMN, table, column, is_gone=True)
        for table, columns in _COLUMNS_GONE_IN_5.items()
        for column in columns
    ),
    *(Dropped(FIRST_5, Kind.ROUTINE, name, is_gone=True) for name in GONE_IN_5),
    *(Dropped(FIRST_5, Kind.ROUTINE, name) for name in _REMADE_IN_5),
    Dropped("5.2.0", Kind.COLUMN, "part_config", "default_table", is_gone=True),
    *(
        Dropped(since, Kind.ROUTINE, name, keeps_grants=(since, name) not in _FORGOTTEN)
        for since, names in _REMADE_LATER.items()
        for name in names
    ),
)
