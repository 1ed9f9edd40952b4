"""Finds calls of pg_partman's routines in SQL text, and writes them as a later version takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from partwarden.config.pg_partman import INTERVAL_OF_WORD
from partwarden.upgrading.signatures import CHANGED, PROCEDURES, Changed
from partwarden.upgrading.versions import Version

_CALL = re.compile(
    r"""(?:(?P<schema>"(?:[^"]|"")+"|[a-z_][\w$]*)\s*\.\s*)?"?\b(?P<name>NAMES)"?\s*\(""".replace(
        "NAMES", "|".join(CHANGED)
    ),
    re.IGNORECASE,
)
_NAMED = re.compile(r"^\s*(?P<name>\w+)\s*(?:=>|:=)\s*(?P<value>.*)$", re.DOTALL)
_SELECTED_PROCEDURE = re.compile(
    rf"""^(\s*)select(\s+(?:(?:"(?:[^"]|"")+"|\w+)\s*\.\s*)?"?(?:{"|".join(PROCEDURES)})"?\s*\()""", re.IGNORECASE
)
# A text that stands in quotes itself, as in EXECUTE, has them doubled.
_QUOTED = re.compile(r"^(?P<quotes>'+)(?P<value>[^']*)(?P=quotes)(?:::\w+)?$")


@dataclass(frozen=True)
class Rewritten:
    """A call as it stands in the text, and as it has to be; ``new`` is None where that takes a person, ``why`` says why."""

    since: str
    routine: str
    old: str
    new: str | None
    why: str


def changed_calls(text: str, *, schema: str, installed: Version, target: Version) -> list[Rewritten]:
    """The calls in ``text`` that do not work any more, or do something else, once pg_partman is at ``target``.

    ``schema`` is where pg_partman lives: a routine of the same name in another schema is not meant.
    """
    found: list[Rewritten] = []
    for match in _CALL.finditer(text):
        called_in = match["schema"]
        if called_in is not None and _folded(called_in) != schema:
            continue
        for change in CHANGED[match["name"].lower()]:
            if installed < Version(change.since) <= target:
                found += _rewrite(text, match, change)
    return found


def with_call(command: str) -> str:
    """The command with CALL in the place of the SELECT of a procedure."""
    return _SELECTED_PROCEDURE.sub(r"\1call\2", command)


def _rewrite(text: str, match: re.Match[str], change: Changed) -> Iterator[Rewritten]:
    routine = match["name"].lower()
    end = _closing(text, match.end())
    if change.after is None:
        yield Rewritten(change.since, routine, text[match.start() : end], None, f"there is no {routine}() any more")
        return
    if end > len(text):
        yield Rewritten(change.since, routine, text[match.start() :], None, "its end could not be found")
        return
    old = text[match.start() : end]
    arguments = list(_split(text[match.end() : end - 1]))
    given: dict[str, str] = {}
    is_same = True
    for number, argument in enumerate(arguments):
        named = _NAMED.match(argument)
        if named is None and number >= len(change.before):
            yield Rewritten(change.since, routine, old, None, "it has more arguments than that version takes")
            return
        name = named["name"].lower() if named else change.before[number]
        value = named["value"].strip() if named else argument.strip()
        is_same = is_same and (named is not None or change.after[number : number + 1] == (name,))
        given[name] = value
    taken = _as_taken(given, change)
    if is_same and taken == given:
        return
    new = text[match.start() : match.end()] + ", ".join(f"{name} => {value}" for name, value in taken.items()) + ")"
    left_out = [name for name in given if change.renamed.get(name, name) not in taken]
    yield Rewritten(change.since, routine, old, new, _why(routine, left_out))


def _as_taken(given: Mapping[str, str], change: Changed) -> dict[str, str]:
    """The arguments by the names that the later version knows, without those that it does not take."""
    assert change.after is not None
    taken = {}
    for old_name, old_value in given.items():
        name = change.renamed.get(old_name, old_name)
        if name not in change.after and name in change.before:
            continue
        value = _plain(old_value)
        if name == "p_type" and value == "native":
            continue
        if name == "p_interval" and value in INTERVAL_OF_WORD:
            taken[name] = old_value.replace(value, INTERVAL_OF_WORD[value])
        else:
            taken[name] = old_value
    return taken


def _why(routine: str, left_out: list[str]) -> str:
    if left_out:
        return f"{routine}() takes other parameters, and no {', '.join(left_out)}"
    return f"{routine}() takes its parameters in another order or under other names"


def _plain(value: str) -> str | None:
    quoted = _QUOTED.match(value.strip())
    return quoted["value"] if quoted else None


def _folded(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that was opened before ``start`` has been closed; beyond the end where it never is."""
    depth = 1
    for position, character, is_quoted in _scan(text, start):
        if not is_quoted:
            depth += (character == "(") - (character == ")")
        if depth == 0:
            return position + 1
    return len(text) + 1


def _split(arguments: str) -> Iterator[str]:
    depth = 0
    begin = 0
    for position, character, is_quoted in _scan(arguments, 0):
        if is_quoted:
            continue
        # Braces, because an array in a text that stands in quotes itself is not seen to be quoted.
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            yield arguments[begin:position]
            begin = position + 1
    if arguments[begin:].strip():
        yield arguments[begin:]


def _scan(text: str, start: int) -> Iterator[tuple[int, str, bool]]:
    """Every character with its position, and whether it is part of a text or a name in quotes."""
    quote = ""
    for position in range(start, len(text)):
        character = text[position]
        if quote:
            yield position, character, True
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
            yield position, character, True
        else:
            yield position, character, False
