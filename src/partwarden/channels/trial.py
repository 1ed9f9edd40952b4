"""A test alert: what says of itself that it is one, sent to channels by the code that sends what is true."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from partwarden.channels.channel import Channel
from partwarden.channels.message import Message, Told
from partwarden.config import Channel as Described
from partwarden.errors import BadOption, PartwardenError
from partwarden.nearest import nearest

_TEXT = """\
Somebody has asked for a test alert. It has come on the way of a real one, by the same program with the same settings.
Nothing is wrong, and there is nothing to do."""
_TIMEOUT_SECONDS = 25.0


@dataclass(frozen=True)
class Trial:
    """How it went with one channel: ``told``, ``failed``, or ``not told``, because that channel is not told of this."""

    channel: str
    outcome: str
    problem: str | None = None
    remedy: str | None = None


def chosen(channels: Sequence[Described], names: Sequence[str]) -> list[Described]:
    """The channels with these names; all without. Raises BadOption for a name that is not in the file, or no channel."""
    known = {channel.name: channel for channel in channels}
    if not known:
        raise BadOption("the file has no channels", remedy="docs/channels.md has examples")
    for name in names:
        if name not in known:
            near = nearest(name, list(known))
            raise BadOption(
                f"the file has no channel {name}",
                remedy=f"did you mean {near}?" if near else f"it has {', '.join(known)}",
            )
    return [known[name] for name in names] if names else list(channels)


def try_channels(channels: Sequence[Described], severity: str | None, *, at: datetime, mark: str) -> list[Trial]:
    """Send a test to each of these channels at once, and say how that went; ``mark`` is its id.

    Without ``severity`` it is the least that each is told of. PagerDuty and Opsgenie are told of its end as well.
    """

    def attempt(described: Described) -> Trial:
        least = described.severity or "warning"
        if severity == "warning" and least == "critical":
            return Trial(described.name, "not told", "it is told of what is critical only")
        try:
            Channel(described).send(_message(described.name, severity or least, at, mark), timeout=_TIMEOUT_SECONDS)
        except PartwardenError as failure:
            return Trial(described.name, "failed", failure.problem, failure.remedy)
        return Trial(described.name, "told")

    with ThreadPoolExecutor(len(channels)) as pool:
        return list(pool.map(attempt, channels))


def _message(channel: str, severity: str, at: datetime, mark: str) -> Message:
    facts = {
        "id": 0,
        "event": "opened",
        "check": "test",
        "severity": severity,
        "database": "test",
        "object": channel,
        "summary": f"this is a test of channel {channel}; nothing is wrong",
        "detail": {"cause": "Somebody has asked for a test alert."},
        "remedy": None,
        "since": at.astimezone(UTC).isoformat(),
        "resolved_at": None,
    }
    return Message(
        id=mark,
        attempt=1,
        cluster="partwarden",
        database=f"test-{mark}",
        subject=f"[partwarden] TEST {severity.upper()} {channel}: alerts arrive",
        text=_TEXT,
        incidents=(Told.read(facts),),
        is_test=True,
    )
