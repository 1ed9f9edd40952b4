"""What the models refuse, as a person should read it: at its place in the file, and with what may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from partwarden.config.models import Thresholds
from partwarden.config.pg_partman import NOT_SAID_HERE, SAID_HERE
from partwarden.config.problems import Problem, nearest
from partwarden.config.said import Items, Section, Source, Word
from partwarden.config.sets import ORDER
from partwarden.config.values import Wrong

_FEW = 13

_MESSAGES = {
    "missing": "this key has to be there",
    "string_type": "a text belongs here",
    "int_type": "a whole number belongs here",
    "bool_type": "true or false belongs here",
    "tuple_type": "a list belongs here: lines that begin with a dash",
    "too_short": "there is nothing in this list",
    "greater_than_equal": "this is too small: {ge} is the least",
    "less_than_equal": "this is too big: {le} is the most",
    "dict_type": "keys belong here, each with a value",
    "model_type": "keys belong here, each with a value",
}


def problems_of(failure: ValidationError, said: Section, model: type[BaseModel], path: str = "") -> list[Problem]:
    """Each thing that the model refused of what was said; ``path`` is where that begins in its file."""
    found = failure.errors(include_url=False)
    real = [each for each in found if not _follows_from_another(each, found)] or found
    return [problem for each in real for problem in _problems(each, said, model, path)]


def _follows_from_another(error: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Whether it only says that a section is not ``false``, or that a list is empty whose items were refused."""
    loc = error["loc"]
    return loc[-1:] == ("literal[False]",) or (
        error["type"] == "too_short" and any(each["loc"][: len(loc)] == loc for each in found if each is not error)
    )


def _problems(error: ErrorDetails, said: Section, model: type[BaseModel], path: str) -> Iterator[Problem]:
    place, key, path, value, known = _follow(error, said, model, path)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, Wrong):
        for inner, message in cause.found:
            at, message_path = _below(value, inner.split("."), place, path)
            yield Problem.at(at, message_path, message)
        return
    if error["type"] == "extra_forbidden":
        yield Problem.at(place, path, _unknown(key, known))
    elif isinstance(cause, Exception):
        yield Problem.at(place, path, _without_variables(str(cause), value))
    elif error["type"] == "literal_error":
        yield Problem.at(place, path, _choice(value, get_choices(error)))
    else:
        message = _MESSAGES.get(error["type"], error["msg"]).format(**error.get("ctx", {}))
        yield Problem.at(place, path, message)


def get_choices(error: ErrorDetails) -> list[str]:
    """The words that would have been taken."""
    return re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))


def _choice(value: object, choices: list[str]) -> str:
    listed = ", ".join(choices)
    meant = nearest(value, choices) if isinstance(value, Word) and value == value.written else None
    return f"this is one of {listed}" + (f"; did you mean {meant}?" if meant else "")


def _unknown(key: str, known: list[str]) -> str:
    if key in NOT_SAID_HERE:
        return NOT_SAID_HERE[key]
    if key in SAID_HERE:
        return f"there is no such key; what pg_partman calls {key} is here {SAID_HERE[key]}"
    meant = nearest(key, known)
    if meant is not None:
        return f"there is no such key; did you mean {meant}?"
    if key in ORDER:
        return "there is no such key here: it is said of a partition set"
    if len(known) > _FEW:
        return "there is no such key"
    return f"there is no such key; there are {', '.join(known)}"


def _without_variables(message: str, value: object) -> str:
    """The message, unless it would show what a variable holds."""
    if not isinstance(value, Word) or value == value.written:
        return message
    if any(part in message for part in re.findall(r"\w+", value)):
        return f"what {value.written} stands for does not fit here"
    return message


def _follow(
    error: ErrorDetails, said: Section, model: type[BaseModel], path: str
) -> tuple[Source, str, str, Any, list[str]]:
    """Where an error's location leads to: place, last key, path, the value there, and the keys known beside it.

    What pydantic adds to a location, the member of a union say, is in no file, and passed over.
    """
    place, key = said.source, ""
    here: Any = said
    value: Any = said
    kind: type[BaseModel] | None = model
    known = _keys(model)
    for step in error["loc"]:
        if isinstance(here, Section) and isinstance(step, str):
            name = step if step in here or step != "tables" else "table"
            if name in here:
                known = _keys(kind)
                place = here.keys_at[name] if error["type"] == "extra_forbidden" else here.values_at[name]
                key, path, value = name, f"{path}.{name}".lstrip("."), here[name]
                kind, here = _inner(kind, step), value
            elif error["type"] == "missing" and step == error["loc"][-1]:
                place, key, path = here.source, name, f"{path}.{step}".lstrip(".")
        elif isinstance(here, Items) and isinstance(step, int) and step < len(here):
            place, value = here.sources[step], here[step]
            path, here = f"{path}[{step}]", here[step]
    return place, key, path, value, known


def _below(value: Any, keys: list[str], place: Source, path: str) -> tuple[Source, str]:
    """Where a key of a section stands, or one further down, as far as it is said."""
    for key in keys:
        path = f"{path}.{key}".lstrip(".")
        if isinstance(value, Section) and key in value:
            place, value = value.values_at[key], value[key]
    return place, path


def _keys(kind: type[BaseModel] | None) -> list[str]:
    if kind is None:
        return []
    keys = [name for name in kind.model_fields if name != "move_to"]
    return ["table", *keys] if "tables" in keys else keys


def _inner(kind: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    """The model that a key holds, or holds several of."""
    field = kind.model_fields.get(key) if kind is not None else None
    if field is None:
        return None
    if key == "thresholds":
        return Thresholds
    return next(
        (each for each in _parts(field.annotation) if isinstance(each, type) and issubclass(each, BaseModel)), None
    )


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for each in get_args(annotation):
        yield from _parts(each)
