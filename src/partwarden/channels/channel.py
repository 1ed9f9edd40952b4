"""A channel of the file, open: its secret fetched, and whatever sends there made of it."""

from __future__ import annotations

import threading
from typing import Protocol
from urllib.parse import urlsplit

from partwarden.channels.message import Message
from partwarden.channels.opsgenie import Opsgenie
from partwarden.channels.pagerduty import PagerDuty
from partwarden.channels.secret import Secret, without
from partwarden.channels.webhook import Webhook
from partwarden.config import Channel as Described
from partwarden.config.references import Reference, is_harmless
from partwarden.errors import ChannelFailed, PartwardenError


class Sender(Protocol):
    """Whatever takes a message to where a URL leads."""

    def send(self, message: Message, *, timeout: float) -> None:
        """Send it; ``timeout`` is in seconds. Raises ChannelFailed."""


class Channel:
    """One way to people. ``send`` may be called by several threads at once."""

    def __init__(self, described: Described) -> None:
        self.described = described
        self.name = described.name
        self._url = None if is_harmless(described.url) else Secret(Reference.read(described.url), described.name)
        self._key = (
            None if described.signing_key is None else Secret(Reference.read(described.signing_key), described.name)
        )
        self._lock = threading.Lock()
        self._sender: Sender | None = None
        self._made_of: tuple[str, str | None] | None = None

    def open(self) -> Sender:
        """What sends there, as the URL is now. Raises ChannelFailed, AwsFailed and NotInstalled, none with a secret in it."""
        url = self.described.url if self._url is None else self._url.value()
        key = None if self._key is None else self._key.value()
        with self._lock:
            if self._sender is None or self._made_of != (url, key):
                self._sender = self._made(url, key)
                self._made_of = (url, key)
            return self._sender

    def send(self, message: Message, *, timeout: float) -> None:
        """Send a message there; ``timeout`` is in seconds. Raises what ``open`` raises."""
        try:
            self.open().send(message, timeout=timeout)
        except PartwardenError as failure:
            if isinstance(failure, ChannelFailed) and not failure.lasts:
                raise
            for secret in (self._url, self._key):  # it may have been changed where it is kept
                if secret is not None:
                    secret.forget()
            raise
        except Exception as failure:  # noqa: BLE001 - a plugin's bug must not end the agent, and its text may hold the URL
            bug = ChannelFailed(
                f"channel {self.name} could not be used: {type(failure).__name__}",
                remedy=f"partwarden test-alert --channel {self.name} --debug",
            )
        else:
            return
        raise bug

    def _made(self, url: str, key: str | None) -> Sender:
        scheme = urlsplit(url).scheme.lower()
        if key is not None and scheme not in ("http", "https"):
            raise ChannelFailed(
                f"channel {self.name}: a signing_key is for webhooks, and this is {scheme or 'none'}",
                remedy="leave signing_key out",
                lasts=True,
            )
        try:
            match scheme:
                case "pagerduty":
                    return PagerDuty(url)
                case "opsgenie":
                    return Opsgenie(url)
                case "http" | "https":
                    from partwarden.channels.services import Service, understands

                    return Service(url) if key is None and understands(url) else Webhook(url, key)
                case _:
                    from partwarden.channels.services import Service

                    return Service(url)
        except ChannelFailed as failure:
            raise ChannelFailed(
                without(f"channel {self.name}: {failure.problem}", url), remedy=failure.remedy, lasts=True
            ) from None
