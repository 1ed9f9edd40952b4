"""Calls of pg_partman's routines, as 4 took them, become calls as 5 takes them."""

from __future__ import annotations

import pytest

from partwarden.upgrading.calls import changed_calls, with_call
from partwarden.upgrading.versions import Version


def rewritten(text: str, *, installed: str = "4.7.2", target: str = "5.5.0") -> list[str | None]:
    changes = changed_calls(text, schema="partman", installed=Version(installed), target=Version(target))
    return [change.new for change in changes]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "select partman.create_parent('app.events', 'created_at', 'native', 'daily')",
            "partman.create_parent(p_parent_table => 'app.events', p_control => 'created_at', p_interval => '1 day')",
            id="in their order",
        ),
        pytest.param(
            "SELECT partman.Create_Parent (p_parent_table := 'app.events', p_control := 'id', p_type := 'native', "
            "p_interval := '10', p_upsert := '', p_premake := greatest(1, 2))",
            "partman.Create_Parent (p_parent_table => 'app.events', p_control => 'id', p_interval => '10', "
            "p_premake => greatest(1, 2))",
            id="by name",
        ),
        pytest.param(
            "select create_sub_parent('app.events', 'id', 'native', '10', 'yes', p_premake => 2)",
            "create_sub_parent(p_top_parent => 'app.events', p_control => 'id', p_interval => '10', "
            "p_declarative_check => 'yes', p_premake => 2)",
            id="a parameter under another name",
        ),
        pytest.param(
            "call partman.partition_data_proc('app.events', '1 day', 10, 1)",
            "partman.partition_data_proc(p_parent_table => 'app.events', p_interval => '1 day', p_loop_count => 10, "
            "p_wait => 1)",
            id="a procedure",
        ),
        pytest.param(
            "execute 'select partman.create_parent(''app.a'', ''c'', ''native'', ''weekly'', ''{a,b}'')';",
            "partman.create_parent(p_parent_table => ''app.a'', p_control => ''c'', p_interval => ''1 week'', "
            "p_constraint_cols => ''{a,b}'')",
            id="in a text that is executed",
        ),
        pytest.param(
            """select "partman"."undo_partition"('app.events', 20, p_target_table => 'app."x"')""",
            """"partman"."undo_partition"(p_parent_table => 'app.events', p_loop_count => 20, """
            """p_target_table => 'app."x"')""",
            id="names in quotes",
        ),
    ],
)
def test_a_call_as_4_took_it_becomes_one_that_5_takes(old: str, new: str) -> None:
    assert rewritten(old) == [new]


@pytest.mark.parametrize(
    "text",
    [
        "select partman.run_maintenance('app.events')",
        "call partman.run_maintenance_proc(0, true)",
        "select other.create_parent('app.events', 'created_at', 'native', 'daily')",
        "call partman.partition_data_proc('app.events')",
        "select partman.create_parent(p_parent_table => 'a.b', p_control => 'c', p_interval => '1 day')",
        "select not_create_parent('a', 'b', 'native', 'daily')",
    ],
)
def test_a_call_that_goes_on_working_stays_as_it_is(text: str) -> None:
    assert rewritten(text) == []


def test_a_routine_that_is_gone_has_to_be_dealt_with_by_hand() -> None:
    assert rewritten("select partman.create_trigger('app.events')") == [None]


def test_only_what_changes_between_the_two_versions_counts() -> None:
    of_4 = "select partman.create_parent('app.events', 'created_at', 'native', 'daily')"
    of_5_3 = "call partman.reapply_constraints_proc('app.events', true, true, 5)"
    assert rewritten(of_4, installed="5.2.4") == []
    assert rewritten(of_5_3, installed="5.2.4", target="5.3.1") == []
    (new,) = rewritten(of_5_3, installed="5.2.4")
    assert new is not None
    assert new.endswith("p_apply_constraints => true, p_wait => 5)")


def test_a_procedure_that_is_selected_is_called() -> None:
    assert with_call("SELECT partman.run_maintenance_proc()") == "call partman.run_maintenance_proc()"
    assert with_call("select partman.run_maintenance()") == "select partman.run_maintenance()"


def test_versions_are_compared_by_their_numbers() -> None:
    assert Version("4.7.2") < Version("4.10") < Version("5") <= Version("5.0.0-beta") < Version("5.0.1")
