"""Which channel is told of which incident."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from partwarden.channels.message import Told
from partwarden.config import Channel
from partwarden.config.names import matches, qualified_name

_SEVERITIES = ("warning", "critical")


def routed(
    channels: Sequence[Channel],
    database: str,
    incidents: Sequence[Told],
    told_before: Mapping[int, Collection[str]],
) -> dict[str, list[int]]:
    """The incidents that each channel is told of, by the channel's name; those that are told of none are left out.

    Whoever was told that something began is told of its end, whatever its severity is by then, unless that event is not
    wanted there. ``told_before`` has the names of the channels that heard of an incident before, by its number.
    """
    chosen = {
        channel.name: [
            each.id for each in incidents if _is_wanted(channel, database, each, told_before.get(each.id, ()))
        ]
        for channel in channels
    }
    return {name: numbers for name, numbers in chosen.items() if numbers}


def _is_wanted(channel: Channel, database: str, incident: Told, told_before: Collection[str]) -> bool:
    if channel.events and incident.event not in channel.events:
        return False
    if incident.is_over and channel.name in told_before:
        return True
    least = channel.severity or _SEVERITIES[0]
    if _SEVERITIES.index(incident.severity) < _SEVERITIES.index(least):
        return False
    if channel.databases and not any(fnmatchcase(database, pattern) for pattern in channel.databases):
        return False
    return not channel.sets or any(_is_of(pattern, incident) for pattern in channel.sets)


def _is_of(pattern: str, incident: Told) -> bool:
    """Whether an incident is about a partition set that the pattern means, itself or by what its evidence names."""
    detail = incident.facts.get("detail") or {}
    names = [incident.object, *(detail.get(key) for key in ("set", "parent_table", "parent"))]
    return any(isinstance(name, str) and _matches(pattern, name) for name in names)


def _matches(pattern: str, name: str) -> bool:
    try:
        return matches(pattern, qualified_name(name))
    except ValueError:  # a job, a server: not a table's name
        return False
