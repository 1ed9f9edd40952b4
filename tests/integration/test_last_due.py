"""When pg_cron should last have fired: on real servers, against another implementation and pg_cron's own parser."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import islice
from time import monotonic
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psycopg
import pytest
from cronsim import CronSim, CronSimError

from partwarden.database import Connection
from tests.servers import Database

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # until 2011 its clocks went back past midnight
    "America/Sao_Paulo",  # midnight itself was skipped, until 2019
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Asia/Kathmandu",
    "Pacific/Apia",  # had no December 30 in 2011
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MINUTE = timedelta(minutes=1)


class Asked(NamedTuple):
    schedule: str
    at: datetime
    zone: str = "UTC"


class Due(NamedTuple):
    every: timedelta | None
    last: datetime | None
    previous: datetime | None
    fires: bool | None


def relation() -> str:
    """The SELECT itself, without its header."""
    text = (files("partwarden") / "sql/relations/due.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def ask(connection: Connection, asked: Sequence[Asked]) -> list[Due]:
    """What the relation says, for all of ``asked`` in one statement."""
    assert len(set(asked)) == len(asked)
    statement = f"""
        with asked as (
            select *
            from unnest(%s::text[], %s::timestamptz[], %s::text[]) with ordinality as a (schedule, asked_at, zone, nr)
        ),
        schedule_asked as (
            select schedule, asked_at, zone,
                   (select extversion from pg_extension where extname = 'pg_cron') as cron_version
            from asked
        ),
        due as ({relation()})
        select every, last_due at time zone 'UTC', previous_due at time zone 'UTC', fires
        from asked join due using (schedule, asked_at, zone)
        order by nr
    """
    arguments = [list(column) for column in zip(*asked, strict=True)]
    rows = connection.execute(statement, arguments).fetchall()
    assert len(rows) == len(asked)
    return [
        Due(every, last and last.replace(tzinfo=UTC), previous and previous.replace(tzinfo=UTC), fires)
        for every, last, previous, fires in rows
    ]


def due(database: Database, asked: Sequence[Asked]) -> list[Due]:
    """The same, as the owner of a database that lacks pg_cron, where the session's settings are of no help."""
    with database.connect_owner() as connection:
        connection.execute("set search_path = pg_catalog, pg_temp")
        connection.execute("set timezone = 'Asia/Tokyo'")
        connection.execute("set datestyle = 'SQL, DMY'")
        return ask(connection, asked)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = utc("2024-07-17 12:00:30")  # a Wednesday


def test_a_schedule_is_read_as_pg_cron_reads_it(database: Database) -> None:
    examples: list[tuple[str, str, str | None]] = [
        ("* * * * *", "2024-07-17 12:00", "2024-07-17 11:59"),
        ("@hourly", "2024-07-17 12:00", "2024-07-17 11:00"),
        ("@daily", "2024-07-17 00:00", "2024-07-16 00:00"),
        ("@midnight", "2024-07-17 00:00", "2024-07-16 00:00"),
        ("@weekly", "2024-07-14 00:00", "2024-07-07 00:00"),
        ("@monthly", "2024-07-01 00:00", "2024-06-01 00:00"),
        ("@daily whatever follows", "2024-07-17 00:00", "2024-07-16 00:00"),
        ("0 0 $ * *", "2024-06-30 00:00", "2024-05-31 00:00"),
        ("0 0 $ 2 *", "2024-02-29 00:00", "2023-02-28 00:00"),
        ("0 0 $ * mon", "2024-07-15 00:00", "2024-07-08 00:00"),
        ("0 0 29 2 *", "2024-02-29 00:00", "2020-02-29 00:00"),
        ("0 0 29 2 */7", "2004-02-29 00:00", None),  # a star, so both count: every 28 years
        ("0 0 1 * 5", "2024-07-12 00:00", "2024-07-05 00:00"),  # no star: either will do
        ("0 0 */10 * 1", "2024-07-01 00:00", "2024-04-01 00:00"),
        ("0 0 * * mon#1", "2024-07-15 00:00", "2024-07-08 00:00"),  # every Monday
        ("0 0 * * 7", "2024-07-14 00:00", "2024-07-07 00:00"),
        ("0 0 * * sat-7", "2024-07-14 00:00", "2024-07-13 00:00"),
        ("0 0 1 JAN,Mar *", "2024-03-01 00:00", "2024-01-01 00:00"),
        ("*/20,5 3 * * *", "2024-07-17 03:40", "2024-07-17 03:20"),
        ("0 */24 * * *", "2024-07-17 00:00", "2024-07-16 00:00"),
        ("0 10 * * * * *", "2024-07-17 10:00", "2024-07-16 10:00"),  # what follows is ignored
        ("\n# a comment\n 0\t10  * * *\n", "2024-07-17 10:00", "2024-07-16 10:00"),
        ("0 22-6 * * *", "2024-07-17 06:00", "2024-07-17 05:00"),
        ("50-10 4 * * *", "2024-07-17 04:55", "2024-07-17 04:54"),  # 50-55 and 8-10
    ]
    answers = due(database, [Asked(schedule, NOON) for schedule, _, _ in examples])
    for (schedule, last, previous), answer in zip(examples, answers, strict=True):
        assert answer == Due(None, utc(last), utc(previous) if previous else None, True), schedule


def test_what_can_never_fire_is_said_to(database: Database) -> None:
    never = ["@yearly", "@annually", "@reboot", "@restart", "0 0 30 2 *", "0 0 31 4,6 *", "0 0 30-31 2 *"]
    never += ["0 0 * * sat-sun", "0 6-1 * * *", "0 0 * 6-1 *", "50-10/2 4 * * *"]
    assert due(database, [Asked(each, NOON) for each in never]) == [Due(None, None, None, False)] * len(never)


def test_seconds_have_an_interval_and_no_instant(database: Database) -> None:
    accepted = {"10 seconds": 10, "1 second": 1, " 59  SECONDS ": 59, "007seconds": 7}
    answers = due(database, [Asked(each, NOON) for each in accepted])
    assert answers == [Due(timedelta(seconds=each), None, None, True) for each in accepted.values()]


def test_garbage_is_never_an_error(database: Database) -> None:
    garbage = ["", " ", "hello", "@", "@Daily", "@fortnightly", "* * * *", "*\n* * * *", "#* * * * *", "\\", "%s %s %s"]
    garbage += ["60 * * * *", "-1 * * * *", "5/10 * * * *", "*/0 * * * *", "*/x * * * *", "1- * * * *", "1, * * * *"]
    garbage += [", * * * *", "1-60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * january *"]
    garbage += ["* * * * 8", "* * * * monday", "jan * * * *", "0 0 L * *", "0 0 ? * *", "0 0 * * 5L", "0 0 1,$ * *"]
    garbage += ["0 0 $,1 * *", "0 seconds", "60 seconds", "-5 seconds", "5 second s", "5 minutes", "10 seconds x"]
    garbage += ["9" * 500 + " * * * *", "*/" + "9" * 900 + " * * * *", "9" * 200_000 + " seconds", "* " * 600]
    garbage += [
        "é ü ß 日 本",
        "\u00a0* * * * *",
        "٣ * * * *",
        "\x01 \x7f * * *",
        "{} {*} {,} ' \"",
        "(((((",
        "[a-z * * * *",
    ]
    answers = due(database, [Asked(each, NOON) for each in garbage])
    unknown = Due(None, None, None, None)
    assert {each[:40]: answer for each, answer in zip(garbage, answers, strict=True) if answer != unknown} == {}


def test_random_characters_are_never_an_error(database: Database) -> None:
    chance = random.Random(11)
    texts = {"".join(chance.choices("0123456789*/,-$# \t\n@abjnsu", k=chance.randint(0, 25))) for _ in range(3000)}
    due(database, [Asked(each, NOON) for each in texts])


def test_a_missing_schedule_is_unknown(database: Database) -> None:
    nothing = (
        "with schedule_asked (schedule, asked_at, zone, cron_version) as "
        "(values (null::text, now(), null::text, null::text))"
    )
    with database.connect_owner() as connection:
        [row] = connection.execute(nothing + relation()).fetchall()
    assert row[-4:] == (None, None, None, None)


def test_daylight_saving_skips_and_repeats(database: Database) -> None:
    examples = [
        # 2024-03-31: 02:00 to 03:00 does not exist in Berlin.
        ("30 2 * * *", "Europe/Berlin", "2024-03-31 20:00", "2024-03-30 01:30", "2024-03-29 01:30"),
        ("30 * * * *", "Europe/Berlin", "2024-03-31 01:10", "2024-03-31 00:30", "2024-03-30 23:30"),
        # 2024-10-27: 02:00 to 03:00 comes twice.
        ("30 2 * * *", "Europe/Berlin", "2024-10-27 20:00", "2024-10-27 01:30", "2024-10-27 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2024-10-27 01:10", "2024-10-27 00:30", "2024-10-26 00:30"),
        # Half an hour comes twice on Lord Howe.
        ("45 1 * * *", "Australia/Lord_Howe", "2024-04-06 16:00", "2024-04-06 15:15", "2024-04-06 14:45"),
        # Midnight was skipped in Sao Paulo.
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-04 12:00", "2018-11-03 03:00", "2018-11-02 03:00"),
        # At 00:01 the clocks of St. John's went back to 23:01 of the day before.
        ("0 0 * * *", "America/St_Johns", "2010-11-07 02:45", "2010-11-07 02:30", "2010-11-06 02:30"),
        # A whole day was skipped in Samoa.
        ("0 * * * *", "Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-30 09:00"),
        # pg_cron asks whether it is the first 24 hours later: on a day of 25 hours, not yet in its first one.
        ("30 0 $ * *", "Europe/Berlin", "2021-10-31 12:00", "2021-09-29 22:30", "2021-08-30 22:30"),
    ]
    answers = due(database, [Asked(schedule, utc(at), zone) for schedule, zone, at, _, _ in examples])
    for (schedule, zone, _, last, previous), answer in zip(examples, answers, strict=True):
        assert answer == Due(None, utc(last), utc(previous), True), f"{schedule} in {zone}"


class Generator:
    """Random schedules that pg_cron and cronsim read alike, at random instants."""

    def __init__(self, seed: int, *, last_day: bool = True) -> None:
        self.chance = random.Random(seed)
        self.last_day = last_day

    def asked(self) -> Asked:
        schedule = self.schedule()
        # cronsim knows nothing of pg_cron's 24 hours after which it is the first, above.
        zone = self.chance.choice(("UTC", "Asia/Kathmandu") if "$" in schedule else ZONES)
        return Asked(schedule, self._instant(zone), zone)

    def schedule(self) -> str:
        return " ".join(self._field(place) for place in range(5))

    def _instant(self, zone: str) -> datetime:
        changes = clock_changes(zone)
        if changes and self.chance.random() < 0.7:
            at = self.chance.choice(changes) + timedelta(minutes=self.chance.randint(-10 * 60, 40 * 60))
        else:
            at = utc("2005-01-01") + timedelta(minutes=self.chance.randrange(20 * 365 * 24 * 60))
        return at + timedelta(seconds=self.chance.choice((0, 0, 1, 59)))

    def _field(self, place: int) -> str:
        if self.chance.random() < 0.3:
            return "*"
        if place == 2 and self.last_day and self.chance.random() < 0.08:
            return "$"  # L to cronsim
        return ",".join(self._item(place) for _ in range(self.chance.choice((1, 1, 1, 2, 3))))

    def _item(self, place: int) -> str:
        low, high = LIMITS[place]
        kind = self.chance.random()
        if kind < 0.2:
            return f"*/{self._step(place)}"
        first = self.chance.randint(low, high)
        # Reversed ranges cronsim refuses, and of 5-5/2 it makes 5/2.
        if kind < 0.6 or first == high:
            return self._value(place, first)
        last = self.chance.randint(first + 1, high)
        values = f"{self._value(place, first)}-{self._value(place, last)}"
        return f"{values}/{self._step(place)}" if self.chance.random() < 0.4 else values

    def _step(self, place: int) -> int:
        return self.chance.randint(1, LIMITS[place][1])

    def _value(self, place: int, value: int) -> str:
        names = {3: ("", *MONTHS), 4: WEEKDAYS}.get(place, ())
        if value >= len(names) or self.chance.random() < 0.6:
            return str(value)
        return self.chance.choice((str.lower, str.upper, str.title))(names[value])


@cache
def clock_changes(zone: str) -> list[datetime]:
    """When, within six hours, the zone's offset from UTC has changed."""
    found = []
    at = utc("2005-01-01")
    while at.year < 2025:
        later = at + timedelta(hours=6)
        if at.astimezone(ZoneInfo(zone)).utcoffset() != later.astimezone(ZoneInfo(zone)).utcoffset():
            found.append(later)
        at = later
    return found


def fired_before(asked: Asked) -> Iterator[datetime]:
    """The instants at which it fires, back from asked.at: cronsim's local times, as often as each of them comes."""
    zone = ZoneInfo(asked.zone)
    tomorrow = asked.at.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
    found: list[datetime] = []
    for time in CronSim(asked.schedule.replace("$", "L"), tomorrow, reverse=True):
        # Local times come in another order than instants, but none is out of place by two days.
        while found and found[0] > time.replace(tzinfo=zone).astimezone(UTC) + timedelta(days=2):
            yield found.pop(0)
        for fold in (0, 1):
            instant = time.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            exists = instant.astimezone(zone).replace(tzinfo=None) == time
            if exists and instant <= asked.at and instant not in found:
                found.append(instant)
        found.sort(reverse=True)
    yield from found


@cache  # the same for each server
def expected(asked: Asked) -> Due:
    try:
        instants = list(islice(fired_before(asked), 2))
    except CronSimError:  # of what it accepts otherwise, days that no month has
        return Due(None, None, None, False)
    # The relation looks back for 41 years.
    last, previous, *_ = [each for each in instants if asked.at - each < timedelta(days=365 * 40)] + [None, None]
    return Due(None, last, previous, True)


@pytest.mark.parametrize("seed", range(2))
def test_it_agrees_with_another_implementation(database: Database, seed: int) -> None:
    generator = Generator(100 * seed + database.server.major)  # others on each server
    asked = list(dict.fromkeys(generator.asked() for _ in range(300)))
    wrong = [
        f"{each}: {answer}, expected {right}"
        for each, answer in zip(asked, due(database, asked), strict=True)
        if answer != (right := expected(each))
    ]
    assert not wrong


def test_pg_cron_accepts_all_that_the_generator_makes(database: Database) -> None:
    generator = Generator(7, last_day=database.server.major > 15)
    schedules = [generator.schedule() for _ in range(2000)]
    with psycopg.connect(database.server.cluster.dsn()) as connection:
        connection.execute(
            "select cron.schedule(schedule, 'select 1') from unnest(%s::text[]) as schedule", [schedules]
        )
        connection.rollback()


def test_what_it_cannot_read_is_what_pg_cron_refuses(database: Database) -> None:
    generator = Generator(8)
    chance = generator.chance
    schedules = {
        "@hourly",
        "@yearly",
        "@Yearly",
        "0 22-6 * * *",
        "0 0 $ * *",
        "10 seconds",
        "10 seconds ",
        "",
        "# * * *",
    }
    while len(schedules) < 400:
        schedule = generator.schedule()
        at = chance.randint(0, len(schedule))
        schedules.add(schedule[:at] + chance.choice("#/,-*$xL?;. \t\n") + schedule[at:])
    with psycopg.connect(database.server.cluster.dsn()) as connection:
        answers = ask(connection, [Asked(each, NOON) for each in sorted(schedules)])
        readable = {
            schedule for schedule, answer in zip(sorted(schedules), answers, strict=True) if answer.fires is not None
        }
        accepted = set()
        for schedule in schedules:
            with suppress(psycopg.errors.InvalidParameterValue), connection.transaction():
                connection.execute("select cron.schedule(%s, 'select 1')", [schedule])
                accepted.add(schedule)
        connection.rollback()
    assert readable == accepted


def test_an_old_pg_cron_fires_yearly_and_does_not_wrap_around(database: Database) -> None:
    with psycopg.connect(database.server.cluster.dsn()) as connection:
        yearly, reversed_range = ask(connection, [Asked("@yearly", NOON), Asked("0 22-6 * * *", NOON)])
    if database.server.major == 15:  # pg_cron 1.4
        assert yearly == Due(None, utc("2024-01-01"), utc("2023-01-01"), True)
        assert reversed_range == Due(None, None, None, False)
    else:
        assert yearly == Due(None, None, None, False)
        assert reversed_range == Due(None, utc("2024-07-17 06:00"), utc("2024-07-17 05:00"), True)


def test_a_thousand_schedules_take_about_a_second(database: Database) -> None:
    common = [
        "* * * * *",
        "*/5 * * * *",
        "0 * * * *",
        "0 3 * * *",
        "30 2 * * 1-5",
        "0 0 1 * *",
        "0 0 1 1 *",
        "0 0 29 2 *",
    ]
    asked = [Asked(common[nr % 8], NOON - nr * MINUTE, "Europe/Berlin") for nr in range(1000)]
    started = monotonic()
    due(database, asked)
    assert monotonic() - started < 10  # on a machine that does much else
