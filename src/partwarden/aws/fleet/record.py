"""What the fleet knows of a cluster: one item of a DynamoDB table, changed by conditional writes only.

An item holds who looks at the cluster in which round, its incidents, and the mails that have not got out: so that what is
found, and that people are to be told of it, is one write. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from partwarden.aws.fleet.incident import Incident

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# An item takes 400 KB; the rest is for what is not packed.
_PACKED_BYTES = 300_000

_KEPT_AFTER_LAST_LOOK = timedelta(days=90)
_TIMES = frozenset({"since", "opened_at", "last_announced_at", "resolved_at"})


@dataclass(frozen=True)
class Letter:
    """A mail that is to get out. ``id`` stays the same through all attempts; ``error`` is why the last one failed."""

    id: str
    subject: str
    message: str
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Record:
    """What is known of a cluster, by whoever has claimed it. ``token`` tells this claim from all others."""

    member: str
    token: str
    incidents: tuple[Incident, ...]
    letters: tuple[Letter, ...]


class Refusal(Enum):
    """Why a cluster is not to be looked at."""

    DONE = "done"  # it has been, in this round
    SUPERSEDED = "superseded"  # a later round has begun
    BUSY = "busy"  # somebody is at it


@dataclass(frozen=True)
class Summary:
    """How a look went, for whoever reads the table: when, the worst that was found, how many incidents are open."""

    looked_at: datetime
    status: str
    open: int
    milliseconds: int
    error: str | None


class Lost(Exception):
    """Somebody else has the cluster: our claim ran out while we were at it."""


class Records:
    """The table. Its key is the member's name."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, member: str, round_: str, at: datetime, until: datetime) -> Record | Refusal:
        """Take a cluster for one look in a round, until a moment that nobody who looks outlives.

        Refused when it has been looked at in this round or a later one, and while somebody else has it.
        """
        token = str(uuid.uuid4())
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"member": {"S": member}},
                UpdateExpression=(
                    "set #round = :round, #done = :no, #token = :token, claimed_until = :until, expires_at = :expires "
                    "add claims :one"
                ),
                ConditionExpression=(
                    "attribute_not_exists(#round) or ((#done = :yes or claimed_until < :now) "
                    "and (#round < :round or (#round = :round and #done = :no)))"
                ),
                ExpressionAttributeNames={"#round": "round", "#done": "done", "#token": "token"},
                ExpressionAttributeValues={
                    ":round": {"S": round_},
                    ":token": {"S": token},
                    ":until": _number(until.timestamp()),
                    ":now": _number(at.timestamp()),
                    ":expires": _number(int((at + _KEPT_AFTER_LAST_LOOK).timestamp())),
                    ":yes": {"BOOL": True},
                    ":no": {"BOOL": False},
                    ":one": _number(1),
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            there: Any = refused.response.get("Item")
            # The SDK asks again where an answer is late: then it is our own claim that stands in our way.
            return _record(member, token, there) if there["token"]["S"] == token else _refusal(there, round_)
        return _record(member, token, answer["Attributes"])

    def save(self, record: Record, summary: Summary) -> None:
        """Write what a look has found and what people are to be told. Raises Lost.

        With no letter to get out, the round is done; else it is when they are: see ``finish``.
        """
        self._write(
            record,
            "set #done = :done, incidents = :incidents, letters = :letters, looked_at = :at, #status = :status, "
            "#open = :open, milliseconds = :milliseconds, #error = :error add looks :one",
            {"#done": "done", "#status": "status", "#open": "open", "#error": "error"},
            {
                ":done": {"BOOL": not record.letters},
                ":incidents": {"B": _packed_incidents(record.incidents)},
                ":letters": {"B": _packed([asdict(each) for each in record.letters])},
                ":at": {"S": summary.looked_at.isoformat(timespec="seconds")},
                ":status": {"S": summary.status},
                ":open": _number(summary.open),
                ":milliseconds": _number(summary.milliseconds),
                ":error": {"NULL": True} if summary.error is None else {"S": summary.error[:1000]},
                ":one": _number(1),
            },
        )

    def finish(self, record: Record, letters: Sequence[Letter]) -> None:
        """Write which letters still wait, and that the round is done. Raises Lost."""
        self._write(
            record,
            "set #done = :yes, letters = :letters",
            {"#done": "done"},
            {":yes": {"BOOL": True}, ":letters": {"B": _packed([asdict(each) for each in letters])}},
        )

    def _write(self, record: Record, update: str, names: dict[str, str], values: dict[str, Any]) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"member": {"S": record.member}},
                UpdateExpression=update,
                ConditionExpression="#token = :token",
                ExpressionAttributeNames={"#token": "token", **names},
                ExpressionAttributeValues={":token": {"S": record.token}, **values},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise Lost(record.member) from None


@dataclass(frozen=True)
class Entry:
    """What anybody may read of an item. ``looked_at`` is None before the first look has ended."""

    member: str
    round: str
    looked_at: datetime | None
    status: str | None
    error: str | None
    incidents: tuple[Incident, ...]
    letters: tuple[Letter, ...]


def read_entry(item: Mapping[str, Any]) -> Entry:
    """An item as the table returns it."""
    looked_at = item.get("looked_at", {}).get("S")
    return Entry(
        member=item["member"]["S"],
        round=item["round"]["S"],
        looked_at=datetime.fromisoformat(looked_at) if looked_at else None,
        status=item.get("status", {}).get("S"),
        error=item.get("error", {}).get("S"),
        incidents=tuple(_incident(each) for each in _unpacked(item.get("incidents"))),
        letters=tuple(Letter(**each) for each in _unpacked(item.get("letters"))),
    )


def _record(member: str, token: str, item: Mapping[str, Any]) -> Record:
    return Record(
        member=member,
        token=token,
        incidents=tuple(_incident(each) for each in _unpacked(item.get("incidents"))),
        letters=tuple(Letter(**each) for each in _unpacked(item.get("letters"))),
    )


def _refusal(item: Mapping[str, Any], round_: str) -> Refusal:
    there = item["round"]["S"]
    if there > round_:
        return Refusal.SUPERSEDED
    if there == round_ and item["done"]["BOOL"]:
        return Refusal.DONE
    return Refusal.BUSY


def _packed_incidents(incidents: Iterable[Incident]) -> bytes:
    """As much evidence as there is room for; the incidents themselves come first."""
    listed = list(incidents)
    packed = _packed([_plain(each) for each in listed])
    while len(packed) > _PACKED_BYTES and any(each.detail for each in listed):
        keep = sum(bool(each.detail) for each in listed) // 2
        for index, each in enumerate(listed):
            if each.detail:
                keep -= 1
                if keep < 0:
                    listed[index] = replace(each, detail={})
        packed = _packed([_plain(each) for each in listed])
    return packed


def _plain(incident: Incident) -> dict[str, Any]:
    return {
        field.name: value.isoformat() if isinstance(value := getattr(incident, field.name), datetime) else value
        for field in fields(incident)
    }


def _incident(plain: Mapping[str, Any]) -> Incident:
    read: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name in _TIMES and value is not None else value
        for name, value in plain.items()
    }
    return Incident(**read)


def _packed(values: Sequence[Mapping[str, Any]]) -> bytes:
    return gzip.compress(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(), 6, mtime=0)


def _unpacked(attribute: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if attribute is None:
        return []
    values: list[dict[str, Any]] = json.loads(gzip.decompress(bytes(attribute["B"])))
    return values


def _number(value: float) -> Any:
    return {"N": str(value)}
