"""The kinds of values that keys take: how each is understood from what was written, and what is refused.

A validator's ValueError becomes the error that a person reads, behind the place; it never repeats the value.
"""

from __future__ import annotations

import re
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import BeforeValidator, Field, WithJsonSchema

from partwarden import bundle
from partwarden.config import names
from partwarden.config.cron import checked_schedule
from partwarden.config.lengths import is_number, seconds_of
from partwarden.config.pg_partman import INTERVAL_OF_WORD
from partwarden.config.problems import nearest
from partwarden.config.references import PATTERN as REFERENCE_PATTERN
from partwarden.config.references import Reference, is_harmless
from partwarden.config.said import Word
from partwarden.dsn import SECRETS, aws_login
from partwarden.errors import CouldNotConnect


class Wrong(ValueError):
    """Keys of one section that contradict each other, each with what is wrong there."""

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {problem}" for key, problem in found))
        self.found = found


_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")

_ISO = re.compile(
    r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.IGNORECASE
)
_LONGEST_NUMBER = 19  # digits


def _text(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return value
    text = str(value)
    if not text.strip():
        raise ValueError("there is nothing between the quotes")
    if "\0" in text:
        raise ValueError("no text in PostgreSQL has a zero byte")
    return text


def _truth(value: object) -> object:
    if not isinstance(value, Word):
        return value
    if not value.quoted and value.lower() in _YES + _NO:
        return value.lower() in _YES
    raise ValueError("write true or false" + (", without quotes" if value.lower() in _YES + _NO else ""))


def _whole(value: object) -> object:
    if not isinstance(value, Word):
        return value
    number = value.strip().replace("_", "")
    if not re.fullmatch(r"[+-]?[0-9]+", number):
        raise ValueError("this is not a whole number")
    if value.quoted:
        raise ValueError(f"this is text: write {number}, without quotes")
    return int(number[: _LONGEST_NUMBER + 2])


def _duration(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str):
        return text
    text = text.strip()
    if is_number(text):
        raise ValueError(f"{text} of what? Write a unit, as in {text} minutes")
    if text.startswith("-") or text.lower().endswith("ago") or " -" in text:
        raise ValueError("an interval is not negative here")
    if seconds_of(text) is None and not _ISO.fullmatch(text):
        raise ValueError("this is not an interval as PostgreSQL knows it, like 1 day or 90 minutes")
    return text


def _some_time(value: object) -> object:
    text = _duration(value)
    if isinstance(text, str) and seconds_of(text) == 0:
        raise ValueError("it takes more than nothing")
    return text


def _number(text: str) -> str:
    """As PostgreSQL writes a bigint: no zeros before it, no strokes within."""
    digits = text.replace("_", "")
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("no id is as big as that")
    return str(int(digits))


def _interval(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str):
        return text
    text = text.strip()
    if text.lower() in INTERVAL_OF_WORD:
        raise ValueError(f"{text.lower()} is a word of pg_partman 4: write {INTERVAL_OF_WORD[text.lower()]}")
    if is_number(text):
        number = _number(text)
        if number == "0":
            raise ValueError("partitions as wide as nothing can't be made")
        return number
    return _some_time(text)


def _retention(value: object) -> object:
    text = _text(value)
    if isinstance(text, str) and is_number(text.strip()):
        return _number(text.strip())
    return _duration(value)


def _start(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str):
        return text
    text = text.strip()
    if re.fullmatch(r"-?[0-9][0-9_]*", text):
        return _number(text)
    _moment_of(text)
    return text


def _moment(value: object) -> object:
    text = _text(value)
    if isinstance(text, str):
        text = text.strip()
        _moment_of(text)
    return text


def _moment_of(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("this is no date that exists: write 2026-12-31, or 2026-12-31 18:00") from None


def _schedule(value: object) -> object:
    text = _text(value)
    return checked_schedule(text) if isinstance(text, str) else text


def _dsn(value: object) -> object:
    if not isinstance(value, str) or value.startswith("env:"):
        return str(value) if isinstance(value, str) else value
    try:
        if aws_login(value) is not None:
            return str(value)
    except CouldNotConnect as refused:
        raise ValueError(refused.problem) from None
    try:
        parts = conninfo_to_dict(value)
    except ProgrammingError:
        raise ValueError("this is not a connection string that libpq understands") from None
    if parts.keys() & SECRETS:
        raise ValueError("no password belongs into this file: use ~/.pgpass, a service, env:, iam: or aws-secret:")
    return str(value)


def _reference(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        Reference.read(value)
    except ValueError as refused:
        raise ValueError(str(refused)) from None
    return str(value)


def _channel_url(value: object) -> object:
    if not isinstance(value, str) or is_harmless(value):
        return str(value) if isinstance(value, str) else value
    return _reference(value)


def _channel_name(value: object) -> object:
    text = _text(value)
    if isinstance(text, str) and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}", text):
        raise ValueError("a channel's name has letters, digits, and _ . - between them; up to 63")
    return text


def _check(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str):
        return text
    known = [check.id for check in bundle.checks()]
    if not any(fnmatchcase(each, text) for each in known):
        meant = nearest(text, known)
        raise ValueError("there is no such check" + (f"; did you mean {meant}?" if meant else ""))
    return text


def _name(value: object) -> object:
    """The name itself: quotes are for the file."""
    text = _text(value)
    return names.simple_name(text) if isinstance(text, str) else text


def _qualified(value: object) -> object:
    text = _text(value)
    if isinstance(text, str):
        names.qualified_name(text)
    return text


def _table(value: object) -> object:
    text = _text(value)
    if isinstance(text, str):
        if names.is_pattern(text):
            names.divided(text)
        elif "." in (table := names.qualified_name(text)).name or "." in table.schema:
            raise ValueError("pg_partman does not take names with a dot inside")
    return text


def _several(value: object) -> object:
    """One is as good as a list of one."""
    return (value,) if isinstance(value, (str, int)) and not isinstance(value, bool) else value


def _automatic(value: object) -> object:
    if isinstance(value, Word) and value.lower() in _YES + _NO:
        return "on" if value.lower() in _YES else "off"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).lower() if isinstance(value, str) else value


def _one_of(value: object) -> object:
    """What a list of words offers: read without regard to case."""
    if isinstance(value, Word) and not value.quoted and value.lower() in _NO:
        return value.lower()
    return str(value) if isinstance(value, str) else value


def _or_false(value: object) -> object:
    """False, where that is what was said."""
    return False if isinstance(value, Word) and not value.quoted and value.lower() in ("false", "no", "off") else value


def _extensions(value: object) -> object:
    """A list of extensions leaves it open where they are."""
    return dict.fromkeys(value) if isinstance(value, tuple) else value


def _text_schema(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **more})


_NUMBER_OR_TEXT = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})

Text = Annotated[str, BeforeValidator(_text), _text_schema(minLength=1)]
Truth = Annotated[
    bool,
    BeforeValidator(_truth),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": ["on", "off", "yes", "no"]}]}),
]
Count = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_whole)]
BigCount = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(_whole)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31 - 1), BeforeValidator(_whole)]
BigWhole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1), BeforeValidator(_whole)]
Duration = Annotated[str, BeforeValidator(_duration), _text_schema(examples=["5 minutes", "1 day"])]
SomeTime = Annotated[str, BeforeValidator(_some_time), _text_schema(examples=["5 minutes", "1 day"])]
Interval = Annotated[str, BeforeValidator(_interval), _NUMBER_OR_TEXT]
Keep = Annotated[str, BeforeValidator(_retention), _NUMBER_OR_TEXT]
Start = Annotated[str, BeforeValidator(_start), _NUMBER_OR_TEXT]
Moment = Annotated[str, BeforeValidator(_moment), _text_schema(examples=["2026-12-31", "2026-12-31 18:00"])]
Schedule = Annotated[str, BeforeValidator(_schedule), _text_schema(examples=["0 * * * *", "10 seconds"])]
Check = Annotated[str, BeforeValidator(_check), _text_schema(examples=["default-not-empty", "*"])]
Dsn = Annotated[str, BeforeValidator(_dsn), _text_schema()]
ChannelName = Annotated[str, BeforeValidator(_channel_name), _text_schema(minLength=1)]
ChannelUrl = Annotated[
    str,
    BeforeValidator(_channel_url),
    _text_schema(
        pattern=rf"{REFERENCE_PATTERN}|^mailtos?:|\$\{{", examples=["env:SLACK_URL", "file:/run/secrets/slack"]
    ),
]
SecretReference = Annotated[
    str,
    BeforeValidator(_reference),
    _text_schema(pattern=rf"{REFERENCE_PATTERN}|\$\{{", examples=["env:SIGNING_KEY"]),
]
Event = Literal["opened", "worsened", "reopened", "reminder", "resolved"]
Name = Annotated[str, BeforeValidator(_name), _text_schema(minLength=1)]
Qualified = Annotated[str, BeforeValidator(_qualified), _text_schema(pattern=r"\.|\$\{")]
Table = Annotated[str, BeforeValidator(_table), _text_schema(pattern=r"\.|\$\{")]
Automatic = Annotated[
    Literal["on", "off"],
    BeforeValidator(_automatic),
    WithJsonSchema({"enum": ["on", "off", True, False]}),
]
Repair = Annotated[
    Literal["off", "small", "always"],
    BeforeValidator(_one_of),
    WithJsonSchema({"enum": ["off", "small", "always", False]}),
]
SEVERAL = BeforeValidator(_several)
OR_FALSE = BeforeValidator(_or_false)
EXTENSIONS = BeforeValidator(_extensions)
