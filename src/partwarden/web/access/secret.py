"""Secrets that a page lets people in by: read where nobody else can read them, never shown, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from partwarden.errors import BadOption

_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Secret:
    """A token, a password or a key; its ``repr`` does not hold it."""

    value: str = field(repr=False)

    def matches(self, given: str) -> bool:
        """Whether it is the same, in a time that says nothing of how much of it is."""
        return hmac.compare_digest(self.digest, hashlib.sha256(given.encode(errors="surrogatepass")).digest())

    @property
    def digest(self) -> bytes:
        """What stands for it where it has to be told from others."""
        return hashlib.sha256(self.value.encode(errors="surrogatepass")).digest()


def secret_file(option: str, file: Path, *, least: int = 1) -> Secret:
    """The secret that a file holds, without blanks and line ends around it.

    Raises BadOption, which names ``option``, where the file can't be read, where others than its owner can read it, and
    where it holds fewer than ``least`` characters.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(_MOST_BYTES + 1)
    except OSError as failure:
        raise BadOption(
            f"{option} {file}: {failure.strerror or 'it can not be read'}",
            remedy=f"name a file that only you can read: (umask 077; openssl rand -hex 32 > {file})",
        ) from None
    if not stat.S_ISREG(mode):
        raise BadOption(f"{option} {file}: this is no file", remedy="name a file that holds the secret")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadOption(
            f"{option} {file}: others can read it, or write to it (mode {stat.S_IMODE(mode):04o})",
            remedy=f"chmod 600 {file}, and make a new secret where somebody may have read it",
        )
    try:
        secret = text.decode().strip()
    except UnicodeDecodeError:
        raise BadOption(
            f"{option} {file}: this is no text", remedy=f"(umask 077; openssl rand -hex 32 > {file})"
        ) from None
    if len(text) > _MOST_BYTES:
        raise BadOption(f"{option} {file}: this is too long for a secret", remedy="name the file that holds the secret")
    return _long_enough(f"{option} {file}", secret, least)


def secret_variable(variable: str, environment: Mapping[str, str], *, least: int = 1) -> Secret | None:
    """The secret that a variable of the environment holds; None where there is none. Raises BadOption for a short one."""
    value = environment.get(variable, "").strip()
    return _long_enough(variable, value, least) if value else None


def _long_enough(where: str, value: str, least: int) -> Secret:
    if len(value) < least:
        held = f"{len(value)} characters" if value else "nothing"
        raise BadOption(
            f"{where}: it holds {held}, and {least} are the least that nobody guesses",
            remedy="openssl rand -hex 32 makes one",
        )
    return Secret(value)
