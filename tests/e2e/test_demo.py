"""The whole way on each server: the demo's own story, from nothing to the second mail."""

from __future__ import annotations

import secrets
import shutil
from email.message import EmailMessage
from pathlib import Path

import pytest

from partwarden.demo.scenario import Narrator, run
from partwarden.local.stack import Stack
from tests.servers import MAJORS, find_server, required_majors


@pytest.mark.parametrize("major", MAJORS)
def test_one_set_fails_six_are_maintained_and_both_mails_arrive(major: int) -> None:
    installation = find_server(major)
    if installation is None:
        assert major not in required_majors()
        pytest.skip(f"no PostgreSQL {major} with all extensions here")
    name = f"partwarden-demo-{secrets.token_hex(4)}"
    home = Path("/var/tmp") / name  # noqa: S108 - the server's account has to reach it
    stack = Stack(
        home, installation=installation, server_folder=(installation.root or Path("/")) / "var/tmp" / f"{name}-server"
    )
    steps: list[str] = []
    lines: list[str] = []
    mails: list[EmailMessage] = []
    try:
        run(stack, Narrator(steps.append, lines.append, mails.append))
    finally:
        stack.destroy()
        shutil.rmtree(home, ignore_errors=True)

    assert len(steps) == 5
    failed = [line for line in lines if "FAILED" in line]
    assert len(failed) == 1
    assert failed[0].startswith("data_mart.events_daily ")
    assert "would be violated by some row" in failed[0]
    assert sum("1 partition made" in line for line in lines) == 6
    assert "CRITICAL" in mails[0]["Subject"]
    assert "RESOLVED" in mails[-1]["Subject"]
    for mail in mails:
        assert "demo/demopg: data_mart.events_daily" in mail["Subject"] or "job" in mail["Subject"]
