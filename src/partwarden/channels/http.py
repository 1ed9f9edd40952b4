"""One POST to somebody's API, within bounds, and what its answer means for the next attempt."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from partwarden import __version__
from partwarden.channels.message import one_line
from partwarden.channels.secret import without
from partwarden.errors import ChannelFailed

_PASSES = frozenset({408, 425, 429})
_LONGEST_ANSWER = 65_536
_LONGEST_PAUSE = 900.0
_LONGEST_SAID = 300
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts that are this machine: what goes there need not be encrypted."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what is sent goes to the address that was named, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


_opener = urllib.request.build_opener(_NoRedirects)


def post(
    who: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float, secrets: Sequence[str] = ()
) -> None:
    """Send ``body``, which is JSON; ``timeout`` is in seconds. Returns when it was taken.

    Raises ChannelFailed, which names ``who`` and tells what passes from what lasts; it repeats what the other side says
    only where the ``secrets`` are named that this must not hold.
    """
    try:
        request = urllib.request.Request(  # noqa: S310 - its scheme has been looked at
            url,
            data=body,
            headers={"Content-Type": "application/json", "User-Agent": f"partwarden/{__version__}", **headers},
            method="POST",
        )
        with _opener.open(request, timeout=timeout):
            return  # it is taken, whatever becomes of the rest of the answer
    except urllib.error.HTTPError as answer:
        with answer:
            failure = _refusal(who, answer, secrets, timeout)
    except (http.client.InvalidURL, ValueError):
        failure = ChannelFailed(
            f"{who}: its URL or its key has characters that can't be sent",
            remedy="see that it is all in one line",
            lasts=True,
        )
    except (OSError, http.client.HTTPException) as reason:
        failure = ChannelFailed(
            f"{who} could not be reached: {reason_of(reason)}",
            remedy="see that it is up, and that this machine reaches it",
        )
    # Out here: what was raised in there knows the URL, and would stand behind this.
    raise failure


def address(who: str, url: str) -> tuple[str, dict[str, str]]:
    """An address by http or https without its user and password, and the header that these become.

    Raises ChannelFailed for what is none, and for a password that would go unencrypted to another machine.
    """
    try:
        parts = urlsplit(url)
        host, user, password = parts.hostname, parts.username, parts.password
    except ValueError:
        host = user = password = None
    if not host or parts.scheme not in ("http", "https"):
        raise ChannelFailed(f"{who}: this is no URL by https", remedy="write https:// and the host's name", lasts=True)
    if user is None:
        return url, {}
    checked_address(who, url)  # a password is not for everybody on the way
    named = f"{unquote(user)}:{unquote(password or '')}".encode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(bare), {"Authorization": "Basic " + base64.b64encode(named).decode()}


def checked_address(who: str, url: str) -> str:
    """The URL itself. Raises ChannelFailed for one that is not https, nor http to this machine."""
    parts = urlsplit(url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ChannelFailed(
            f"{who}: what is sent there goes by https, or by http within this machine",
            remedy="write https:// and the host's name",
            lasts=True,
        )
    return url


def reason_of(failure: BaseException) -> str:
    """Why nobody answered, in words that hold no address."""
    reason = getattr(failure, "reason", failure)
    match reason:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({reason.verify_message})"
        case ssl.SSLError():
            return "TLS could not be agreed on"
        case TimeoutError():
            return "no answer in time"
        case http.client.HTTPException():
            return "it answered with something else than HTTP"
        case OSError() if reason.strerror:
            return reason.strerror
        case _:
            return "the connection failed"


def _refusal(who: str, answer: urllib.error.HTTPError, secrets: Sequence[str], timeout: float) -> ChannelFailed:
    lasts = answer.code < 500 and answer.code not in _PASSES
    said = one_line(without(_said(answer, timeout), *secrets), _LONGEST_SAID) if secrets else ""
    return ChannelFailed(
        f"{who} answered {answer.code} {http.client.responses.get(answer.code, '')}".rstrip()
        + (f": {said}" if said else ""),
        remedy="see that its URL and its key are right" if lasts else "it is tried again",
        lasts=lasts,
        pause=_pause(answer.headers.get("Retry-After")),
    )


def _said(answer: urllib.error.HTTPError, timeout: float) -> str:
    """What an API says of its refusal, where it says so in JSON as PagerDuty and Opsgenie do."""
    try:
        said = json.loads(_beginning(answer, timeout))
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    if not isinstance(said, dict):
        return ""
    errors = said.get("errors")
    parts = [said.get("message"), *(errors if isinstance(errors, list) else [])]
    return "; ".join(part for part in parts if isinstance(part, str))


def _beginning(answer: urllib.error.HTTPError, timeout: float) -> bytes:
    """As much of an answer as comes in time, and is no longer than an answer should be."""
    deadline = time.monotonic() + timeout
    read = b""
    while len(read) < _LONGEST_ANSWER and time.monotonic() < deadline:
        part = answer.read1(_LONGEST_ANSWER - len(read))
        if not part:
            break
        read += part
    return read


def _pause(asked: str | None) -> float:
    """The seconds of a Retry-After, which may be a number or a date."""
    if not asked:
        return 0.0
    try:
        seconds = (
            float(asked)
            if asked.strip().isdigit()
            else (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError):
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_PAUSE)
