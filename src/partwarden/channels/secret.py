"""The secrets of channels, fetched from where they are kept, and kept out of whatever is said."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from partwarden.config.references import Reference
from partwarden.dsn import SecretLogin, aws_login
from partwarden.errors import ChannelFailed

_KEPT_SECONDS = 600.0
_SHORTEST = 6
"""Shorter parts of a URL are words like ``api``, and hide nothing."""


class Secret:
    """What a reference leads to. It is fetched when it is first wanted, anew after ten minutes, and when it was of no use."""

    def __init__(self, reference: Reference, wanted_by: str) -> None:
        self._reference = reference
        self._wanted_by = wanted_by
        self._lock = threading.Lock()
        self._known: str | None = None
        self._known_since = 0.0

    def value(self) -> str:
        """The secret. Raises ChannelFailed, and AwsFailed where AWS has to give it and does not."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known_since > _KEPT_SECONDS:
                self._known = self._fetched().strip()
                self._known_since = time.monotonic()
            if not self._known:
                raise self._failed(f"there is nothing in {self._reference}", "put the secret there")
            return self._known

    def forget(self) -> None:
        """Fetch it anew the next time."""
        with self._lock:
            self._known = None

    def _fetched(self) -> str:
        place = self._reference.place
        match self._reference.kind:
            case "env":
                if place not in os.environ:
                    raise self._failed(f"the environment has no variable {place}", f"export {place}=…")
                return os.environ[place]
            case "file":
                try:
                    return Path(place).read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError) as failure:
                    reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8"
                    raise self._failed(f"could not read {place}: {reason}", f"ls -l {place}") from None
            case _:
                return self._of_aws(place)

    def _of_aws(self, place: str) -> str:
        from partwarden.aws.credentials import secret_text  # takes boto3, which nobody else needs

        login = aws_login(place)
        if not isinstance(login, SecretLogin):
            raise self._failed(f"{place} is no secret with a URL", "aws-secret:NAME_OR_ARN")
        text = secret_text(login)
        try:
            said = json.loads(text)
        except ValueError:
            return text
        if not isinstance(said, dict):
            return text
        if not isinstance(said.get("url"), str):
            raise self._failed(
                f"the secret of {place} is JSON without url", 'put {"url": "…"} there, or the URL itself'
            )
        return str(said["url"])

    def _failed(self, problem: str, remedy: str) -> ChannelFailed:
        return ChannelFailed(f"channel {self._wanted_by}: {problem}", remedy=remedy, lasts=True)


def without(text: str, *secrets: str) -> str:
    """A text without these secrets, and without the parts of those that are URLs."""
    parts = {secret for secret in secrets if secret}
    for secret in secrets:
        try:
            url = urlsplit(secret)
        except ValueError:
            continue
        if url.scheme:
            parts |= set(re.split(r"[/?&=#:@]", secret)[1:])
    for part in sorted({form for each in parts for form in (each, unquote(each))}, key=len, reverse=True):
        if len(part) >= _SHORTEST:
            text = text.replace(part, "…")
    return text
