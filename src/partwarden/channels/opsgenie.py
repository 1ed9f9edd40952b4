"""Opsgenie: an alert for each incident, by the Alert API; the same alias opens and closes it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from partwarden.channels.http import checked_address, post
from partwarden.channels.message import Message, Told, one_line
from partwarden.channels.parts import Parts
from partwarden.errors import ChannelFailed

_BASES = {"us": "https://api.opsgenie.com", "eu": "https://api.eu.opsgenie.com"}
_PRIORITIES = {"critical": "P1", "warning": "P3"}
_RESPONDERS = {"#": ("team", "name"), "*": ("schedule", "name"), "^": ("escalation", "name"), "@": ("user", "username")}
_LONGEST_MESSAGE = 130
_LONGEST_DESCRIPTION = 15_000
_LONGEST_ENTITY = 512
_LONGEST_NOTE = 25_000
_FORM = "opsgenie://API_KEY, with ?region=eu where it is one of the EU"


class Opsgenie:
    """Sends to one integration. https://docs.opsgenie.com/docs/alert-api"""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.replace("#", "%23"))  # that of a team begins no fragment
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        key = parts.netloc.rpartition("@")[2]
        base = asked.get("api") or _BASES.get(asked.get("region", "us").lower())
        if not key or base is None:
            raise ChannelFailed(
                f"this is not a URL of Opsgenie: {_FORM}", remedy="docs/channels.md has examples", lasts=True
            )
        self._secret = url
        self._parts = Parts()
        self._key = unquote(key)
        self._alerts = checked_address("Opsgenie", base).rstrip("/") + "/v2/alerts"
        self._responders = [_responder(unquote(each)) for each in parts.path.split("/") if each]
        self._tags = [tag for tag in asked.get("tags", "").split(",") if tag]

    def send(self, message: Message, *, timeout: float) -> None:
        """Send one request for each incident that it has not yet. Repeated it does no harm: the alias is the same.

        Raises ChannelFailed: at once what passes, after all the others what lasts.
        """
        self._parts.send(message, lambda incident: self._tell(message, incident, timeout))

    def _tell(self, message: Message, incident: Told, timeout: float) -> None:
        if not incident.is_over:
            self._send(self._alerts, self._alert(message, incident), timeout)
        if incident.is_over or message.is_test:
            self._close(message, incident, timeout)

    def _close(self, message: Message, incident: Told, timeout: float) -> None:
        alias = quote(message.key_of(incident), safe="")
        note = one_line(f"{incident.summary}: resolved (notification {message.id})", _LONGEST_NOTE)
        self._send(
            f"{self._alerts}/{alias}/close?identifierType=alias", {"source": "partwarden", "note": note}, timeout
        )

    def _send(self, url: str, body: dict[str, Any], timeout: float) -> None:
        headers = {"Authorization": f"GenieKey {self._key}"}
        post("Opsgenie", url, json.dumps(body).encode(), headers, timeout=timeout, secrets=(self._secret, self._key))

    def _alert(self, message: Message, incident: Told) -> dict[str, Any]:
        detail = incident.facts.get("detail") or {}
        prefix = "TEST " if message.is_test else ""
        return {
            "message": one_line(f"{prefix}{incident.summary}", _LONGEST_MESSAGE),
            "alias": message.key_of(incident),
            "description": message.text[:_LONGEST_DESCRIPTION],
            "entity": one_line(incident.object, _LONGEST_ENTITY),
            "source": "partwarden",
            "priority": _PRIORITIES.get(incident.severity, "P3"),
            "tags": ["partwarden", incident.check, *self._tags],
            "details": {
                "cluster": message.cluster,
                "database": message.database,
                "check": incident.check,
                "severity": incident.severity,
                "cause": str(detail.get("cause") or ""),
                "next": str(incident.facts.get("remedy") or ""),
                "notification": message.id,
            },
            **({"responders": self._responders} if self._responders else {}),
        }


def _responder(target: str) -> dict[str, str]:
    kind, key = _RESPONDERS.get(target[0], ("user", "username"))
    return {"type": kind, key: target[1:] if target[0] in _RESPONDERS else target}
