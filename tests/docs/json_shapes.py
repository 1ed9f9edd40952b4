"""The fields of documents without a JSON Schema, as the commands write them with ``--json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.docs.world import World

FILE = """\
databases:
  - name: app
    dsn: service=app
    maintenance: {schedule: "0 * * * *"}
    partition_sets:
      - {table: app.visits, control: created_at, interval: 1 month}
      - {table: app.orders, control: created_at, interval: 1 month, premake: 5, retention: {keep: 1 year, then: drop}}
"""
CHANNELS = "channels:\n  - {name: mail, url: 'mailto://127.0.0.1:1?from=a@example.com&to=b@example.com'}\n"
OBSTACLE = "      - {table: app.missing, control: created_at, interval: 1 month}\n"

COMMANDS = (
    "validate",
    "init app -o written.yaml",
    "plan",
    "apply --yes --allow-destroy",
    "status",
    "checks",
    "explain gap",
    "drain app.events --dry-run",
    "repair app.events --dry-run",
    "drain app.events",
    "incidents list",
    "incidents show 7",
    "install app",
    "schedule app",
    "agent --once",
    "unschedule app",
    "upgrade-check",
)
"""One after the other, in a world that has something to tell of each."""

_ARGUMENTS = re.compile(r" (app\S*|-o \S+|gap|7|--yes|--allow-destroy)")

_FREE = {"detail", "payload", "receipt", "server", "versions"}
"""Objects whose fields differ from one to the next."""


def shapes(world: World) -> Iterator[tuple[str, list[str]]]:
    """Of each command the rows of a table: field, and type."""
    for command in COMMANDS:
        file = FILE + OBSTACLE if command == "plan" else FILE
        world.write("partwarden.yaml", CHANNELS + file if command == "agent --once" else file)
        done = world.shell(f"partwarden {command} --json 2> /dev/null")
        yield _ARGUMENTS.sub("", command), _rows(done.stdout)


def _rows(output: str) -> list[str]:
    found: dict[str, set[str]] = {}
    try:
        documents = [("", json.loads(output))]
    except json.JSONDecodeError:  # a line an event
        lines = [json.loads(line) for line in output.splitlines()]
        documents = [(f"{line.pop('event')}: ", line) for line in lines]
    for prefix, document in documents:
        for path, kind in _fields(document, prefix):
            found.setdefault(path, set()).add(kind)
    return [f"| `{path}` | {_words(kinds)} |" for path, kinds in found.items()]


def _fields(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            at = f"{path}.{name}".lstrip(".") if path and not path.endswith(": ") else f"{path}{name}"
            if isinstance(below, dict) and name not in _FREE:
                yield from _fields(below, at)
            elif isinstance(below, list) and any(isinstance(each, dict) for each in below):
                for each in below:
                    yield from _fields(each, f"{at}[]")
            else:
                yield at, _kind(below)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case list():
            return "array" if not value else f"array of {_kind(value[0])}"
        case dict():
            return "object"
        case _:
            return "text"


def _words(kinds: set[str]) -> str:
    """What a field may be; null is not said, as it may be of nearly any."""
    said = sorted(kinds - {"null"})
    if any(kind.startswith("array of") for kind in said):
        said = [kind for kind in said if kind != "array"]
    return " or ".join(said) or "null here"
