"""The life of an incident: acknowledged, silenced, coming and going; and old runs of pg_cron, which are purged."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from partwarden import bundle, health, incidents
from partwarden import install as installing
from partwarden.database import Connection
from partwarden.errors import IncidentRefused, NotInstalled
from partwarden.health import Question
from partwarden.incidents import State
from partwarden.install import install, uninstall
from tests.commands import partwarden
from tests.partition_sets import daily_set
from tests.servers import OWNER, Database, Server

pytestmark = pytest.mark.one_server


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """An ordinary role's connection to a database that has partwarden and one healthy set, app.a."""
    with database.connect_owner() as connection:
        install(connection, cluster="prod-eu")
        connection.execute("create schema app")
        daily_set(connection, "app.a")
        yield connection


def fill_default(owner: Connection) -> None:
    """One finding, a warning: a row in the default partition that is in nobody's way."""
    owner.execute("insert into app.a values (1, now() - interval '1 year')")


def empty_default(owner: Connection) -> None:
    owner.execute("delete from app.a_default")


def look(owner: Connection) -> None:
    owner.execute("call partwarden.monitor()")


def age(owner: Connection, by: str) -> None:
    """Let everything that has happened to incidents be longer ago."""
    owner.execute(
        "update partwarden.incident set opened_at = opened_at - %(by)s::interval, since = since - %(by)s::interval, "
        "last_announced_at = last_announced_at - %(by)s::interval, resolved_at = resolved_at - %(by)s::interval, "
        "silenced_until = silenced_until - %(by)s::interval, acknowledged_at = acknowledged_at - %(by)s::interval",
        {"by": by},
    )


def make_worse(owner: Connection, severity: str = "critical") -> None:
    """From now on, the check finds something of that severity, until the row is gone."""
    let_checks_return(
        owner,
        f"select 'default-not-empty', '{severity}', 'app.a', 'rows', '{{}}'::jsonb, 'select 1;', null::timestamptz, "
        "null, null::boolean where exists (select from app.a_default)",
    )


def let_checks_return(owner: Connection, query: str) -> None:
    """From now on, this is what the checks find, or say that they could not look at."""
    owner.execute(
        "create or replace function partwarden.run_checks(p_only text[] default null) returns table (check_id text, "
        "severity text, object text, summary text, detail jsonb, remedy text, since timestamptz, skipped text, "
        f"partly boolean) language sql as $$ {query} $$"
    )


def skip_check(owner: Connection, *, partly: bool) -> None:
    """From now on, nothing is found, and the one check says that it was not done, or in part only."""
    let_checks_return(
        owner,
        "select 'default-not-empty', null, null, null, null::jsonb, null, null::timestamptz, 'app.b is locked', "
        f"{partly}",
    )


def opened(owner: Connection) -> int:
    """Open one incident, told of, and return its number."""
    fill_default(owner)
    look(owner)
    row = owner.execute("select id from partwarden.incident where resolved_at is null").fetchone()
    assert row is not None
    return int(row[0])


def told(owner: Connection) -> list[str]:
    """What was told, in order."""
    rows = owner.execute("select event from partwarden.notification_incident order by notification_number").fetchall()
    return [str(event) for (event,) in rows]


def last_message(owner: Connection) -> str:
    row = owner.execute("select message from partwarden.notification order by number desc limit 1").fetchone()
    assert row is not None
    return str(row[0])


def test_an_acknowledged_incident_is_not_reminded_of_and_its_end_is_told(owner: Connection) -> None:
    number = opened(owner)
    owner.execute("select partwarden.acknowledge(%s, 'on it')", (number,))
    age(owner, "2 days")
    look(owner)
    assert told(owner) == ["opened"]
    empty_default(owner)
    look(owner)
    assert told(owner) == ["opened", "resolved"]
    assert "  note                on it" in last_message(owner)


def test_an_acknowledgement_knows_who_gave_it_and_can_be_taken_back(owner: Connection) -> None:
    number = opened(owner)
    acknowledged = incidents.acknowledge(owner, number, note="on it")
    assert (acknowledged.state, acknowledged.acknowledged_by, acknowledged.note) == (
        State.ACKNOWLEDGED,
        OWNER,
        "on it",
    )
    assert incidents.acknowledge(owner, number).note == "on it"
    owner.execute("select partwarden.acknowledge(%s, p_by => 'jane')", (number,))
    assert incidents.read_incident(owner, number).acknowledged_by == "jane"
    taken_back = incidents.unacknowledge(owner, number)
    assert (taken_back.state, taken_back.acknowledged_by, taken_back.note) == (State.OPEN, None, None)
    age(owner, "2 days")
    look(owner)
    assert told(owner) == ["opened", "reminder"]


def test_an_acknowledged_incident_that_gets_worse_is_told_and_no_longer_acknowledged(owner: Connection) -> None:
    number = opened(owner)
    owner.execute("select partwarden.acknowledge(%s)", (number,))
    make_worse(owner)
    look(owner)
    look(owner)
    assert told(owner) == ["opened", "worsened"]
    assert incidents.read_incident(owner, number).state is State.OPEN
    age(owner, "2 days")
    look(owner)
    assert told(owner) == ["opened", "worsened", "reminder"]


def test_a_silenced_incident_has_neither_reminder_nor_end(owner: Connection) -> None:
    number = opened(owner)
    incidents.silence(owner, number, "10 days")
    age(owner, "2 days")
    look(owner)
    empty_default(owner)
    look(owner)
    age(owner, "1 hour")
    look(owner)
    assert told(owner) == ["opened"]
    assert incidents.read_incident(owner, number).state is State.RESOLVED


def test_a_silenced_incident_that_gets_worse_is_told_and_no_longer_silenced(owner: Connection) -> None:
    number = opened(owner)
    incidents.silence(owner, number, "10 days", note="known")
    make_worse(owner)
    look(owner)
    assert told(owner) == ["opened", "worsened"]
    assert "  note                known" in last_message(owner)
    assert incidents.read_incident(owner, number).silenced_until is None
    empty_default(owner)
    look(owner)
    assert told(owner) == ["opened", "worsened", "resolved"]


def test_what_was_silenced_as_critical_may_calm_down_and_come_back(owner: Connection) -> None:
    make_worse(owner)
    number = opened(owner)
    incidents.silence(owner, number, "10 days")
    for severity in ("warning", "critical"):
        make_worse(owner, severity)
        look(owner)
    assert told(owner) == ["opened"]


def test_reminders_resume_when_a_silence_is_over(owner: Connection) -> None:
    number = opened(owner)
    incidents.silence(owner, number, "30 hours")
    age(owner, "25 hours")
    look(owner)
    assert told(owner) == ["opened"]
    age(owner, "6 hours")
    look(owner)
    look(owner)
    assert told(owner) == ["opened", "reminder"]
    assert incidents.read_incident(owner, number).state is State.OPEN


def test_a_silence_can_be_ended_even_when_the_incident_is_over(owner: Connection) -> None:
    number = opened(owner)
    incidents.silence(owner, number, "10 days", note="known")
    assert incidents.unsilence(owner, number).state is State.OPEN
    assert incidents.read_incident(owner, number).note is None
    incidents.silence(owner, number, "10 days")
    empty_default(owner)
    look(owner)
    assert incidents.unsilence(owner, number).silenced_until is None
    with pytest.raises(IncidentRefused, match="it is resolved since"):
        incidents.unsilence(owner, number)


def test_what_comes_back_while_it_is_silenced_stays_silent_however_long_it_was_gone(owner: Connection) -> None:
    number = opened(owner)
    incidents.silence(owner, number, "10 days")
    empty_default(owner)
    look(owner)
    age(owner, "2 days")
    fill_default(owner)
    look(owner)
    assert told(owner) == ["opened"]
    again = incidents.read_incident(owner, number)
    assert (again.state, again.reopened) == (State.SILENCED, 1)


def test_what_comes_back_soon_is_the_same_incident_and_its_end_is_told_once_it_stays_away(owner: Connection) -> None:
    number = opened(owner)
    for _ in range(10):
        empty_default(owner)
        look(owner)
        age(owner, "5 minutes")
        look(owner)
        fill_default(owner)
        look(owner)
        age(owner, "1 minute")
    assert told(owner) == ["opened", "resolved", "reopened"]
    flapping = incidents.read_incident(owner, number)
    assert (flapping.state, flapping.reopened, flapping.told) == (State.OPEN, 10, "warning")
    assert owner.execute("select count(*) from partwarden.incident").fetchone() == (1,)

    empty_default(owner)
    look(owner)
    assert incidents.read_incident(owner, number).state is State.AWAY
    age(owner, "14 minutes")
    look(owner)
    assert told(owner) == ["opened", "resolved", "reopened"]
    age(owner, "1 minute")
    look(owner)
    look(owner)
    assert told(owner) == ["opened", "resolved", "reopened", "resolved"]
    assert "  comes and goes      It has come back 10 times." in last_message(owner)
    assert incidents.read_incident(owner, number).state is State.RESOLVED


def test_the_mail_of_what_came_back_says_so_and_what_follows(owner: Connection) -> None:
    opened(owner)
    empty_default(owner)
    look(owner)
    fill_default(owner)
    look(owner)
    message = last_message(owner)
    assert "AGAIN WARNING  app.a  default-not-empty" in message
    assert "It has come back once. From now on, its end is announced" in message
    subject = owner.execute("select subject from partwarden.notification order by number desc limit 1").fetchone()
    assert subject is not None
    assert subject[0].startswith("[partwarden] WARNING prod-eu/")


def test_what_comes_back_late_is_a_new_incident(owner: Connection) -> None:
    opened(owner)
    empty_default(owner)
    look(owner)
    age(owner, "16 minutes")
    fill_default(owner)
    look(owner)
    assert told(owner) == ["opened", "resolved", "opened"]
    assert owner.execute("select count(*) from partwarden.incident").fetchone() == (2,)


def test_without_a_window_nothing_is_held_back(owner: Connection) -> None:
    owner.execute("update partwarden.setting set flap_window = '0'")
    for _ in range(2):
        fill_default(owner)
        look(owner)
        empty_default(owner)
        look(owner)
    assert told(owner) == ["opened", "resolved", "opened", "resolved"]


def test_what_comes_back_worse_than_was_told_is_told(owner: Connection) -> None:
    opened(owner)
    for _ in range(2):
        empty_default(owner)
        look(owner)
        fill_default(owner)
        look(owner)
    empty_default(owner)
    look(owner)
    make_worse(owner)
    fill_default(owner)
    look(owner)
    assert told(owner) == ["opened", "resolved", "reopened", "worsened"]


def test_a_severity_that_goes_up_and_down_is_told_once(owner: Connection) -> None:
    opened(owner)
    for severity in ("critical", "warning") * 5:
        make_worse(owner, severity)
        look(owner)
    assert told(owner) == ["opened", "worsened"]


def test_an_end_is_not_told_while_its_check_could_not_be_done(owner: Connection) -> None:
    number = opened(owner)
    for change in (empty_default, fill_default, empty_default):
        change(owner)
        look(owner)
    age(owner, "20 minutes")
    skip_check(owner, partly=False)
    look(owner)
    assert incidents.read_incident(owner, number).state is State.AWAY
    make_worse(owner)
    fill_default(owner)
    look(owner)
    again = incidents.read_incident(owner, number)
    assert (again.state, again.reopened) == (State.OPEN, 2)


def test_a_check_that_was_done_in_part_resolves_what_it_no_longer_finds(owner: Connection) -> None:
    number = opened(owner)
    empty_default(owner)
    for partly, state in ((False, State.OPEN), (True, State.RESOLVED)):
        skip_check(owner, partly=partly)
        look(owner)
        assert incidents.read_incident(owner, number).state is state
        skipped = owner.execute("select skipped from partwarden.monitor_state").fetchone()
        assert skipped == ([{"check": "default-not-empty", "reason": "app.b is locked"}],)


def test_the_end_of_an_acknowledged_incident_ends_the_acknowledgement_when_it_comes_back(owner: Connection) -> None:
    number = opened(owner)
    incidents.acknowledge(owner, number)
    empty_default(owner)
    look(owner)
    fill_default(owner)
    look(owner)
    assert told(owner) == ["opened", "resolved", "reopened"]
    assert incidents.read_incident(owner, number).state is State.OPEN


def test_an_acknowledged_incident_that_comes_and_goes_stays_acknowledged(owner: Connection) -> None:
    number = opened(owner)
    for change in (empty_default, fill_default):
        change(owner)
        look(owner)
    incidents.acknowledge(owner, number)
    for change in (empty_default, fill_default):
        change(owner)
        look(owner)
    age(owner, "2 days")
    look(owner)
    assert told(owner) == ["opened", "resolved", "reopened"]
    assert incidents.read_incident(owner, number).state is State.ACKNOWLEDGED


def test_an_incident_that_is_gone_for_the_moment_can_be_silenced(owner: Connection) -> None:
    number = opened(owner)
    for change in (empty_default, fill_default, empty_default):
        change(owner)
        look(owner)
    incidents.silence(owner, number, "10 days")
    age(owner, "20 minutes")
    look(owner)
    assert told(owner) == ["opened", "resolved", "reopened"]
    assert incidents.read_incident(owner, number).state is State.RESOLVED


def test_eight_monitors_at_once_reopen_once_and_tell_once(database: Database, owner: Connection) -> None:
    number = opened(owner)
    for round_, change in enumerate((empty_default, fill_default, empty_default, fill_default)):
        change(owner)
        at_once(database, 8)
        assert owner.execute("select count(*) from partwarden.incident").fetchone() == (1,), round_
    assert told(owner) == ["opened", "resolved", "reopened"]
    assert incidents.read_incident(owner, number).reopened == 2
    empty_default(owner)
    at_once(database, 8)
    age(owner, "15 minutes")
    at_once(database, 8)
    assert told(owner) == ["opened", "resolved", "reopened", "resolved"]


def at_once(database: Database, monitors: int) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
                connection.execute("call partwarden.monitor()")
        except psycopg.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(monitors)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []


def test_what_may_be_reopened_is_not_forgotten(owner: Connection) -> None:
    insert = (
        "insert into partwarden.incident (check_id, object, severity, summary, since, opened_at, last_announced_at, "
        "resolved_at, held_back, silenced_until, silenced_severity) values "
        "('x', %s, 'warning', '', now(), now(), now(), now() - interval '91 days', %s, now() + %s::interval, %s)"
    )
    owner.execute(insert, ("over", False, None, None))
    owner.execute(insert, ("silence over", False, "-1 day", "warning"))
    owner.execute(insert, ("silenced", False, "1 day", "warning"))
    owner.execute(insert, ("held back", True, None, None))
    owner.execute("select partwarden.forget_history()")
    left = owner.execute("select object from partwarden.incident order by 1").fetchall()
    assert left == [("held back",), ("silenced",)]


def test_unknown_and_resolved_incidents_are_refused_by_name(owner: Connection) -> None:
    number = opened(owner)
    empty_default(owner)
    look(owner)
    for call in ("acknowledge(%s)", "unacknowledge(%s)", "silence(%s, now() + interval '1 hour')", "silence(%s, null)"):
        with pytest.raises(psycopg.errors.NoDataFound, match="incident 4711: there is none with that number"):
            owner.execute(f"select partwarden.{call}", (4711,))
        with pytest.raises(
            psycopg.errors.ObjectNotInPrerequisiteState, match=f"incident {number}: it is resolved since"
        ):
            owner.execute(f"select partwarden.{call}", (number,))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="as good as for ever"):
        owner.execute("select partwarden.silence(%s, 'infinity')", (number,))


def test_incidents_of_the_version_before_are_told_of_as_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.connect_owner() as owner:
        released = bundle.migrations()
        monkeypatch.setattr(bundle, "migrations", lambda: released[:1])
        monkeypatch.setattr(bundle, "code", lambda: "select 1")
        monkeypatch.setattr(bundle, "article_doors", lambda _schema: "select 1")
        monkeypatch.setattr(installing, "__version__", "0.0.9")
        install(owner)
        owner.execute("create schema app")
        owner.execute(
            "insert into partwarden.incident (check_id, object, severity, summary, since, opened_at, last_announced_at, "
            "resolved_at) values ('default-not-empty', 'app.a', 'warning', '', now(), now(), now(), null), "
            "('default-not-empty', 'app.b', 'warning', '', now(), now(), now(), now())"
        )
        monkeypatch.undo()
        with pytest.raises(NotInstalled, match=r"0\.0\.9, an older one"):
            incidents.list_incidents(owner)
        install(owner)
        for name in ("app.a", "app.b"):
            daily_set(owner, name)
            owner.execute(f"insert into {name} values (1, now() - interval '1 year')")
        look(owner)
        assert told(owner) == ["reopened"]
        assert [each.told for each in incidents.list_incidents(owner)] == ["warning", "warning"]


def test_the_list_is_for_people_and_for_programs(database: Database, owner: Connection) -> None:
    nothing = partwarden("incidents", "list", database.owner_dsn)
    assert (nothing.returncode, nothing.stdout) == (0, "no open incidents\n")
    number = opened(owner)
    row = partwarden("incidents", "list", database.owner_dsn).stdout.splitlines()[1]
    assert row.split()[:3] == [str(number), "warning", "open"]
    assert "app.a" in row
    assert "default-not-empty" in row
    (as_json,) = json.loads(partwarden("incidents", "list", database.owner_dsn, "--json").stdout)["incidents"]
    assert (as_json["id"], as_json["state"], as_json["object"]) == (number, "open", "app.a")
    empty_default(owner)
    look(owner)
    assert partwarden("incidents", "list", database.owner_dsn).stdout == "no open incidents\n"
    assert json.loads(partwarden("incidents", "list", database.owner_dsn, "--json").stdout) == {"incidents": []}
    assert "resolved" in partwarden("incidents", "list", database.owner_dsn, "--all").stdout


def test_what_the_database_says_is_never_markup_nor_an_escape(database: Database, owner: Connection) -> None:
    owner.execute(
        "insert into partwarden.incident (check_id, object, severity, summary, since, opened_at, last_announced_at, note) "
        "values ('x', %s, 'critical', '[bold]100%%[/] of [red]', now(), now(), now(), '[/]')",
        ("app.[red]\x1b[31m",),
    )
    for command in (("list",), ("show", "1")):
        answer = partwarden("incidents", command[0], database.owner_dsn, *command[1:])
        assert answer.returncode == 0
        assert "app.[red]\\x1b[31m" in answer.stdout
        assert "[bold]100%[/] of [red]" in answer.stdout


def test_show_tells_the_whole_story(database: Database, owner: Connection) -> None:
    number = opened(owner)
    owner.execute("update partwarden.notification set attempts = 2, last_error = 'no way'")
    answer = partwarden("incidents", "show", database.owner_dsn, str(number))
    assert answer.stdout.startswith(f"incident {number}  WARNING  app.a  default-not-empty\n")
    for words in (
        "  state               open\n",
        "  cause   ",
        "  next\n    ",
        "opened    not delivered, 2 attempts",
        "no way",
    ):
        assert words in answer.stdout
    story = json.loads(partwarden("incidents", "show", database.owner_dsn, str(number), "--json").stdout)
    assert [each["event"] for each in story["notifications"]] == ["opened"]
    owner.execute(
        "insert into partwarden.delivery (notification_number, channel, incidents, attempts, next_attempt_at, refused, "
        "last_error, delivered_at) select number, channel, array[%s]::bigint[], 3, now(), true, error, delivered "
        "from partwarden.notification, (values ('mail', null, now()), ('pager', '404 not found', null), ('x', null, null)) "
        "as told (channel, error, delivered)",
        (number,),
    )
    owner.execute("update partwarden.delivery set incidents = '{4711}' where channel = 'x'")  # was not told of this one
    lines = partwarden("incidents", "show", database.owner_dsn, str(number)).stdout.splitlines()
    carried = [line.strip().partition(" UTC")[0] for line in lines if line.startswith("      ") and ": " in line][-2:]
    assert carried[0].startswith("mail: delivered 20")
    assert carried[1].startswith("pager: not delivered, 3 attempts, next not before 20")
    assert "      404 not found" in lines
    story = json.loads(partwarden("incidents", "show", database.owner_dsn, str(number), "--json").stdout)
    assert [each["channel"] for each in story["notifications"][0]["deliveries"]] == ["mail", "pager"]
    unknown = partwarden("incidents", "show", database.owner_dsn, "4711")
    assert unknown.returncode == 3
    assert "incident 4711: there is none with that number" in unknown.stderr


def test_an_incident_is_acknowledged_and_silenced_from_the_command_line(database: Database, owner: Connection) -> None:
    dsn = database.owner_dsn
    number = str(opened(owner))
    name = f"incident {number} (app.a default-not-empty)"
    acknowledged = partwarden("incidents", "ack", dsn, number, "--note", "on it")
    assert acknowledged.stdout == f"{name} is acknowledged by {OWNER}: no more reminders, unless it gets worse\n"
    assert f"acknowledged by {OWNER}" in partwarden("incidents", "list", dsn).stdout
    assert "no longer acknowledged" in partwarden("incidents", "ack", dsn, number, "--undo").stdout
    for until in ("2 hours", "tomorrow", "2031-12-01T10:00"):
        silenced = partwarden("incidents", "silence", dsn, number, "--until", until)
        assert silenced.stdout.startswith(f"{name} is silenced until "), silenced.stderr
    assert "2031-12-01 10:00:00 UTC" in utc(owner, silenced.stdout)
    assert partwarden("incidents", "silence", dsn, number, "--undo").stdout == f"{name} is not silenced\n"


def utc(owner: Connection, text: str) -> str:
    """The text, where the session's time zone is UTC; else with what 10:00 of its time zone is in UTC set back."""
    row = owner.execute(
        "select to_char('2031-12-01 10:00'::timestamptz at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')"
    ).fetchone()
    assert row is not None
    return text.replace(row[0], "2031-12-01 10:00:00 UTC")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("silence", "4711", "--until", "2 hours"), "could not silence incident 4711: there is none"),
        (("silence", "4711", "--undo"), "could not unsilence incident 4711: there is none"),
        (("ack", "4711"), "could not acknowledge incident 4711: there is none"),
        (("ack", "4711", "--undo"), "could not unacknowledge incident 4711: there is none"),
        (("ack", "99999999999999999999"), "out of range"),
        (("ack", "4711", "--undo", "--note", "x"), "a note can't be left"),
        (("silence", "4711", "--until", "soon"), "could not silence until 'soon': PostgreSQL reads it neither"),
        (("silence", "4711", "--until", "2001-01-01"), "could not silence until '2001-01-01': that is over"),
        (("silence", "4711", "--until", "2 hours ago"), "could not silence until '2 hours ago': that is over"),
        (("silence", "4711", "--until", "infinity"), "as good as for ever"),
        (("silence", "4711", "--until", ""), "could not silence until ''"),
        (("silence", "4711"), "say either until when"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_can_not_be_done_is_one_clear_error(
    database: Database, owner: Connection, arguments: tuple[str, ...], problem: str
) -> None:
    command, *rest = arguments
    answer = partwarden("incidents", command, database.owner_dsn, *rest)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert problem in answer.stderr
    assert answer.stderr.count("could not") <= 1


def test_a_resolved_incident_is_refused_on_the_command_line(database: Database, owner: Connection) -> None:
    number = str(opened(owner))
    empty_default(owner)
    look(owner)
    for arguments in (("ack", number), ("silence", number, "--until", "2 hours")):
        answer = partwarden("incidents", arguments[0], database.owner_dsn, *arguments[1:])
        assert answer.returncode == 3
        assert "it is resolved since" in answer.stderr
        assert "has a number of its own" in answer.stderr


def test_without_partwarden_there_are_no_incidents_to_ask_for(database: Database) -> None:
    answer = partwarden("incidents", "list", database.owner_dsn)
    assert answer.returncode == 3
    assert "partwarden is not installed in this database" in answer.stderr


FIRST_RUN = 1_000_000
"""Runs from here on are this file's own: no test gets that far with real ones."""


@pytest.fixture
def cron(server: Server) -> Iterator[Connection]:
    """The owner's connection to the database with pg_cron, where partwarden is; made-up runs are gone afterwards."""
    home = Database(server, server.cluster.cron_database)
    with home.connect() as superuser:
        superuser.execute(f"grant create on database postgres to {OWNER}")
        superuser.execute("delete from cron.job_run_details")  # those of other tests' jobs
        before = superuser.execute("select last_value, is_called from cron.runid_seq").fetchone()
        superuser.execute("select setval('cron.runid_seq', %s)", (FIRST_RUN * 2,))
        with home.connect_owner() as owner:
            install(owner)
            yield owner
            uninstall(owner)
        superuser.execute("delete from cron.job_run_details where runid >= %s", (FIRST_RUN,))
        superuser.execute("select setval('cron.runid_seq', %s, %s)", before)


def add_runs(server: Server, first: int, count: int, *, ago: str, status: str = "succeeded", user: str = OWNER) -> None:
    """Runs that started so long ago, a second between them; ``ago`` empty: without a start."""
    with Database(server, server.cluster.cron_database).connect() as superuser:
        superuser.execute(
            "insert into cron.job_run_details (jobid, runid, job_pid, database, username, command, status, "
            "return_message, start_time, end_time) "
            "select 4711, %(first)s + n, 1, 'postgres', %(user)s, 'select 1', %(status)s, '', "
            "now() - nullif(%(ago)s, '')::interval + n * interval '1 second', "
            "case when %(status)s in ('succeeded', 'failed') then now() - nullif(%(ago)s, '')::interval end "
            "from generate_series(0, %(count)s - 1) n",
            {"first": FIRST_RUN + first, "count": count, "ago": ago, "status": status, "user": user},
        )


def runs_left(cron: Connection) -> list[tuple[Any, ...]]:
    """The status, number and count of neighbouring runs that are left, in order."""
    return cron.execute(
        """
        select status, min(runid) - %(first)s, count(*)
        from (
            select *, runid - row_number() over (partition by status order by runid) as island
            from cron.job_run_details where runid between %(first)s and %(first)s * 2
        ) own
        group by status, island order by 2
        """,
        {"first": FIRST_RUN},
    ).fetchall()


def purge(cron: Connection, arguments: str = "") -> int:
    row = cron.execute(f"select partwarden.purge_job_runs({arguments})").fetchone()
    assert row is not None
    return int(row[0])


def test_failures_are_kept_longer_than_successes(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 10, ago="100 days")
    add_runs(server, 10, 5, ago="99 days", status="failed")
    add_runs(server, 15, 1, ago="98 days", status="running")
    add_runs(server, 20, 10, ago="30 days")
    add_runs(server, 30, 5, ago="29 days", status="failed")
    add_runs(server, 35, 1, ago="29 days", status="running")
    add_runs(server, 36, 1, ago="", status="starting")
    add_runs(server, 40, 10, ago="8 days")
    add_runs(server, 50, 10, ago="6 days")
    add_runs(server, 60, 1, ago="", status="starting")
    assert purge(cron) == 10 + 5 + 1 + 10 + 10
    expected = [
        ("failed", 30, 5),
        ("running", 35, 1),
        ("starting", 36, 1),
        ("succeeded", 50, 10),
        ("starting", 60, 1),
    ]
    assert runs_left(cron) == expected
    assert purge(cron) == 0
    assert purge(cron, "'1 day', '10 days'") == 5 + 1 + 10
    assert runs_left(cron) == [("starting", 36, 1), ("starting", 60, 1)]  # nobody knows whether these are old


def test_without_partwarden_the_remedy_keeps_failures_longer_as_well(
    server: Server, cron: Connection, database: Database
) -> None:
    add_runs(server, 0, 10, ago="100 days", status="failed")
    add_runs(server, 10, 10, ago="8 days")
    add_runs(server, 20, 10, ago="8 days", status="failed")
    add_runs(server, 30, 10, ago="6 days")
    with Database(server, server.cluster.cron_database).connect() as superuser:
        superuser.execute("analyze cron.job_run_details")
    only = Question(only=frozenset({"run-log-bloat"}), thresholds={"run_log_rows": 39})
    (finding,) = health.check_database(database.dsn, only).findings
    assert finding.remedy is not None
    row = cron.execute(finding.remedy).fetchone()
    assert row is not None
    job = cron.execute("select database, command from cron.job where jobid = %s", row).fetchone()
    cron.execute("select cron.unschedule(%s::bigint)", row)
    assert job is not None
    assert job[0] == server.cluster.cron_database
    cron.execute(job[1])
    assert runs_left(cron) == [("failed", 20, 10), ("succeeded", 30, 10)]


def test_a_purge_goes_on_where_the_last_one_ended(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 20, ago="80 days", status="failed")  # in the way, and to be kept
    add_runs(server, 20, 100, ago="80 days")
    add_runs(server, 120, 4, ago="6 days")
    deleted = [purge(cron, "p_at_most => 10") for _ in range(15)]
    assert deleted == [0, 0, *[10] * 10, 0, 0, 0]
    assert runs_left(cron) == [("failed", 0, 20), ("succeeded", 120, 4)]
    assert purge(cron, "'5 days', p_at_most => 10") == 4


def test_a_run_without_a_time_is_as_old_as_its_neighbours(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 6000, ago="", status="failed")
    assert purge(cron) == 0  # who knows
    add_runs(server, 6000, 1, ago="100 days", status="failed")
    assert purge(cron) == 6001


def test_a_large_table_with_little_to_purge_is_not_read_whole(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 50, ago="100 days", status="failed")
    add_runs(server, 50, 20_000, ago="30 days", status="failed")
    add_runs(server, 20_050, 50, ago="20 days")
    add_runs(server, 20_100, 200_000, ago="6 days")
    assert purge(cron) == 100
    assert 0 < rows_read(cron, "select partwarden.purge_job_runs()") < 25_000
    assert rows_read(cron, "select count(*) from cron.job_run_details") > 200_000
    assert runs_left(cron) == [("failed", 50, 20_000), ("succeeded", 20_100, 200_000)]


def test_runs_of_other_roles_are_passed_once(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 20_000, ago="100 days", user="postgres")
    assert rows_read(cron, "select partwarden.purge_job_runs()") >= 20_000
    assert rows_read(cron, "select partwarden.purge_job_runs()") < 100
    add_runs(server, FIRST_RUN + 1, 1, ago="100 days")
    assert purge(cron) == 1


def rows_read(cron: Connection, statement: str) -> int:
    """How many rows of pg_cron's log a statement fetches, by sequence or by index."""
    query = (
        "select pg_stat_get_xact_tuples_returned(oid), coalesce((select sum(pg_stat_get_xact_tuples_fetched(indexrelid)) "
        "from pg_index where indrelid = pg_class.oid), 0) + pg_stat_get_xact_tuples_fetched(oid) "
        "from pg_class where oid = 'cron.job_run_details'::regclass"
    )
    with cron.transaction():
        before = cron.execute(query).fetchone()
        cron.execute(statement)
        after = cron.execute(query).fetchone()
    assert before is not None
    assert after is not None
    return int(sum(after) - sum(before))


def test_a_role_purges_its_own_runs_only_and_each_has_a_place_of_its_own(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 10, ago="100 days", user="postgres")
    add_runs(server, 10, 10, ago="100 days")
    assert purge(cron) == 10
    with Database(server, server.cluster.cron_database).connect() as superuser:
        assert runs_left(superuser) == [("succeeded", 0, 10)]
        assert purge(superuser) == 10


def test_a_pg_cron_that_counts_from_the_beginning_again_is_purged_from_there(server: Server, cron: Connection) -> None:
    add_runs(server, 500, 10, ago="100 days")
    assert purge(cron) == 10
    with Database(server, server.cluster.cron_database).connect() as superuser:
        superuser.execute("select setval('cron.runid_seq', %s)", (FIRST_RUN + 100,))
    add_runs(server, 0, 10, ago="100 days")
    assert purge(cron) == 10


def test_two_purges_at_once_delete_each_run_once(server: Server, cron: Connection) -> None:
    add_runs(server, 0, 10_000, ago="100 days")
    deleted: list[int] = []

    def run() -> None:
        with psycopg.connect(server.cluster.dsn(user=OWNER), autocommit=True) as connection:
            deleted.append(purge(connection))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(deleted) == [0, 0, 0, 10_000]


@pytest.mark.parametrize("arguments", ["'100 days'", "null", "p_at_most => 0", "'-1 days'", "'1 day', null"])
def test_a_purge_that_makes_no_sense_is_refused(cron: Connection, arguments: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="failures have to be kept as long as successes"):
        purge(cron, arguments)


def test_without_pg_cron_there_is_nothing_to_purge_and_that_is_said(owner: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject, match="pg_cron is not installed in database") as refused:
        purge(owner)
    assert "in the database that pg_cron lives in" in str(refused.value.diag.message_hint)
