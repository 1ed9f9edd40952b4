"""Incidents of the fleet and those of partwarden.observe(): the same events, and the same words, step by step."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partwarden.aws.fleet.incident import Found, Incident, Pace, next_incidents
from partwarden.aws.fleet.mail import message_of, subject_of
from partwarden.database import Connection
from partwarden.install import install
from tests.aws.fleet.world import FleetServer

STEPS = 60
CHECKS = ("gap", "headroom-low")
OBJECTS = ("app.a", 'app."Weird ""Table"", ünï"')
# In the order that jsonb has: shorter names first.
DETAIL: dict[str, Any] = {
    "n": 7,
    "none": None,
    "cause": "A sentence that is long enough to be wrapped, twice if need be, at sixty-four characters or where a word ends.  "
    + "x" * 70,
    "nested": {"a": [1, "ü"], "b": None},
    "is_true": True,
    "a_name_of_more_than_twenty_characters": "two\nlines",
}


@dataclass
class Step:
    """What a look shows: findings, and what it could not look at."""

    minutes: float
    found: list[Found] = field(default_factory=list)
    undone: set[str] = field(default_factory=set)
    unseen: set[tuple[str, str]] = field(default_factory=set)

    def shows_absence(self, incident: Incident) -> bool:
        return incident.check not in self.undone and (incident.check, incident.object) not in self.unseen


@pytest.fixture
def owner(cluster_server: FleetServer) -> Iterator[Connection]:
    """A database with partwarden, whose checks find what the table app.found says."""
    database = cluster_server.server.new_database()
    with database.connect_owner() as connection:
        install(connection, cluster="prod-eu")
        connection.execute("create schema app")
        connection.execute("create table app.found (row jsonb)")
        connection.execute(
            "create or replace function partwarden.run_checks(p_only text[] default null) returns table (check_id text, "
            "severity text, object text, summary text, detail jsonb, remedy text, since timestamptz, skipped text, "
            "partly boolean) language sql as $$ select found.* from app.found listed, jsonb_to_record(listed.row) as found("
            "check_id text, severity text, object text, summary text, detail jsonb, remedy text, since timestamptz, "
            "skipped text, partly boolean) $$"
        )
        yield connection
    cluster_server.server.drop_database(database)


@pytest.mark.parametrize("seed", range(4))
def test_every_look_tells_what_the_monitor_would(owner: Connection, seed: int) -> None:
    draw = random.Random(seed)
    database = owner.info.dbname
    at, known, told = datetime(2026, 3, 1, tzinfo=UTC), list[Incident](), 0
    events: set[str] = set()
    for number in range(STEPS):
        step = drawn(draw, database)
        at += timedelta(minutes=step.minutes)
        known, changes = next_incidents(known, step, at, Pace())
        ours = []
        if changes:
            ours = [
                (
                    subject_of("prod-eu", database, changes),
                    without_times(message_of("prod-eu", database, changes, at, Pace())),
                )
            ]
        assert ours == told_by_monitor(owner, step), f"step {number}: {step}"
        told += len(ours)
        events |= {change.event.value for change in changes}
    assert told > STEPS / 4
    assert events == {"opened", "worsened", "reminder", "reopened", "resolved"}


def drawn(draw: random.Random, database: str) -> Step:
    step = Step(draw.choice((0.5, 1, 5, 5, 16, 60, 60 * 25)))
    for check in CHECKS:
        if draw.random() < 0.1:
            step.undone.add(check)
            continue
        for thing in OBJECTS:
            if draw.random() < 0.1:
                step.unseen.add((check, thing))
            elif draw.random() < 0.5:
                since = draw.choice((None, datetime(2026, 1, 1, 3, tzinfo=UTC)))
                severity = draw.choice(("warning", "warning", "critical"))
                remedy = draw.choice((None, "select 1;\nselect 2;"))
                detail = draw.choice((DETAIL, {"cause": "short"}))
                step.found.append(Found(database, check, thing, severity, f"a {check}", detail, remedy, since))
    return step


def told_by_monitor(owner: Connection, step: Step) -> list[tuple[str, str]]:
    """Let time pass and observe() look; subject and message of what it has to tell."""
    rows: list[dict[str, Any]] = [
        {
            "check_id": found.check, "severity": found.severity, "object": found.object, "summary": found.summary,
            "detail": found.detail, "remedy": found.remedy, "since": found.since and found.since.isoformat(),
        }
        for found in step.found
    ]  # fmt: skip
    rows += [{"check_id": check, "skipped": "not done", "partly": False} for check in step.undone]
    rows += [{"check_id": check, "object": thing, "skipped": "locked", "partly": True} for check, thing in step.unseen]
    owner.execute("truncate app.found")
    for row in rows:
        owner.execute("insert into app.found values (%s::jsonb)", (json.dumps(row),))
    owner.execute(
        "update partwarden.incident set opened_at = opened_at - passed.by, last_announced_at = last_announced_at - passed.by, "
        "resolved_at = resolved_at - passed.by from (select make_interval(secs => %s) as by) passed",
        (step.minutes * 60,),
    )
    newest = owner.execute("select coalesce(max(number), 0) from partwarden.notification").fetchone()
    assert newest is not None
    owner.execute("select partwarden.observe()")
    told = owner.execute(
        "select subject, message from partwarden.notification where number > %s order by number", newest
    ).fetchall()
    return [(subject, without_times(message)) for subject, message in told]


def without_times(message: str) -> str:
    return re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", message)
