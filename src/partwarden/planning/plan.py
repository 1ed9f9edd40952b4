"""From the file and what is there to what would be changed. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from partwarden.agent_schedule import kept_jobs
from partwarden.config import Config, Database
from partwarden.database import connect_read_only, explained, make_read_only, problem_of
from partwarden.dsn import label
from partwarden.errors import BadConfig, CouldNotConnect, PartwardenError, PlanFailed
from partwarden.nearest import nearest
from partwarden.planning.jobs import plan_jobs, plan_jobs_of_agent, plan_no_jobs, plan_no_jobs_of_agent
from partwarden.planning.meant import meant
from partwarden.planning.sets import plan_set
from partwarden.planning.settings import plan_settings, plan_silences
from partwarden.planning.steps import DatabasePlan, Obstacle, Plan, Step
from partwarden.planning.surroundings import plan_surroundings
from partwarden.planning.view import View, look
from partwarden.schedule import NoCron, open_cron

_AT_ONCE = 8


def plan(config: Config, databases: Sequence[str] = (), *, timeout: float | None = None) -> Plan:
    """What would be changed in the databases of the file, or in those that are named.

    ``timeout`` is in seconds, for connecting to a database and then for each statement. A database that can't be looked at
    is in the plan with its error. Raises BadConfig for a name that is not in the file.
    """
    wanted = chosen(config, databases)
    with ThreadPoolExecutor(max_workers=min(len(wanted), _AT_ONCE) or 1) as pool:
        return Plan(tuple(pool.map(lambda database: plan_database(database, timeout=timeout), wanted)))


def chosen(config: Config, names: Sequence[str]) -> list[Database]:
    """The databases of the file with these names, in the order of the file; all without names."""
    known = [database.name for database in config.databases]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise BadConfig(
                f"there is no database {name} in the file",
                remedy=f"did you mean {near}?" if near else f"there are {', '.join(known)}",
            )
    return [database for database in config.databases if not names or database.name in names]


def plan_database(database: Database, *, timeout: float | None = None) -> DatabasePlan:
    """The same for one database."""
    shown = label(database.dsn)
    try:
        with (
            connect_read_only(database.conninfo, timeout=timeout) as connection,
            explained(f"could not look at database {database.name}", PlanFailed),
        ):
            view = look(connection)
            steps: list[Step] = []
            obstacles: list[Obstacle] = []
            notes: list[str] = []
            later: list[str] = []
            for found in _everything(view, database, timeout):
                match found:
                    case Step():
                        steps.append(found)
                    case Obstacle():
                        obstacles.append(found)
                    case _Later():
                        later.append(found.text)
                    case _:
                        notes.append(found)
            server = {"postgresql": str(view.server.version // 10000), "database": view.server.database}
            if view.partman is not None:
                server["pg_partman"] = view.partman.version
            if view.installed is not None:
                server["partwarden"] = view.installed
            return DatabasePlan(
                database.name, shown, server, tuple(steps), tuple(obstacles), tuple(notes), "; ".join(later) or None
            )
    except PartwardenError as failure:
        return DatabasePlan(database.name, shown, error=failure.problem, remedy=failure.remedy)
    except psycopg.Error as failure:
        return DatabasePlan(database.name, shown, error=problem_of(failure))


@dataclass(frozen=True)
class _Later:
    """What can be planned only when other steps have been done."""

    text: str


def _everything(view: View, database: Database, timeout: float | None) -> Iterator[Step | Obstacle | _Later | str]:
    surroundings = list(plan_surroundings(view, database))
    yield from surroundings
    settings = plan_settings(view, database)
    if settings is not None:
        yield settings
    if database.partition_sets:
        yield from _sets(view, database, surroundings)
    yield from plan_silences(view, database)
    if database.maintenance is not None or database.monitor is not None:
        yield from _jobs(view, database, timeout)


def _jobs(view: View, database: Database, timeout: float | None) -> Iterator[Step | Obstacle | _Later]:
    by_agent = database.scheduler == "agent"
    try:
        with open_cron(database.conninfo, view.server.database, database.cron_database, timeout) as cron:
            make_read_only(cron)
            if by_agent:
                yield from plan_no_jobs(cron, view.server.database)
            else:
                yield from plan_jobs(cron, view.server.database, database)
                yield from plan_no_jobs_of_agent(view.connection)
    except NoCron as missing:
        by_agent = by_agent or (database.scheduler is None and bool(kept_jobs(view.connection)))
        if not by_agent and "pg_cron" in database.extensions and "pg_cron" not in view.server.extensions:
            yield _Later("the jobs are planned when pg_cron is there")
        elif not by_agent and (database.maintenance or database.monitor):
            remedy = (
                "add pg_cron to shared_preload_libraries, then: create extension pg_cron; or say cron_database; or have "
                "partwarden agent keep the schedule, with scheduler: agent"
            )
            yield Obstacle("jobs", missing.problem, remedy, str(database.source))
    except CouldNotConnect as failure:
        if not by_agent:
            yield Obstacle("jobs", failure.problem, failure.remedy or "", str(database.source_of("cron_database")))
    if by_agent:
        yield from plan_jobs_of_agent(view.connection, database)


def _sets(
    view: View, database: Database, surroundings: list[Step | Obstacle]
) -> Iterator[Step | Obstacle | _Later | str]:
    if view.partman is None:
        if any(isinstance(each, Step) and each.object == "pg_partman" for each in surroundings):
            yield _Later(
                f"{len(database.partition_sets)} entries of partition_sets are planned when pg_partman is there"
            )
        else:
            yield Obstacle(
                "pg_partman",
                "it is not installed in this database",
                "add to the file: extensions: {pg_partman: partman}",
                str(database.source_of("partition_sets")),
            )
        return
    known = set()
    for found in meant(view, database):
        if isinstance(found, Obstacle | str):
            yield found
            continue
        known.add(found.table.bare)
        yield from plan_set(view, found)
    for name, managed in view.managed.items():
        if managed.above is None and name not in known:
            yield f"{name} is managed by pg_partman, and is not in the file"
