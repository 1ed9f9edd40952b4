"""Nothing leaves this machine: a way beyond loopback fails and is written down, here and in Python programs we start."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# What a started Python imports first of all, where it lies on PYTHONPATH; we take it for ourselves, too.
_SITECUSTOMIZE = """
import ipaddress, pathlib, socket
_connect, _resolve = socket.socket.connect, socket.getaddrinfo
attempts = pathlib.Path(__file__).with_name("attempts")
def refuse(where):
    with attempts.open("a") as file:
        file.write(f"{where}\\n")
    raise AssertionError(f"a way to {where}, beyond loopback")
def is_loopback(host):
    host = host.decode() if isinstance(host, bytes) else host
    try:
        return host in (None, "", "localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
        refuse(address[0])
    return _connect(self, address)
def resolve(host, *arguments, **more):
    if not is_loopback(host):
        refuse(host)
    return _resolve(host, *arguments, **more)
socket.socket.connect, socket.getaddrinfo = connect, resolve
"""

_USERS_OWN = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


class Guard:
    """Where a test, or a program that it started, has wanted to go beyond loopback."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "attempts"

    def take_attempts(self) -> list[str]:
        """The places, which are forgotten by that."""
        if not self._file.exists():
            return []
        places = self._file.read_text().splitlines()
        self._file.unlink()
        return places


@contextmanager
def only_loopback(folder: Path) -> Iterator[Guard]:
    """Dummy keys, nothing of the user's own AWS set-up, no proxy, and no connection beyond loopback."""
    program = folder / "sitecustomize.py"
    program.write_text(_SITECUSTOMIZE)
    guarding: dict[str, Any] = {"__file__": str(program)}
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in os.environ if each.startswith(_USERS_OWN)]:
            patch.delenv(name)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "000000000000",  # ministack takes it for the root of that account
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nobody listens there, until an emulator takes its place
            "NO_PROXY": "*",
        }.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.setattr(socket.socket, "connect", socket.socket.connect)  # so that it is put back
        patch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
        exec(_SITECUSTOMIZE, guarding)  # noqa: S102
        yield Guard(folder)
