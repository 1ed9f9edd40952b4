"""A worker's orders: carried out once, told once, and again where the first attempt came to nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from partwarden.aws.account import Account
from partwarden.aws.alert_function import PublishFailed
from partwarden.aws.fleet import look, worker
from partwarden.aws.fleet.incident import Pace
from partwarden.aws.fleet.login import Login
from partwarden.aws.fleet.member import BadMessage, Member, Order, round_of
from partwarden.aws.fleet.record import Letter, Records
from partwarden.aws.fleet.worker import Settings, Worker
from partwarden.findings import Finding, Report

OURS, THEIRS = (f"arn:aws:sns:us-east-1:000000000000:{name}" for name in ("fleet", "shop"))
MEMBER = Member("shop", "shop.example.com", 5432, ("app",), THEIRS)
WELL = Report("app", server={"database": "app", "host": "shop", "port": "5432"})
ILL = Report(
    "app",
    (Finding("gap", "warning", "app", "app.t", "a gap", {"cause": "…"}, "partwarden repair app.t", None),),
    server=WELL.server,
)


class Crash(BaseException):
    """The function's time is up, or its machine is gone."""


@dataclass
class World:
    """A worker, a clock, what the database is like, and the mails of each topic."""

    records: Records
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    report: Report = ILL
    looks: int = 0
    mails: list[tuple[str, Letter]] = field(default_factory=list)
    refuse: Callable[[str], BaseException | None] = lambda _: None

    def check(self) -> Report:
        self.looks += 1
        return self.report

    def publish(self, topic: str, letter: Letter) -> None:
        if (failure := self.refuse(topic)) is not None:
            raise failure
        self.mails.append((topic, letter))

    def carry_out(self, *, again: bool = False) -> dict[str, object]:
        """Carry out an order of this moment, or the same one again."""
        if not again:
            self.at += timedelta(minutes=5)
            self._order = Order(round_of(self.at), MEMBER)
        settings = Settings("fleet", OURS, "rds_iamuser", timedelta(minutes=5), 20, Pace())
        made = Worker(settings, self.records, Login("rds_iamuser", Path("ca.pem")), self.publish, lambda: self.at)
        return made.carry_out(self._order, lambda: 60)

    @property
    def subjects(self) -> list[str]:
        return [letter.subject.removeprefix("[partwarden] ") for _, letter in self.mails]


@pytest.fixture
def world(ministack_account: Account, monkeypatch: pytest.MonkeyPatch) -> World:
    client = ministack_account.client("dynamodb")
    client.create_table(
        TableName="fleet",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "member", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "member", "KeyType": "HASH"}],
    )
    made = World(Records(client, "fleet"))
    monkeypatch.setattr(look, "check_database", lambda *_, **__: made.check())
    return made


def refused(topic: str) -> PublishFailed:
    return PublishFailed(f"SNS refused to publish to {topic}: AuthorizationError")


def test_trouble_is_told_once_and_its_end_once(world: World) -> None:
    assert world.carry_out()["outcome"] == "looked"
    assert world.carry_out(again=True) == {"outcome": "done"}
    world.carry_out()
    world.report = WELL
    world.carry_out()
    world.carry_out()
    assert world.subjects == ["WARNING shop/app: app.t gap", "RESOLVED shop/app: app.t gap"]
    assert {topic for topic, _ in world.mails} == {THEIRS}
    assert world.looks == 4


def test_trouble_that_goes_on_is_told_again_after_a_day(world: World) -> None:
    world.carry_out()
    world.at += timedelta(hours=23)
    world.carry_out()
    world.at += timedelta(hours=1)
    world.carry_out()
    assert world.subjects == ["WARNING shop/app: app.t gap", "REMINDER shop/app: app.t gap"]


def test_mail_that_a_clusters_topic_refuses_goes_to_the_fleets(world: World) -> None:
    world.refuse = lambda topic: refused(topic) if topic == THEIRS else None
    assert world.carry_out()["outcome"] == "looked"
    [(topic, letter)] = world.mails
    assert topic == OURS
    assert letter.message.startswith("This was to go to another topic: SNS refused to publish to " + THEIRS)


def test_mail_that_nobody_takes_waits_and_is_the_same_one_later(world: World) -> None:
    world.refuse = refused
    first = world.carry_out()
    assert first["outcome"] == "undelivered"
    assert "AuthorizationError" in str(first["error"])
    world.report = WELL
    world.carry_out()
    assert world.mails == []
    world.refuse = lambda _: None
    world.carry_out()
    assert world.subjects == ["WARNING shop/app: app.t gap", "RESOLVED shop/app: app.t gap"]
    assert [letter.attempts for _, letter in world.mails] == [3, 1]


def test_cluster_whose_mails_pile_up_is_not_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MOST_WAITING", 2)
    world.refuse = refused
    world.carry_out()
    world.report = WELL
    world.carry_out()
    assert world.looks == 2
    assert world.carry_out() == {
        "outcome": "undelivered",
        "waiting": 2,
        "error": str(refused(THEIRS)) + "; " + str(refused(OURS)),
    }
    assert world.looks == 2
    world.refuse = lambda _: None
    world.carry_out()
    assert len(world.mails) == 2
    assert world.looks == 3


def test_worker_that_dies_before_it_has_told_is_made_up_for(world: World) -> None:
    world.refuse = lambda _: Crash()
    with pytest.raises(Crash):
        world.carry_out()
    world.refuse = lambda _: None
    assert world.carry_out(again=True) == {"outcome": "busy"}
    world.at += timedelta(seconds=66)
    assert world.carry_out(again=True)["outcome"] == "looked"
    assert world.subjects == ["WARNING shop/app: app.t gap"]
    assert world.carry_out(again=True) == {"outcome": "done"}


def test_order_that_is_two_rounds_old_is_left(world: World) -> None:
    world.carry_out()
    world.at += timedelta(minutes=11)
    assert world.carry_out(again=True) == {"outcome": "late"}


def test_what_is_no_order_is_refused() -> None:
    for body in ("", "[]", "{}", '{"round": "yesterday", "member": {}}'):
        with pytest.raises(BadMessage):
            Order.from_json(body)
    order = Order("2026-03-01T12:00:00Z", MEMBER)
    assert Order.from_json(order.to_json()) == order


def test_one_order_that_fails_costs_the_others_nothing_and_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: dict[str, Any] = {}

    class Some:
        def carry_out(self, order: Order, seconds_left: Callable[[], float]) -> dict[str, object]:
            if order.member.name == "bad":
                raise RuntimeError("DynamoDB is away")
            made[order.member.name] = seconds_left()
            return {"outcome": "looked"}

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    monkeypatch.setattr(worker, "_worker", Some)
    records = [
        {"messageId": name, "body": Order("2026-03-01T12:00:00Z", Member(name, "h")).to_json()}
        for name in ("one", "bad", "two")
    ]
    answer = worker.handler({"Records": [*records, {"messageId": "odd", "body": "?"}]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": "odd"}]}
    assert made.keys() == {"one", "two"}
    assert 59 < made["one"] <= 60
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted((line["message"], line["outcome"]) for line in lines) == [
        ("bad", "crashed"), ("odd", "bad message"), ("one", "looked"), ("two", "looked"),
    ]  # fmt: skip


def test_mail_that_does_not_get_out_is_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS", "partwarden")
    monkeypatch.setenv("FLEET", "a-fleet")
    assert "_aws" not in worker._with_metrics({"outcome": "looked"})
    line = worker._with_metrics({"outcome": "undelivered"})
    assert (line["Undelivered"], line["Fleet"]) == (1, "a-fleet")
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Fleet"]]  # type: ignore[index]
