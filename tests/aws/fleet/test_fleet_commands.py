"""The commands for a fleet, as a person types them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from partwarden.aws.account import Account
from partwarden.aws.fleet import package as packing
from partwarden.aws.fleet.incident import Incident
from partwarden.aws.fleet.member import Member, round_of
from partwarden.aws.fleet.record import Letter, Record, Records, Summary
from partwarden.aws.stacks import find
from tests.aws.fleet.home import NAME, Home
from tests.aws.fleet.inventory import inventory
from tests.aws.fleet.local_fleet import speak_http
from tests.aws.fleet.tls import Authority
from tests.commands import partwarden

MEMBERS = [Member(name, f"{name}.example.com") for name in ("orders", "shop", "stock")]


@pytest.fixture
def home(ministack_account: Account, monkeypatch: pytest.MonkeyPatch) -> Home:
    speak_http(monkeypatch)
    made = Home.make(ministack_account)
    made.list_members(MEMBERS)
    monkeypatch.setattr(packing, "fetch_libraries", lambda architecture: {"psycopg/x.py": architecture.encode()})
    return made


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    file = tmp_path / "rds.pem"
    file.write_text(Authority().pem)
    return file


def deploy(home: Home, certificates: Path, *options: str) -> tuple[int, str]:
    answer = partwarden(
        *("aws", "fleet", "deploy", "--name", NAME, "--vpc", home.vpc, *(f"--subnet={each}" for each in home.subnets)),
        *("--email", "dba@example.com", "--ca-bundle", str(certificates), *options),
    )
    return answer.returncode, answer.stdout + answer.stderr


def fleet(*arguments: str) -> tuple[int, str]:
    answer = partwarden("aws", "fleet", *arguments, "--name", NAME)
    return answer.returncode, answer.stdout + answer.stderr


def test_fleet_is_shown_made_looked_at_and_taken_away(home: Home, certificates: Path) -> None:
    before = inventory(home.account)
    code, said = deploy(home, certificates, "--dry-run")
    assert code == 1, said
    assert "3 clusters are listed" in said
    assert f"create stack {NAME}:" in said
    assert re.search(r"Add +Worker +Lambda::Function", said)
    assert inventory(home.account) == before

    code, said = deploy(home, certificates)
    assert (code, "nobody is here to be asked" in said) == (3, True)
    assert inventory(home.account) == before

    code, said = deploy(home, certificates, "--yes")
    assert code == 0, said
    stack = find(home.account, NAME)
    assert stack is not None
    assert f"security group {stack.output('WorkerSecurityGroupId')}" in said
    assert "CREATE_COMPLETE      Worker (AWS::Lambda::Function)" in said
    assert deploy(home, certificates, "--dry-run")[0] == 0

    code, said = fleet("status")
    assert code == 1, said
    assert "3 of 3 clusters were not looked at in time: orders, shop, stock" in said

    code, said = fleet("destroy", "--dry-run")
    assert (code, f"to delete  stack {NAME}-code" in said) == (1, True)
    code, said = fleet("destroy", "--yes")
    assert code == 0, said
    assert inventory(home.account) == before
    assert fleet("destroy", "--yes") == (0, f"there is no fleet {NAME} in {home.account}; nothing to do\n")
    code, said = fleet("status")
    assert (code, f"there is no fleet {NAME}" in said, "partwarden aws fleet deploy" in said) == (3, True, True)


def test_status_shows_what_is_open_and_what_did_not_get_out(home: Home, certificates: Path) -> None:
    assert deploy(home, certificates, "--yes")[0] == 0
    stack = find(home.account, NAME)
    assert stack is not None
    records, now = Records(home.account.client("dynamodb"), stack.output("TableName")), datetime.now(UTC)
    gap = Incident("app", "gap", "app.t", "warning", "a gap", {}, None, now, now, now, "warning")
    for name, incidents, letters in (
        ("orders", (), ()),
        ("shop", (gap,), (Letter("id", "a subject", "a message", 1, "refused"),)),
        ("gone", (gap,), ()),
    ):
        record = records.claim(name, round_of(now), now, now)
        assert isinstance(record, Record)
        record = Record(name, record.token, incidents, letters)
        records.save(record, Summary(now, "warning" if incidents else "ok", len(incidents), 7, None))
    code, said = fleet("status")
    assert code == 1, said
    assert "1 of 3 clusters were not looked at in time: stock" in said
    assert "1 mails could not be published" in said
    assert "no longer listed: gone" in said
    assert "WARNING   shop/app  app.t  gap" in said
    assert "1 open incident\n" in said


def test_what_can_t_be_is_refused_in_words(home: Home, certificates: Path) -> None:
    code, said = deploy(home, certificates, "--beside", "prod")
    assert (code, "one place" in said) == (3, True)
    code, said = deploy(home, certificates, "--path", "/a", "--tag", "b")
    assert (code, "one list" in said) == (3, True)
    code, said = fleet("deploy", "--beside", "prod", "--email", "a@example.com")
    assert (code, "there is no cluster prod" in said) == (3, True)
    certificates.write_text("nothing")
    code, said = deploy(home, certificates)
    assert (code, "--ca-bundle names" in said) == (3, True)
