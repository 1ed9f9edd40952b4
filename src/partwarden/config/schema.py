"""The JSON Schema of ``partwarden.yaml``, made from the models, for editors that complete and check while one types."""

from __future__ import annotations

import json
from typing import Any

from partwarden.config.models import DatabasePart, File
from partwarden.config.sets import ORDER, TABLE_MEANING

_VARIABLE = {"type": "string", "pattern": r"\$\{"}  # an editor can't look into it
_DEFINITIONS = "#/definitions/{model}"
_ONE_OR_SEVERAL = {"include", "tables", "schemas", "constraint_columns", "publications", "sets", "events"}


def json_schema() -> dict[str, Any]:
    """The schema, in draft 7, which editors know best."""
    made = File.model_json_schema(ref_template=_DEFINITIONS)
    definitions = {name: _section(each) for name, each in made.pop("$defs").items()}
    _refine(definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "partwarden.yaml",
        "description": "What should be there: databases, their partition sets, and the jobs that look after them.",
        **_section({key: value for key, value in made.items() if key not in ("title", "description")}),
        "definitions": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(said: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _key(name, each) for name, each in said["properties"].items()}
    kept = {
        key: value for key, value in said.items() if key in ("type", "required", "additionalProperties", "description")
    }
    return {**kept, "properties": properties}


def _key(name: str, said: dict[str, Any]) -> dict[str, Any]:
    description = described(said.get("description", ""), said.get("x-left-out", ""), said.get("x-since", ""))
    takes = _takes(said)
    if name in _ONE_OR_SEVERAL:
        takes = [*takes, *_takes(next(each for each in takes if "items" in each)["items"])]
    if name == "extensions":
        takes = [*takes, {"type": "array", "items": {"type": "string"}}]
    takes = [_plain(each) for each in takes]
    if not any(each.get("type") in ("string", "array") or "$ref" in each for each in takes):
        takes.append(_VARIABLE)
    return {
        "description": description,
        **(takes[0] if len(takes) == 1 and "$ref" not in takes[0] else {"anyOf": takes}),
    }


def described(meaning: str, left_out: str, since: str) -> str:
    """The meaning of a key with what holds without it, and which pg_partman it takes."""
    parts = [meaning]
    if left_out:
        parts.append(f"Left out: {left_out}.")
    if since:
        parts.append(f"pg_partman {since}." if since.endswith("only") else f"Since pg_partman {since}.")
    return " ".join(parts)


def _takes(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives that a key takes; nothing is none of them."""
    if "anyOf" in said:
        return [each for inner in said["anyOf"] for each in _takes(inner)]
    return [] if said.get("type") == "null" else [said]


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """Without titles, and what only concerns Python."""
    left = {
        key: value
        for key, value in said.items()
        if key not in ("title", "default", "description", "x-left-out", "x-since", "maxItems", "prefixItems")
    }
    if "items" in left:
        takes = [_plain(each) for each in _takes(left["items"])]
        left["items"] = takes[0] if len(takes) == 1 else {"anyOf": takes}
    if isinstance(left.get("additionalProperties"), dict):
        left["additionalProperties"] = {"anyOf": [*map(_plain, _takes(left["additionalProperties"])), {"type": "null"}]}
    return left


def _refine(definitions: dict[str, Any]) -> None:
    """What the models say in code."""
    retention = definitions["Retention"]["properties"]
    del retention["move_to"]
    words = retention["then"]
    retention["then"] = {
        "description": words["description"],
        "anyOf": [{"enum": ["detach", "drop"]}, {"type": "string", "pattern": r"^move to .|\$\{"}],
    }
    database = definitions["DatabasePart"]["properties"]
    database["thresholds"]["description"] = DatabasePart.model_fields["thresholds"].description
    patterns = definitions["Channel"]["properties"]["databases"]
    definitions["Channel"]["properties"]["databases"] = {
        "description": patterns.pop("description"),
        "anyOf": [patterns, patterns["items"]],
    }
    partition_set = definitions["PartitionSet"]
    tables = partition_set["properties"].pop("tables")
    table = {"description": TABLE_MEANING, "type": "string", "pattern": r"\.|\$\{"}
    partition_set["properties"] = {"table": table, "tables": tables, **partition_set["properties"]}
    for name in ("PartitionSet", "SubPartition", "Defaults"):
        properties = definitions[name]["properties"]
        definitions[name]["properties"] = {key: properties[key] for key in ORDER if key in properties}
    partition_set["required"] = ["control"]
    partition_set["oneOf"] = [{"required": ["table"]}, {"required": ["tables"]}]
