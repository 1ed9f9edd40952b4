"""PagerDuty: an alert for each incident, by the Events API v2; the same key triggers and resolves it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from partwarden.channels.http import checked_address, post
from partwarden.channels.message import Message, Told, one_line
from partwarden.channels.parts import Parts
from partwarden.errors import ChannelFailed

_BASES = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
_LONGEST_SUMMARY = 1024
_FORM = "pagerduty://INTEGRATION_KEY, with ?region=eu where it is one of the EU"


class PagerDuty:
    """Sends to one integration. https://developer.pagerduty.com/docs/send-alert-event"""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        # As Apprise writes it, too, with an API token that this API does not ask for: pagerduty://KEY@TOKEN
        key = parts.netloc.partition("@")[0].partition(":")[0]
        base = asked.get("api") or _BASES.get(asked.get("region", "us").lower())
        if not key or base is None:
            raise ChannelFailed(
                f"this is not a URL of PagerDuty: {_FORM}", remedy="docs/channels.md has examples", lasts=True
            )
        self._secret = url
        self._parts = Parts()
        self._key = unquote(key)
        self._url = checked_address("PagerDuty", base).rstrip("/") + "/v2/enqueue"
        self._fields = {name: asked[name] for name in ("group", "class") if name in asked}

    def send(self, message: Message, *, timeout: float) -> None:
        """Send one event for each incident that it has not yet. Repeated it does no harm: the key is the same.

        Raises ChannelFailed: at once what passes, after all the others what lasts.
        """
        self._parts.send(message, lambda incident: self._tell(message, incident, timeout))

    def _tell(self, message: Message, incident: Told, timeout: float) -> None:
        if not incident.is_over:
            self._send(self._trigger(message, incident), timeout)
        if incident.is_over or message.is_test:
            self._send(self._resolve(message, incident), timeout)

    def _send(self, event: dict[str, Any], timeout: float) -> None:
        post("PagerDuty", self._url, json.dumps(event).encode(), {}, timeout=timeout, secrets=(self._secret, self._key))

    def _resolve(self, message: Message, incident: Told) -> dict[str, Any]:
        return {"routing_key": self._key, "event_action": "resolve", "dedup_key": message.key_of(incident)}

    def _trigger(self, message: Message, incident: Told) -> dict[str, Any]:
        prefix = "TEST " if message.is_test else ""
        return {
            "routing_key": self._key,
            "event_action": "trigger",
            "dedup_key": message.key_of(incident),
            "client": "partwarden",
            "payload": {
                "summary": one_line(f"{prefix}{incident.summary}", _LONGEST_SUMMARY),
                "source": one_line(f"{message.cluster}/{message.database}", _LONGEST_SUMMARY),
                "severity": incident.severity,
                "component": one_line(incident.object, _LONGEST_SUMMARY),
                "class": incident.check,
                **self._fields,
                "custom_details": {
                    "event": incident.event,
                    "since": incident.facts.get("since"),
                    **(incident.facts.get("detail") or {}),
                    "next": incident.facts.get("remedy"),
                    "notification": message.id,
                },
            },
        }
