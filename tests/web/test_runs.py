"""When jobs should have started, and which runs are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from partwarden.survey import JobStanding
from partwarden.web.reading.runs import SLOT, Slot, _missing, expected

UTC_ZONE = ZoneInfo("UTC")
ENDS = datetime(2026, 11, 27, 12, 2, tzinfo=UTC)


def a_job(schedule: str, *, is_active: bool = True) -> JobStanding:
    return JobStanding(1, "tidy", schedule, "select 1", "app", "dba", is_active, None, None, None, None, None, None)


def slots(*ages: timedelta) -> list[Slot]:
    """Runs that long ago, in the slots of five minutes that end at ENDS; the oldest first."""
    numbers = [int(age / SLOT) for age in sorted(ages, reverse=True)]
    return [Slot(number, ENDS - (number + 1) * SLOT, 1, 0, 0, 1.0, None) for number in numbers]


def missing(schedule: str, *ages: timedelta, is_active: bool = True) -> list[str]:
    begins = ENDS - timedelta(days=1)
    found = _missing(a_job(schedule, is_active=is_active), slots(*ages), begins, ENDS, UTC_ZONE)
    return [f"{at:%H:%M}" for at in found]


def hours(*numbers: int) -> list[timedelta]:
    return [timedelta(hours=number, minutes=2) for number in numbers]


def test_a_run_that_did_not_start_is_missing() -> None:
    assert missing("0 * * * *", *hours(5, 4, 2, 1, 0)) == ["09:00"]


def test_nothing_is_missing_where_all_ran() -> None:
    assert missing("0 * * * *", *hours(5, 4, 3, 2, 1, 0)) == []


def test_what_should_have_run_before_the_first_known_run_is_not_missing() -> None:
    assert missing("0 * * * *", *hours(2, 1, 0)) == []


def test_a_job_that_is_switched_off_misses_nothing() -> None:
    assert missing("0 * * * *", *hours(5, 0), is_active=False) == []


def test_a_run_that_has_just_become_due_is_not_missing_yet() -> None:
    assert missing("2 * * * *", timedelta(hours=2), timedelta(hours=1)) == []


def test_a_schedule_is_read_in_the_zone_of_the_server() -> None:
    begins = datetime(2026, 7, 1, tzinfo=UTC)
    (at,) = expected("30 3 * * *", begins, begins + timedelta(days=1), ZoneInfo("Europe/Berlin"))
    assert at == datetime(2026, 7, 1, 1, 30, tzinfo=UTC)


def test_what_python_can_not_read_of_a_schedule_is_left_to_the_checks() -> None:
    begins = datetime(2026, 7, 1, tzinfo=UTC)
    for schedule in ("10 seconds", "0 0 $ * *", "nonsense", "@reboot", ""):
        assert list(expected(schedule, begins, begins + timedelta(days=2), UTC_ZONE)) == []


def test_a_daily_job_that_did_not_start_today_is_missing() -> None:
    yesterday = ENDS - timedelta(hours=30)
    job = replace(a_job("0 6 * * *"), last_started=yesterday)
    found = list(_missing(job, (), ENDS - timedelta(days=1), ENDS, UTC_ZONE))
    assert [f"{at:%H:%M}" for at in found] == ["06:00"]


def test_a_start_a_little_late_takes_the_place_of_the_one_that_was_due() -> None:
    """Twelve runs of every minute, of which the last of each five minutes starts in the next five."""
    runs = [Slot(number, ENDS - (number + 1) * SLOT, 5, 0, 0, 1.0, None) for number in range(4, -1, -1)]
    runs[1] = replace(runs[1], runs=4)
    runs[2] = replace(runs[2], runs=6)
    assert list(_missing(a_job("* * * * *"), runs, ENDS - timedelta(days=1), ENDS, UTC_ZONE)) == []


def test_without_the_servers_time_zone_only_what_is_due_every_hour_can_be_missing() -> None:
    begins = ENDS - timedelta(days=1)
    hourly = list(_missing(a_job("0 * * * *"), slots(*hours(3, 0)), begins, ENDS, None))
    assert [f"{at:%H:%M}" for at in hourly] == ["10:00", "11:00"]
    daily = replace(a_job("30 3,15 * * *"), last_started=begins)
    assert list(_missing(daily, (), begins, ENDS, None)) == []
