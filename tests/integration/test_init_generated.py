"""Whatever sets there are: the file that init writes changes nothing, and makes the same sets of the same tables anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from partwarden.config import read_config
from partwarden.database import Connection
from partwarden.initial import initial_file
from partwarden.install import install
from partwarden.planning import Step, apply, plan
from tests.partition_sets import create_parent, create_sub_parent
from tests.servers import Database


class Nobody:
    """Is told of each step, and does not listen."""

    def begins(self, database: str, step: Step) -> None: ...

    def ends(self, database: str, step: Step) -> None: ...


NAMES = (
    "events",
    'Weird ""T"',
    "ünï ö",
    "x" * 50,
    "SELECT",
    "a, b",
    "${HOME}$$",
    "# a",
    "- b",
    "c: d",
    "*",
    "true",
    "010",
)
KINDS = {
    "timestamptz": ("1 hour", "1 day", "1 week", "1 month", "3 months", "1 year", "1 day 12 hours"),
    "date": ("1 day", "1 month"),
    "bigint": ("1000", "7"),
    "epoch": ("1 day",),
}


@dataclass(frozen=True)
class Spec:
    """A set as it is made: pg_partman is asked for it with ``arguments``, and then told ``columns``."""

    name: str
    kind: str
    interval: str
    premake: int
    columns: dict[str, Any]
    template: str
    has_default: bool
    sub: dict[str, Any] | None
    policy: str | None

    @property
    def parent(self) -> str:
        return f"app.{self.name}"


COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "infinite_time_partitions": st.booleans(),
        "automatic_maintenance": st.sampled_from(["on", "off"]),
        "optimize_constraint": st.integers(1, 99),
        "constraint_cols": st.sampled_from([["note"], ["note", 'a "b".c']]),
        "constraint_valid": st.booleans(),
        "inherit_privileges": st.booleans(),
        "ignore_default_data": st.booleans(),
        "jobmon": st.booleans(),
        "maintenance_order": st.integers(1, 9),
        "retention_keep_index": st.booleans(),
        "retention_keep_publication": st.booleans(),
        "detach_before_drop": st.booleans(),
        "drop_cascade_fk": st.booleans(),
        "inherit_fk": st.booleans(),
        "publications": st.just(["pub a"]),
        "subscription_refresh": st.just("sub"),
        "maintenance_role": st.just("somebody"),
        "retention": st.sampled_from([{}, {"retention_keep_table": False}, {"retention_schema": "Old ones"}]),
    },
)


@st.composite
def specs(draw: st.DrawFn, name: str) -> Spec:
    kind = draw(st.sampled_from(sorted(KINDS)))
    # The names of partitions' partitions are cut, and then not unique any more: pg_partman fails.
    has_sub = kind in ("timestamptz", "date") and len(name) < 30 and draw(st.integers(0, 2)) == 0
    interval = draw(st.sampled_from(KINDS[kind]))
    return Spec(
        name=name,
        kind=kind,
        interval="1 month" if has_sub else interval,
        premake=draw(st.integers(1, 2 if has_sub else 5)),
        columns=draw(COLUMNS),
        template=draw(st.sampled_from(["usual", "none", "own"])),
        has_default=draw(st.booleans()),
        sub=draw(COLUMNS) if has_sub else None,
        policy=draw(st.sampled_from([None, "off", "always"])),
    )


BATCHES = st.tuples(*(specs(name) for name in NAMES[:6])) | st.tuples(*(specs(name) for name in NAMES[6:]))


TOLD: dict[str, Any] = {
    "infinite_time_partitions": True,
    "automatic_maintenance": "off",
    "optimize_constraint": 7,
    "constraint_cols": ["note", 'a "b".c'],
    "constraint_valid": False,
    "inherit_privileges": True,
    "jobmon": False,
    "maintenance_order": 3,
    "retention_keep_index": False,
    "retention_keep_publication": True,
    "detach_before_drop": True,
    "drop_cascade_fk": True,
    "inherit_fk": False,
    "publications": ["pub a"],
    "maintenance_role": "somebody",
    "retention": {"retention_schema": "Old ones"},
}
DROPS = {"ignore_default_data": False, "retention": {"retention_keep_table": False}}
ALL_KEYS = (
    Spec("all", "timestamptz", "1 day 12 hours", 7, TOLD, "own", True, None, "off"),
    Spec("dropped", "date", "1 month", 7, DROPS, "none", False, None, None),
    Spec(
        "below", "timestamptz", "1 month", 1, {"ignore_default_data": True}, "usual", True, {**TOLD, **DROPS}, "always"
    ),
    Spec("${HOME}$$", "epoch", "1 day", 7, {}, "usual", True, None, None),
    Spec("plain", "bigint", "1000", 4, {}, "usual", True, None, None),
)
"""Everything that pg_partman can be told, and three of five that share a value which the others have not."""


@example(batch=ALL_KEYS)
@settings(
    max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(batch=BATCHES)
def test_the_file_changes_nothing_and_makes_the_same_again(
    tmp_path_factory: pytest.TempPathFactory, database: Database, batch: tuple[Spec, ...]
) -> None:
    with database.connect_owner() as owner:
        install(owner)
        owner.execute('drop publication if exists "pub a"; create publication "pub a"')
        owner.execute("drop schema if exists app cascade")
        owner.execute("delete from partman.part_config")
        owner.execute("delete from partwarden.set_policy")
        make_tables(owner, batch)
        for spec in batch:
            make_set(owner, spec)
        before = configuration(owner)
        made = initial_file(database.owner_dsn, name="made")
        file = tmp_path_factory.getbasetemp() / "partwarden.yaml"
        file.write_text(made.text)
        assert (made.sets, made.suggested, made.refused) == (len(batch), 0, 0), made.text
        config = read_config(file)
        (planned,) = plan(config).databases
        assert (planned.error, planned.steps, planned.obstacles) == (None, (), ()), made.text

        owner.execute("drop schema app cascade")
        owner.execute("delete from partman.part_config")
        owner.execute("delete from partwarden.set_policy")
        make_tables(owner, batch)
        (applied,) = apply(config, plan(config), Nobody(), allow_destroy=True)
        assert applied.error is None, made.text
        assert configuration(owner) == before, made.text


def make_tables(owner: Connection, batch: tuple[Spec, ...]) -> None:
    owner.execute("create schema app")
    for spec in batch:
        column = {"epoch": "bigint"}.get(spec.kind, spec.kind)
        owner.execute(
            sql.SQL(
                'create table app.{0} (created_at {1} not null, id bigint not null, note text, "a ""b"".c" int) '
                "partition by range (created_at)"
            ).format(sql.Identifier(spec.name), sql.SQL(column))
        )
        owner.execute(sql.SQL("create table app.{} (like app.{})").format(*map(sql.Identifier, (own(spec), spec.name))))


def own(spec: Spec) -> str:
    return f"t {spec.name[:50]}"


def make_set(owner: Connection, spec: Spec) -> None:
    arguments: dict[str, Any] = {"p_premake": spec.premake}
    is_4 = owner_is_4(owner)
    if spec.kind == "epoch":
        arguments["p_epoch"] = "seconds"
    if spec.template == "own":
        arguments["p_template_table"] = f"app.{own(spec)}"
    if spec.template == "none" and not is_4 and spec.sub is None:
        arguments |= {"p_template_table": "false", "p_default_table": False}  # 5.2 takes both or none
    if not spec.has_default and not is_4 and spec.sub is None:
        arguments["p_default_table"] = False
    create_parent(owner, spec.parent, spec.interval, **arguments)
    tell(owner, "part_config", "parent_table", "", spec, spec.columns, by_id=spec.kind == "bigint")
    if spec.sub is not None:
        columns = spec.sub
        create_sub_parent(owner, spec.parent, "id", "5000", p_premake=1)
        tell(owner, "part_config_sub", "sub_parent", "sub_", spec, columns, by_id=True)
        for (child,) in owner.execute(
            "select parent_table from partman.part_config where parent_table like 'app.%%' and strpos(parent_table, %s) = 1 "
            "and parent_table <> %s",
            (spec.parent, spec.parent),
        ).fetchall():
            tell(owner, "part_config", "parent_table", "", spec, columns, by_id=True, parent=child)
    if spec.policy is not None:
        owner.execute("insert into partwarden.set_policy values (%s, %s)", (spec.parent, spec.policy))


def owner_is_4(owner: Connection) -> bool:
    row = owner.execute("select extversion from pg_extension where extname = 'pg_partman'").fetchone()
    assert row is not None
    return str(row[0]).startswith("4.")


def tell(
    owner: Connection,
    table: str,
    key: str,
    prefix: str,
    spec: Spec,
    columns: dict[str, Any],
    *,
    by_id: bool,
    parent: str | None = None,
) -> None:
    there = {
        name
        for (name,) in owner.execute(
            "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0", (f"partman.{table}",)
        ).fetchall()
    }
    if "retention" in columns:
        columns = {**columns, **columns["retention"], "retention": "90000" if by_id else "2 years"}
    said = {f"{prefix}{name}": value for name, value in columns.items() if f"{prefix}{name}" in there}
    for name, value in said.items():
        owner.execute(
            sql.SQL("update partman.{} set {} = %s where {} = %s").format(*map(sql.Identifier, (table, name, key))),
            (value, parent or spec.parent),
        )


def configuration(owner: Connection) -> list[Any]:
    """All that pg_partman is configured for, but for the names of partitions, which depend on the moment."""
    return owner.execute(
        """
        select parent_table, to_jsonb(config) - 'maintenance_last_run', to_jsonb(sub), repair,
               exists (select from pg_partitioned_table where partrelid = oid and partdefid <> 0)
        from partman.part_config config
        join pg_class on relname = split_part(parent_table, '.', 2) and not relispartition
        left join partman.part_config_sub sub on sub_parent = parent_table
        left join partwarden.set_policy using (parent_table)
        order by 1
        """
    ).fetchall()
