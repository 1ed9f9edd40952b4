"""Where a secret stands that the file may not hold: in a variable, in a file, or in Secrets Manager of AWS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from partwarden.dsn import aws_login
from partwarden.errors import CouldNotConnect

PATTERN = r"^(env|file|aws-secret):."
"""What a reference begins with, as a pattern of JSON Schema's."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HARMLESS_KEYS = frozenset({"from", "to", "cc", "bcc", "reply", "smtp", "name", "mode", "verify", "format"})
_FORMS = "env:NAME, file:/path or aws-secret:NAME"


@dataclass(frozen=True)
class Reference:
    """``kind`` is env, file or aws-secret; ``place`` the variable, the path, or the secret as a login by it is written."""

    kind: str
    place: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError for what is no reference; what was written is not repeated, for it may be the secret itself."""
        kind, _, place = text.partition(":")
        if kind == "env" and _VARIABLE.fullmatch(place):
            return cls(kind, place)
        if kind == "file" and place.startswith("/"):
            return cls(kind, place)
        if kind == "aws-secret":
            try:
                aws_login(text)
            except CouldNotConnect as refused:
                raise ValueError(refused.problem) from None
            return cls(kind, text)
        if kind == "env":
            raise ValueError("what follows env: is the name of a variable, as in env:SLACK_URL")
        if kind == "file":
            raise ValueError("what follows file: is a path from the root, as in file:/run/secrets/slack")
        raise ValueError(f"no secret belongs into this file: put the URL elsewhere and say where, {_FORMS}")

    def __str__(self) -> str:
        return self.place if self.kind == "aws-secret" else f"{self.kind}:{self.place}"


def is_harmless(url: str) -> bool:
    """Whether the URL can hold no secret: one of a mail, without a password, and nothing in it that may be one."""
    if not url.startswith(("mailto:", "mailtos:")):
        return False
    try:
        parts = urlsplit(url)
        has_password = parts.password is not None
        keys = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        return False
    # An address may have an @ in it that divides user and host; what stands before a colon would be a user's password.
    return (
        not has_password
        and ":" not in parts.netloc.rpartition("@")[0]
        and keys <= _HARMLESS_KEYS
        and not parts.fragment
    )
