"""YAML as a person would write it: short things in one line, quotes only where they are needed, comments above."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

Value = str | int | bool | Sequence[str] | Mapping[str, "Value"]
"""What a key of the file may be followed by."""

_WIDTH = 116
_PLAIN = re.compile(r"[A-Za-z_\u00c0-\uffdc./][A-Za-z0-9_\u00c0-\uffdc ./=+@()*:-]*")
_TAKEN_FOR_SOMETHING_ELSE = re.compile(r"(?i)true|false|null|~|\.inf|\.nan")
_NUMBER_AND_UNITS = re.compile(r"[0-9]+(?: [a-z]+(?: [0-9]+ [a-z]+)*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def word(text: str) -> str:
    """A text as a scalar, in whatever quotes it takes; a dollar that would begin a variable is doubled."""
    return _scalar(re.sub(r"\$(?=[${])", "$$", text))


def _scalar(text: str) -> str:
    if _UNPRINTABLE.search(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
    if _NUMBER_AND_UNITS.fullmatch(text) or _DATE.fullmatch(text):
        return text
    is_plain = (
        _PLAIN.fullmatch(text)
        and text == text.strip()
        and not text.endswith(":")
        and ": " not in text
        and not _TAKEN_FOR_SOMETHING_ELSE.fullmatch(text)
    )
    if is_plain:
        return text
    return "'" + text.replace("'", "''") + "'" if '"' in text or "\\" in text else f'"{text}"'


def inline(value: Value) -> str:
    """A value in one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return word(value)
        case int():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{_scalar(key)}: {inline(each)}" for key, each in value.items()) + "}"
        case _:
            return "[" + ", ".join(map(word, value)) + "]"


def section(values: Mapping[str, Value], indent: int) -> list[str]:
    """Keys, one a line; what is long is divided."""
    lines = []
    margin = " " * indent
    for key, value in values.items():
        line = f"{margin}{_scalar(key)}: {inline(value)}"
        if len(line) <= _WIDTH or not isinstance(value, Mapping | Sequence) or isinstance(value, str):
            lines.append(line)
        elif isinstance(value, Mapping):
            lines += [f"{margin}{_scalar(key)}:", *section(value, indent + 2)]
        else:
            lines += [f"{margin}{_scalar(key)}:", *(f"{margin}  - {word(each)}" for each in value)]
    return lines


def item(values: Mapping[str, Value], indent: int) -> list[str]:
    """The same as an item of a list."""
    lines = section(values, indent + 2)
    return [f"{' ' * indent}- {lines[0].strip()}", *lines[1:]]


def comment(text: str, indent: int) -> list[str]:
    """A text as comments, broken into lines."""
    margin = " " * indent
    return textwrap.wrap(
        _UNPRINTABLE.sub(" ", text),
        _WIDTH,
        initial_indent=f"{margin}# ",
        subsequent_indent=f"{margin}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def commented(lines: Iterable[str], indent: int) -> list[str]:
    """Lines as a suggestion: whoever takes the strokes away has them as they are."""
    return [f"{' ' * indent}# {line[indent:]}".rstrip() for line in lines]
