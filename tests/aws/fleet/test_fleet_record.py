"""What the table promises: one look at a cluster in a round, by one worker at a time, and nothing forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partwarden.aws.account import Account
from partwarden.aws.fleet.incident import Incident
from partwarden.aws.fleet.record import Letter, Lost, Record, Records, Refusal, Summary

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = "2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z"
WELL = Summary(AT, "ok", 0, 12, None)


def until(at: datetime) -> datetime:
    return at + timedelta(seconds=60)


@pytest.fixture
def records(ministack_account: Account) -> Records:
    client = ministack_account.client("dynamodb")
    client.create_table(
        TableName="fleet",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "member", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "member", "KeyType": "HASH"}],
    )
    return Records(client, "fleet")


def claimed(records: Records, round_: str, at: datetime = AT) -> Record:
    found = records.claim("a", round_, at, until(at))
    assert isinstance(found, Record)
    return found


def incident(number: int = 0, **detail: object) -> Incident:
    return Incident("app", "gap", f"app.t{number}", "warning", "a gap", detail, None, AT, AT, AT, "warning")


def test_of_many_at_once_one_gets_it(records: Records) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: records.claim("a", FIRST, AT, until(AT)), range(16)))
    assert sum(isinstance(each, Record) for each in answers) == 1
    assert answers.count(Refusal.BUSY) == 15


def test_round_that_is_done_is_not_done_again_and_an_older_one_comes_too_late(records: Records) -> None:
    records.save(claimed(records, SECOND), WELL)
    assert records.claim("a", SECOND, AT, until(AT)) is Refusal.DONE
    assert records.claim("a", FIRST, AT, until(AT)) is Refusal.SUPERSEDED


def test_next_round_waits_for_who_is_at_it(records: Records) -> None:
    record = claimed(records, FIRST)
    assert records.claim("a", SECOND, AT, until(AT)) is Refusal.BUSY
    records.save(record, WELL)
    claimed(records, SECOND)


def test_round_of_a_worker_that_died_is_taken_over_and_it_can_write_no_more(records: Records) -> None:
    dead = claimed(records, FIRST)
    later = AT + timedelta(seconds=61)
    claimed(records, FIRST, later)
    with pytest.raises(Lost):
        records.save(dead, WELL)
    with pytest.raises(Lost):
        records.finish(dead, [])


def test_claim_whose_answer_is_lost_is_ours_when_it_is_asked_for_again(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = records._client.update_item

    def ask_twice(**arguments: Any) -> Any:
        real(**arguments)
        return real(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(records._client, "update_item", ask_twice)
        record = claimed(records, FIRST)
    records.save(record, WELL)
    assert records.claim("a", FIRST, AT, until(AT)) is Refusal.DONE


def test_incidents_and_letters_come_back_as_they_were(records: Records) -> None:
    letter = Letter("an id", "a subject", "ünï\n\n🔥", 2, "refused")
    record = replace(claimed(records, FIRST), incidents=(incident(1, cause="ü", n=1),), letters=(letter,))
    records.save(record, WELL)
    assert records.claim("a", FIRST, AT, until(AT)) is Refusal.BUSY  # the letter has not got out
    records.finish(record, [letter])
    again = claimed(records, SECOND)
    assert (again.incidents, again.letters) == (record.incidents, record.letters)


def test_more_evidence_than_an_item_takes_is_left_out_and_no_incident_is(records: Records) -> None:
    draws = [f"{hash((number, each))}" for number in range(200) for each in range(200)]
    many = tuple(incident(number, cause=" ".join(draws[number * 200 : number * 200 + 200])) for number in range(200))
    records.save(replace(claimed(records, FIRST), incidents=many), WELL)
    kept = claimed(records, SECOND).incidents
    assert [each.key for each in kept] == [each.key for each in many]
    assert any(each.detail for each in kept)
    assert not all(each.detail for each in kept)
