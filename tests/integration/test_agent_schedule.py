"""The schedule that an agent keeps where pg_cron does not: from the file to the calls, and what checks say of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from partwarden.agent_schedule import KeptJob, kept_jobs
from partwarden.config import read_config
from partwarden.database import Connection
from partwarden.health import Question, check_database
from partwarden.initial import initial_file
from partwarden.install import install
from partwarden.planning import plan
from partwarden.schedule import schedule
from tests.agents import Log, agent, config_of, running, told_by_agents
from tests.as_code import applied, written
from tests.partition_sets import daily_set
from tests.servers import Database
from tests.waiting import wait_until

pytestmark = pytest.mark.one_server

BY_AGENT = """
    scheduler: agent
    maintenance: {schedule: "17 * * * *"}
    monitor: {schedule: 30 seconds, channel: agent}
"""


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect_owner() as connection:
        yield connection


def cron_jobs(database: Database) -> list[str]:
    with psycopg.connect(database.server.cluster.dsn()) as cron:
        rows = cron.execute("select jobname from cron.job where database = %s order by 1", (database.name,)).fetchall()
    return [str(name) for (name,) in rows]


def keep(owner: Connection, schedule: str, command: str, *, since: str = "2 minutes") -> None:
    """Have agents call this, and have had them do so for a while."""
    owner.execute(
        "insert into partwarden.agent_job (kind, schedule, command, since) values ('maintain', %s, %s, now() - %s::interval)",
        (schedule, command, since),
    )


def calls(owner: Connection) -> list[float]:
    rows = owner.execute("select extract(epoch from at)::float8 from public.call order by at").fetchall()
    return [float(at) for (at,) in rows]


CALL = "insert into public.call values (clock_timestamp())"


@pytest.fixture
def called(owner: Connection) -> Connection:
    """A database with a table in which each call leaves a row."""
    told_by_agents(owner)
    owner.execute("create table public.call (at timestamptz)")
    return owner


def test_the_file_says_who_keeps_the_schedule_and_init_says_it_again(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    by_cron = BY_AGENT.replace("scheduler: agent", "extensions: {pg_partman: partman}").replace(
        "30 seconds", '"* * * * *"'
    )
    applied(written(tmp_path, database, by_cron))
    assert len(cron_jobs(database)) == 2
    steps = applied(written(tmp_path, database, BY_AGENT))
    assert [(step.kind, step.action) for step in steps] == [("job", "remove")] * 2 + [("job", "add")] * 2
    assert cron_jobs(database) == []
    assert kept_jobs(owner) == {
        "maintain": KeptJob("maintain", "17 * * * *", "call partwarden.maintain()"),
        "monitor": KeptJob("monitor", "30 seconds", "call partwarden.monitor()"),
    }
    assert owner.execute("select delivered_by from partwarden.setting").fetchone() == ("agent",)

    file = tmp_path / "again.yaml"
    file.write_text(initial_file(database.owner_dsn).text)
    described = read_config(file).databases[0]
    assert described.scheduler == "agent"
    assert described.monitor
    assert (described.monitor.schedule, described.monitor.channel) == ("30 seconds", "agent")
    (planned,) = plan(read_config(file)).databases
    assert (planned.steps, planned.obstacles) == ((), ())

    (step,) = applied(written(tmp_path, database, BY_AGENT.replace("30 seconds", "10 seconds")))
    assert [(change.key, change.before, change.after) for change in step.changes] == [
        ("schedule", "30 seconds", "10 seconds")
    ]
    applied(written(tmp_path, database, by_cron))
    assert kept_jobs(owner) == {}
    assert len(cron_jobs(database)) == 2


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("channel: agent", {"channel": "agent"}),
        ("channel: none", {"channel": "none"}),
        ("lambda_arn: a:b:c, topic_arn: d:e", {"lambda_arn": "a:b:c", "topic_arn": "d:e"}),
        (
            "channel: both, lambda_arn: a:b:c, topic_arn: d:e",
            {"channel": "both", "lambda_arn": "a:b:c", "topic_arn": "d:e"},
        ),
    ],
)
def test_who_delivers_goes_from_the_file_to_the_database_and_back(
    channel: str, said: dict[str, str], tmp_path: Path, database: Database
) -> None:
    applied(written(tmp_path, database, f'    monitor: {{schedule: "* * * * *", {channel}}}\n'))
    file = tmp_path / "again.yaml"
    file.write_text(initial_file(database.owner_dsn).text)
    config = read_config(file)
    monitor = config.databases[0].monitor
    assert monitor
    assert monitor.model_dump(exclude_none=True) == {"schedule": "* * * * *", **said}
    (planned,) = plan(config).databases
    assert planned.steps == ()


def test_without_pg_cron_a_plan_says_what_to_do_and_an_agent_does_it(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    told_by_agents(owner)
    text = f"""
    cron_database: {database.name}
    monitor: {{schedule: 30 seconds, channel: agent}}
"""
    config = written(tmp_path, database, text)
    (planned,) = plan(config).databases
    ((name, remedy),) = [(each.object, each.remedy) for each in planned.obstacles]
    assert name == "jobs"
    assert "scheduler: agent" in remedy
    log = Log()
    with running(
        config_of(
            tmp_path,
            [{"name": "hook", "url": "env:PATH"}],
            database,
            cron_database=database.name,
            monitor={"schedule": "30 seconds", "channel": "agent"},
        ),
        log,
    ):
        log.wait_for("keeps the schedule of monitor from now on (30 seconds)")
    config = written(tmp_path, database, text)
    (planned,) = plan(config).databases
    assert (planned.steps, planned.obstacles) == ((), ())


def test_two_agents_keep_each_time_once(tmp_path: Path, database: Database, called: Connection) -> None:
    keep(called, "* * * * *", CALL)
    config = config_of(tmp_path, [], database, scheduler="agent")
    with running(config), running(config):
        wait_until(lambda: calls(called), "it was called")
        called.execute("update partwarden.agent_job set schedule = '1 second'")
        wait_until(lambda: len(calls(called)) >= 4, "it was called every second")
    times = calls(called)
    assert all(after - before > 0.9 for before, after in pairwise(times[1:])), times


def test_what_came_round_while_no_agent_was_there_is_done_once(
    tmp_path: Path, database: Database, called: Connection
) -> None:
    keep(called, "*/5 * * * *", CALL, since="3 hours")
    config = config_of(tmp_path, [], database, scheduler="agent")
    (first,) = agent(config).once()
    (second,) = agent(config).once()
    assert (first.is_well, second.is_well, len(calls(called))) == (True, True, 1)


def test_a_call_that_fails_is_said_once_and_noted_and_the_schedule_goes_on(
    tmp_path: Path, database: Database, called: Connection
) -> None:
    keep(called, "1 second", "select 1/0")
    with running(config_of(tmp_path, [], database, scheduler="agent")) as log:
        log.wait_for("maintain: division by zero")
        wait_until(
            lambda: called.execute("select last_error from partwarden.agent_job").fetchone() == ("division by zero",),
            "it was noted",
        )
        time.sleep(1.5)  # long enough for another failure, which is not said again
        called.execute("update partwarden.agent_job set command = %s", (CALL,))
        wait_until(lambda: calls(called), "it was called")
        log.wait_for("maintain: it is well again")
    assert log.text.count("division by zero") == 1
    assert called.execute("select last_error from partwarden.agent_job").fetchone() == (None,)


def test_an_agent_that_ends_does_not_wait_for_what_can_be_gone_on_with(
    tmp_path: Path, database: Database, called: Connection
) -> None:
    keep(called, "1 second", "select pg_sleep(60)")
    with running(config_of(tmp_path, [], database, scheduler="agent")):
        wait_until(
            lambda: called.execute(
                "select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
            ).fetchone(),
            "it was running",
        )
        started = time.monotonic()
    assert time.monotonic() - started < 10


def test_a_database_without_pg_cron_is_maintained_and_no_check_misses_it(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    owner.execute("create schema app")
    daily_set(owner, "app.a")
    config = config_of(
        tmp_path,
        [],
        database,
        scheduler="agent",
        maintenance={"schedule": "* * * * *"},
        monitor={"schedule": "1 second", "channel": "none"},
    )
    install(owner)
    agent(config).once()
    assert set(kept_jobs(owner)) == {"maintain", "monitor"}
    owner.execute("update partwarden.agent_job set since = now() - interval '2 minutes'")
    owner.execute("update partwarden.setting set maintenance_stale_after = '1 second'")
    (tally,) = agent(config).once()
    assert tally.problems == ()
    assert owner.execute("select count(*) from partwarden.maintenance where outcome = 'succeeded'").fetchone() == (1,)
    owner.execute("update partwarden.setting set maintenance_stale_after = '26 hours'")
    report = check_database(database.owner_dsn, Question(thresholds={"monitor_within": "1 minute"}))
    assert [(each.check, each.object) for each in report.findings] == []
    inside = owner.execute("select object, skipped from partwarden.run_checks()").fetchall()
    assert [row for row in inside if row[0] or "pg_cron" in row[1]] == [], "what takes pg_cron is pointless"


def test_a_monitor_that_no_agent_calls_is_told_of_with_the_way_out(
    tmp_path: Path, database: Database, owner: Connection
) -> None:
    install(owner)
    keep(owner, "10 seconds", CALL)
    owner.execute("update partwarden.agent_job set kind = 'monitor', last_error = 'permission denied'")
    owner.execute(
        "update partwarden.monitor_state "
        "set last_started_at = now() - interval '1 hour', last_finished_at = now() - interval '1 hour'"
    )
    report = check_database(database.owner_dsn)
    (finding,) = [each for each in report.findings if each.check == "monitor-overdue"]
    assert finding.detail["cause"] == "The agent calls it, and it fails: permission denied"
    assert (finding.remedy or "").startswith("partwarden agent --once")


def test_where_an_agent_delivers_a_function_that_is_scheduled_tells_as_well(
    database: Database, owner: Connection
) -> None:
    told_by_agents(owner)
    report = schedule(
        database.owner_dsn,
        lambda_arn="arn:aws:lambda:us-east-1:123456789012:function:alert",
        topic_arn="arn:aws:sns:us-east-1:123456789012:topic",
    )
    assert "an agent has delivered until now; from now on the function and the agent do" in report.notes
    assert owner.execute("select delivered_by from partwarden.setting").fetchone() == ("both",)
