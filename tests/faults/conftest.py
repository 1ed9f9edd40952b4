"""All worlds of a server are made at once, because pg_cron may take a minute to run their jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from partwarden.database import Connection
from partwarden.install import install
from tests.faults.catalogue import FAULTS
from tests.faults.world import World, far_from_now, make_world
from tests.servers import MAJORS, Server, find_server, required_majors, running_server
from tests.waiting import wait_until

Worlds = dict[str, World]

_SETTINGS = {
    "max_connections": "400",
    "max_prepared_transactions": "10",
    "max_worker_processes": "100",
    "max_locks_per_transaction": "256",
    "cron.max_running_jobs": "60",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every fault on every server that it is for and that is here."""
    for fixture in {"worlds", "world_of_its_own"} & set(metafunc.fixturenames):
        here = [major for major in MAJORS if find_server(major) is not None or major in required_majors()]
        combined = [
            (major, fault)
            for major in here
            for fault in FAULTS
            if major in fault.expected and (fault.settings is None) == (fixture == "worlds")
        ]
        metafunc.parametrize(
            (fixture, "fault"),
            combined if fixture == "worlds" else [((major, fault), fault) for major, fault in combined],
            indirect=[fixture],
            scope="session" if fixture == "worlds" else "function",
            ids=[f"pg{major}-{fault.name}" for major, fault in combined],
        )


@pytest.fixture(scope="session")
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """A world for each fault, its job run once by pg_cron, after what the fault does before that."""
    major: int = request.param
    with running_server(major, tmp_path_factory.mktemp(f"faults-{major}"), _SETTINGS) as server, ExitStack() as stack:
        made = {}
        for fault in FAULTS:
            if major in fault.expected and fault.settings is None:
                world = stack.enter_context(make_world(server, fault.command))
                made[fault.name] = world
                if fault.with_partwarden:
                    install(world.owner)
                if fault.before is not None:
                    fault.before(world)
        run_jobs(server, [made[fault.name].jobid for fault in FAULTS if fault.name in made and fault.runs])
        yield made


@pytest.fixture
def world_of_its_own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world on a server that no other fault is on."""
    major, fault = request.param
    with (
        running_server(major, tmp_path, fault.settings) as server,
        make_world(server, fault.command, drop=False) as world,
    ):
        yield world


def run_jobs(server: Server, jobs: list[int]) -> None:
    """Have pg_cron run the jobs, once or twice, and then no more."""
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as cron:

        def reschedule(schedule: str) -> None:
            cron.execute("update cron.job set schedule = %s where jobid = any (%s)", (schedule, jobs))
            # pg_cron reads its table again when one of its functions has changed it.
            cron.execute("select cron.alter_job(%s::bigint, schedule => %s)", (jobs[0], schedule))

        reschedule("* * * * *" if server.major == 15 else "5 seconds")
        wait_until(lambda: count(cron, _WITHOUT_A_RUN, jobs) == 0, "every job has run", seconds=100)
        reschedule(far_from_now())
        wait_until(lambda: count(cron, _UNFINISHED, jobs) == 0, "no job is running", seconds=60)


# The one that sleeps does not end.
_WITHOUT_A_RUN = """
    select count(*) from unnest(%s::bigint[]) as wanted (jobid)
    where not exists (select from cron.job_run_details run
                      where run.jobid = wanted.jobid
                        and (run.status in ('succeeded', 'failed')
                             or run.command like '%%pg_sleep%%' and run.start_time is not null))
"""
_UNFINISHED = """
    select count(*) from cron.job_run_details run
    where run.jobid = any (%s) and run.status not in ('succeeded', 'failed') and run.command not like '%%pg_sleep%%'
"""


def count(connection: Connection, query: str, jobs: list[int]) -> int:
    """The number that a query counts."""
    row = connection.execute(query.encode(), (jobs,)).fetchone()
    assert row is not None
    return int(row[0])
