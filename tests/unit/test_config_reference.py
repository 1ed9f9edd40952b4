"""What is published about the file is made from its models: the JSON Schema, and the tables of docs/file.md."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import BaseModel

from partwarden.config import BadFile, read_config
from partwarden.config.models import Channel, DatabasePart, File, Maintenance, Monitor, Silence, Thresholds
from partwarden.config.pg_partman import NOT_SAID_HERE, SAID_HERE
from partwarden.config.schema import json_schema, schema_text
from partwarden.config.sets import ORDER, TABLE_MEANING, Defaults, PartitionSet, Retention, Settings, SubPartition

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = DOCS / "file.md"
SCHEMA = DOCS / "partwarden.schema.json"
SECTIONS: dict[str, type[BaseModel]] = {
    "file": File,
    "database": DatabasePart,
    "set": PartitionSet,
    "retention": Retention,
    "maintenance": Maintenance,
    "monitor": Monitor,
    "channel": Channel,
    "thresholds": Thresholds,
    "silence": Silence,
}
EDITOR = Draft7Validator(json_schema())
WRITE = "PARTWARDEN_WRITE_PAGES" in os.environ


def test_the_published_schema_is_the_one_of_the_models() -> None:
    if WRITE:
        SCHEMA.write_text(schema_text())
    assert SCHEMA.read_text() == schema_text()
    Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_has_every_key_with_its_meaning(name: str) -> None:
    page = PAGE.read_text()
    begin, end = f"<!-- keys of {name} -->\n", "<!-- end of keys -->"
    before, found, rest = page.partition(begin)
    assert found
    old, _, after = rest.partition(end)
    new = f"\n{table_of(SECTIONS[name])}\n"
    if WRITE:
        PAGE.write_text(f"{before}{begin}{new}{end}{after}")
        return
    assert old == new


def table_of(model: type[BaseModel]) -> str:
    rows = ["| key | meaning | left out | pg_partman |", "| --- | --- | --- | --- |"]
    rows += [f"| `{key}` | {meaning} | {left_out} | {since} |" for key, meaning, left_out, since in keys_of(model)]
    if all(row.endswith("|  |") for row in rows[2:]):
        rows = [row.rpartition("|")[0].rpartition("|")[0] + "|" for row in rows]
    return "\n".join(rows) + "\n"


def keys_of(model: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    found = {}
    for key, field in model.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        found[key] = (key, field.description or "", str(extra.get("x-left-out", "")), str(extra.get("x-since", "")))
        if field.is_required():
            found[key] = (key, field.description or "", "needed", "")
    found.pop("move_to", None)
    if "tables" in found:
        found = {"table": ("table", TABLE_MEANING, "needed, or `tables`", "")} | found
        found["tables"] = (*found["tables"][:2], "needed, or `table`", "")
        return [found[key] for key in ORDER]
    return list(found.values())


def test_the_page_names_what_pg_partman_calls_differently() -> None:
    text = PAGE.read_text()
    assert [
        name for name in (*SAID_HERE, *NOT_SAID_HERE) if not name.startswith(("p_", "sub_")) and name not in text
    ] == []


def test_keys_stand_in_one_order_and_each_in_it() -> None:
    assert set(ORDER) == {"table", *PartitionSet.model_fields}
    assert set(SubPartition.model_fields) <= set(ORDER)
    assert set(Defaults.model_fields) - set(Settings.model_fields) == {"start", "repair"}


class Words(yaml.SafeLoader):
    """As editors read YAML: dates are text."""


Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def examples() -> list[str]:
    """The blocks of the page that are whole files."""
    return [block for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if "databases:" in block]


def accepts(text: str) -> bool:
    said = yaml.load(text, Words)  # noqa: S506 - it is a safe loader
    return EDITOR.is_valid(said)


def test_the_examples_are_taken_by_the_reader_and_by_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "prod")
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "orders.yaml").write_text(examples()[1])
    for text in (examples()[0], "databases: [{name: demopg, dsn: service=a}]"):
        (tmp_path / "partwarden.yaml").write_text(text)
        read_config(tmp_path / "partwarden.yaml")
        assert accepts(text)
    assert accepts(examples()[1])


def test_the_full_example_has_every_key() -> None:
    said: dict[str, Any] = yaml.safe_load(examples()[0])
    database = said["databases"][0]
    sets = {key for each in database["partition_sets"] for key in each}
    assert set(DatabasePart.model_fields) == set(database)
    assert set(Maintenance.model_fields) == set(database["maintenance"])
    assert set(Monitor.model_fields) == set(database["monitor"])
    assert sets | set(said["defaults"]) == set(ORDER)


@pytest.mark.parametrize(
    "keys",
    [
        "premke: 7",
        "premake: '7'",
        "premake: 0",
        "epoch: hours",
        "infinite: maybe",
        "retention: {keep: 1 day, then: detch}",
        "retention: {move_to: a}",
        "retention: 1 day",
        "tables: app.a",
        "automatic: perhaps",
        "sub: {control: a}",
    ],
)
def test_an_editor_finds_what_the_reader_refuses(tmp_path: Path, keys: str) -> None:
    text = "databases: [{name: a, dsn: b, partition_sets: [{table: app.t, control: c, interval: 1 day, %s}]}]"
    assert accepts(text.replace(", %s", ""))
    assert not accepts(text % keys)
    (tmp_path / "f.yaml").write_text(text % keys)
    with pytest.raises(BadFile):
        read_config(tmp_path / "f.yaml")
