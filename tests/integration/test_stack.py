"""The embedded stack as one thing: started, found again, stopped, removed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from partwarden.errors import NotInstalled, StackFailed
from partwarden.install import install
from partwarden.local.installation import choose_installation
from partwarden.local.mailbox import read_mails
from partwarden.local.stack import Stack, default_home
from tests.servers import required_majors
from tests.waiting import wait_until


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the server's account can reach, and that is gone afterwards with all that ran in it."""
    try:
        choose_installation()
    except NotInstalled:
        assert not required_majors()
        pytest.skip("this machine has no complete server of its own")
    folder = Path("/var/tmp") / f"partwarden-stack-{secrets.token_hex(4)}"  # noqa: S108
    yield folder
    Stack(folder).destroy()
    shutil.rmtree(folder, ignore_errors=True)


def started(stack: Stack) -> tuple[str, str, list[str]]:
    lines: list[str] = []
    target = stack.start(lines.append)
    return target.lambda_arn, target.topic_arn, lines


def test_it_is_reused_and_after_a_stop_alerts_go_out_again(home: Path) -> None:
    stack = Stack(home)
    started(stack)
    *_, again = started(Stack(home))
    assert [line.endswith("(was running)") for line in again] == [True, True, True]
    status = stack.status()
    assert status.server_runs
    assert status.mailbox_runs
    assert status.aws_endpoint is not None

    assert stack.stop() == ["PostgreSQL", "mailbox", "local AWS"]
    assert stack.stop() == []
    lambda_arn, topic_arn, _ = started(stack)

    with psycopg.connect(stack.owner_dsn, autocommit=True) as owner:
        install(owner)
        owner.execute(
            "insert into partwarden.notification (created_at, subject, message, payload, next_attempt_at) "
            "values (now(), 'a subject', 'a message', '{}', now())"
        )
        owner.execute(sql.SQL("call partwarden.monitor({}, {})").format(lambda_arn, topic_arn))
    wait_until(lambda: read_mails(stack.mail_folder), "the mail is there")
    assert read_mails(stack.mail_folder)[0]["Subject"] == "a subject"

    with pytest.raises(StackFailed, match="is one of PostgreSQL"):
        Stack(home, major=9).start(print)
    (home / "a-file-of-the-user").touch()
    assert stack.destroy() is True
    assert [each.name for each in home.iterdir()] == ["a-file-of-the-user"]
    assert stack.destroy() is False


def test_two_starts_at_once_make_one_stack(home: Path) -> None:
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: started(Stack(home)), range(2))
    assert first[:2] == second[:2]
    assert sum(line.endswith("(was running)") for line in first[2] + second[2]) == 3


def test_the_home_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARTWARDEN_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("PARTWARDEN_HOME")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_home() == tmp_path / "data" / "partwarden"
