"""A webhook of one's own: the payload that the Lambda function gets, signed where a key is given."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable

from partwarden.channels.http import address, post
from partwarden.channels.message import Message

ID_HEADER = "X-Partwarden-Notification-Id"
TIMESTAMP_HEADER = "X-Partwarden-Timestamp"
SIGNATURE_HEADER = "X-Partwarden-Signature"


class Webhook:
    """Sends to one address; ``key`` signs. ``now`` is in seconds since 1970."""

    def __init__(self, url: str, key: str | None, *, now: Callable[[], float] = time.time) -> None:
        self._url, self._headers = address("the webhook", url)
        self._key = key
        self._now = now

    def send(self, message: Message, *, timeout: float) -> None:
        """Send it, in one request. Raises ChannelFailed."""
        body = json.dumps(message.payload).encode()
        headers = {**self._headers, ID_HEADER: message.id}
        if self._key is not None:
            at = str(int(self._now()))
            headers |= {TIMESTAMP_HEADER: at, SIGNATURE_HEADER: signature(self._key, at, body)}
        post("the webhook", self._url, body, headers, timeout=timeout)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What the header says: HMAC-SHA256 of the timestamp, a dot, and the body.

    The time is signed too, so that a receiver can refuse what somebody has kept and sends again.
    """
    return "sha256=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
