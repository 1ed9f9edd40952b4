"""How pg_partman's routines are called before and after an update that changes them.

Parameters stand in their order. A test holds this against the extension itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from partwarden.upgrading.releases import GONE_IN_5


@dataclass(frozen=True)
class Changed:
    """A routine that takes other parameters, or the same in another order, from ``since`` on; ``after`` is None if it goes.

    ``renamed`` leads from old names to new ones. What is in ``before`` only, and not renamed, does nothing any more.
    """

    since: str
    before: tuple[str, ...]
    after: tuple[str, ...] | None
    renamed: Mapping[str, str] = field(default_factory=dict)


PROCEDURES = (
    "partition_data_proc",
    "reapply_constraints_proc",
    "run_analyze",
    "run_maintenance_proc",
    "undo_partition_proc",
)
"""What has to be called with CALL; SELECT fails in every version."""

_NEW_PARTITIONS = ("p_parent_table", "p_partition_ids", "p_start_partition")
_NEW_TIMES = ("p_parent_table", "p_partition_times", "p_start_partition")


def _names(listed: str) -> tuple[str, ...]:
    return tuple(f"p_{name}" for name in listed.split())


CHANGED: Mapping[str, tuple[Changed, ...]] = {
    "create_parent": (
        Changed(
            "5.0.0",
            _names(
                "parent_table control type interval constraint_cols premake automatic_maintenance start_partition inherit_fk "
                "epoch upsert publications trigger_return_null template_table jobmon date_trunc_interval"
            ),
            _names(
                "parent_table control interval type epoch premake start_partition default_table automatic_maintenance "
                "constraint_cols template_table jobmon date_trunc_interval"
            ),
        ),
    ),
    "create_sub_parent": (
        Changed(
            "5.0.0",
            _names(
                "top_parent control type interval native_check constraint_cols premake start_partition inherit_fk epoch "
                "upsert trigger_return_null jobmon date_trunc_interval"
            ),
            _names(
                "top_parent control interval type default_table declarative_check constraint_cols premake start_partition "
                "epoch jobmon date_trunc_interval"
            ),
            {"p_native_check": "p_declarative_check"},
        ),
    ),
    "create_partition_id": (
        Changed("5.0.0", _names("parent_table partition_ids analyze start_partition"), _NEW_PARTITIONS),
    ),
    "create_partition_time": (
        Changed("5.0.0", _names("parent_table partition_times analyze start_partition"), _NEW_TIMES),
    ),
    "partition_data_proc": (
        Changed(
            "5.0.0",
            _names(
                "parent_table interval batch wait source_table order lock_wait lock_wait_tries quiet ignored_columns"
            ),
            _names(
                "parent_table loop_count interval lock_wait lock_wait_tries wait order source_table ignored_columns quiet"
            ),
            {"p_batch": "p_loop_count"},
        ),
    ),
    "undo_partition": (
        Changed(
            "5.0.0",
            _names(
                "parent_table batch_count batch_interval keep_table lock_wait target_table ignored_columns drop_cascade"
            ),
            _names(
                "parent_table target_table loop_count batch_interval keep_table lock_wait ignored_columns drop_cascade"
            ),
            {"p_batch_count": "p_loop_count"},
        ),
    ),
    "undo_partition_proc": (
        Changed(
            "5.0.0",
            _names(
                "parent_table interval batch wait target_table keep_table lock_wait lock_wait_tries quiet ignored_columns "
                "drop_cascade"
            ),
            _names(
                "parent_table target_table loop_count interval keep_table lock_wait lock_wait_tries wait ignored_columns "
                "drop_cascade quiet"
            ),
            {"p_batch": "p_loop_count"},
        ),
    ),
    # 4.8.0 gave it a second parameter, 5.1.0 took it away again.
    "partition_gap_fill": (Changed("5.1.0", _names("parent_table analyze"), _names("parent_table")),),
    "reapply_constraints_proc": (
        Changed(
            "5.4.0",
            _names("parent_table drop_constraints apply_constraints wait dryrun"),
            _names("parent_table drop_constraints apply_constraints analyze wait dryrun"),
        ),
    ),
    **{name: (Changed("5.0.0", (), None),) for name in GONE_IN_5},
}
"""The routines whose calls change, by name."""
