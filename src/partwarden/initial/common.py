"""What sets have in common: written once, in ``defaults`` or in one entry for all that differ in their names only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from partwarden.config.sets import ORDER, Defaults
from partwarden.initial.entries import Entry
from partwarden.initial.layout import Value, inline

Usual = Mapping[str, bool | int | str]
"""What pg_partman does where it is told nothing, by key."""

_EACH_SET_FOR_ITSELF = frozenset(
    {"interval", "type", "start", "epoch", "offset", "default", "datetime_string", "date_trunc_interval"}
)
_ALIKE = 3
"""So many sets share one entry."""


def defaults_of(entries: Sequence[Entry], usual: Usual) -> dict[str, Value]:
    """What goes for most sets, where the others can say that it does not go for them."""
    if len(entries) < 2:
        return {}
    common: dict[str, Value] = {}
    for key in Defaults.model_fields.keys() - _EACH_SET_FOR_ITSELF:
        said = [inline(entry.keys[key]) for entry in entries if key in entry.keys]
        if not said:
            continue
        most = max(set(said), key=lambda each: (said.count(each), each))
        times = said.count(most)
        if times == len(entries) or (key in usual and times > 1 and times * 2 > len(entries)):
            common[key] = next(
                entry.keys[key] for entry in entries if key in entry.keys and inline(entry.keys[key]) == most
            )
    return {key: common[key] for key in ORDER if key in common}


def beside(defaults: Mapping[str, Value], entry: Entry, usual: Usual) -> Entry:
    """The entry as it is with ``defaults``: what they say is left out, what they would change is said."""
    keys = {key: value for key, value in entry.keys.items() if key not in defaults or defaults[key] != value}
    for key in defaults:
        if key not in entry.keys:
            keys[key] = usual[key]
    return replace(entry, keys={key: keys[key] for key in ORDER if key in keys})


def joined(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Several sets as one entry, where many differ in their names only."""
    alike: dict[str, list[Entry]] = {}
    for entry in entries:
        alike.setdefault(inline(entry.settings) if not entry.remarks else inline(entry.keys), []).append(entry)
    for same in alike.values():
        if len(same) < _ALIKE:
            yield from same
        else:
            tables = [str(each.keys["table"]) for each in same]
            yield Entry({"tables": tables, **same[0].settings})
