"""The page docs/reference/json.md: each field of the documents that have a JSON Schema, from that schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

NAME = "reference/json.md"

_REPORTS = Path(__file__).parents[2] / "src" / "partwarden" / "report"
_HEAD = """\
# JSON

Each field of what is written for programs, from the JSON Schemas (2020-12) that say the same to a machine. Fields may be
added in any release; none goes away or changes its meaning within one number of a schema.

Written from the schemas; a test fails when this page says otherwise. [What check writes](../check-output.md) has examples.
"""


_OTHERS = """\
## Other documents

What the other commands write with `--json`, from running them. A field may be null where there is nothing to say. `[]` stands
for each element of an array. `partwarden drain` and `partwarden repair` write a line an event, here with its name before a
colon. The commands for AWS write documents as well, whose fields may still change.
"""


def page(others: Iterable[tuple[str, list[str]]]) -> str:
    """The whole page; ``others`` are commands without a schema, each with the rows of its table."""
    parts = [_HEAD]
    for file in sorted(_REPORTS.glob("*.schema.json")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        parts.append(f"## {schema['title']}\n")
        parts.append(f"{schema['description']}\n")
        parts.append(
            f"[`{file.name}`](../../{file.relative_to(_REPORTS.parents[2])}), `{schema['$id']}`; in the installed package "
            f"it lies in `partwarden.report`.\n"
        )
        for definition in schema.get("$defs", {}).values():
            if "properties" in definition:
                parts += [f"### {definition['title']}\n", "| field | type | |\n| --- | --- | --- |"]
                parts += [*_rows(definition, schema), ""]
    parts.append(_OTHERS)
    for command, rows in others:
        parts += [f"## partwarden {command}\n", "| field | |\n| --- | --- |", *rows, ""]
    return "\n".join(parts)


def _rows(definition: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    for name, field in definition["properties"].items():
        full = {**_resolved(field, schema), **field}
        yield f"| `{name}` | {_type(field, schema)} | {full.get('description', '')} |"


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    full = {**_resolved(field, schema), **field}
    if "enum" in full:
        return ", ".join(f"`{value}`" for value in full["enum"])
    kind = full.get("type", "object")
    words = " or ".join(kind) if isinstance(kind, list) else kind
    if words == "array" and "$ref" in full.get("items", {}):
        item = _resolved(full["items"], schema)["title"]
        return f"array: [{item.lower()}](#{_anchor(item)})"
    return f"{words}, {full['format']}" if "format" in full else words


def _resolved(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a ``$ref`` stands for, and nothing where there is none."""
    name = field.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schema["$defs"][name] if name else {}
    return found


def _anchor(heading: str) -> str:
    return "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -").replace(" ", "-")
