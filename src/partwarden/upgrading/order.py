"""The order of work: what has to be done before the update, the update itself, what after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from partwarden.bundle import PARTMAN
from partwarden.upgrading.concern import Concern, Severity, Step
from partwarden.upgrading.releases import FIRST_5, SECOND_HALF_OF_5
from partwarden.upgrading.versions import Version

_OWNERS = "a superuser, or the owners of what is named"
_TABLES_OWNER = "the tables' owner"
_MAINTAIN = "Maintain once; each set has to say that it was maintained"
_CRON = "with pg_cron"
_JOBS_OWNER = "the jobs' owner with EXECUTE on cron.alter_job, or a superuser"
_ADMINISTRATOR = "whoever administers the server: by its packages, or by a newer engine version of a managed service"
_SHORT_WAIT = "set lock_timeout = '5s';  -- where one of these fails for it, repeat it"


@dataclass(frozen=True)
class Way:
    """What the order depends on: ``schema`` is pg_partman's, ``owner`` the extension's, ``jobs`` those that use it.

    ``quoted_schema`` is the schema as SQL writes it, ``maintain`` the statement that has all sets maintained.
    """

    database: str
    schema: str
    quoted_schema: str
    owner: str
    installed: Version
    target: Version
    offered: Version | None
    cron_database: str | None
    jobs: tuple[int, ...]
    maintain: str

    def passes(self, version: str) -> bool:
        """Whether the update goes through ``version``."""
        return self.installed < Version(version) <= self.target

    def named(self, statement: str) -> str:
        """The statement with pg_partman's schema where it has a placeholder for it."""
        return statement.replace(PARTMAN, self.quoted_schema)


def order(way: Way, concerns: Sequence[Concern]) -> tuple[Step, ...]:
    """The steps, numbered. What a note proposes is not among them.

    Where the target is installed already, only what is wrong there is left to be mended.
    """
    needed = [concern for concern in concerns if concern.severity is not Severity.NOTE]
    steps = _update(way, needed) if way.installed < way.target else _mend(way, needed)
    wanted = [step for step in steps if step.statements or step.database is None]
    return tuple(replace(step, number=number) for number, step in enumerate(wanted, 1))


def _mend(way: Way, concerns: Sequence[Concern]) -> Iterator[Step]:
    if not concerns:
        return
    mending = [statement for concern in concerns for statement in (*concern.before, *concern.after)]
    here = tuple(statement for statement in mending if not _is_for_cron(statement))
    yield Step(0, "Mend what is wrong", way.database, _OWNERS, (_SHORT_WAIT, *here) if here else ())
    yield _jobs_step(way, mending)
    yield Step(0, _MAINTAIN, way.database, _TABLES_OWNER, _look(way))


def _jobs_step(way: Way, statements: Sequence[str]) -> Step:
    in_cron = tuple(filter(_is_for_cron, statements))
    return Step(0, "Mend and make jobs", way.cron_database or _CRON, _JOBS_OWNER, in_cron)


def _update(way: Way, concerns: Sequence[Concern]) -> Iterator[Step]:
    here, cron = way.database, way.cron_database or _CRON
    before = [statement for concern in concerns for statement in concern.before]
    # What is put away first comes back last.
    after = [statement for concern in reversed(concerns) for statement in concern.after]
    jobs = _jobs_step(way, after)
    after = [statement for statement in after if not _is_for_cron(statement)]
    yield Step(0, "Keep a copy of the configuration", here, _OWNERS, _copies(way))
    yield Step(0, "Stop the jobs that use pg_partman", cron, _JOBS_OWNER, _switch(way.jobs, on=False))
    yield Step(0, "Before the update", here, _OWNERS, (_SHORT_WAIT, *before) if before else ())
    if way.offered is None or way.offered < way.target:
        yield Step(0, f"Bring the files of pg_partman {way.target} to the server", None, _ADMINISTRATOR, ())
    yield Step(0, "Update the extension, each statement in a transaction of its own", here, way.owner, _updates(way))
    yield Step(0, "After the update", here, _OWNERS, (_SHORT_WAIT, *after) if after else ())
    yield jobs
    yield Step(0, _MAINTAIN, here, _TABLES_OWNER, _look(way))
    yield Step(0, "Start the jobs again", cron, _JOBS_OWNER, _switch(way.jobs, on=True))


def _copies(way: Way) -> tuple[str, ...]:
    if not way.passes(FIRST_5):
        return ()
    return (
        way.named("create table {{pg_partman}}.part_config_before_5 as table {{pg_partman}}.part_config;"),
        way.named("create table {{pg_partman}}.part_config_sub_before_5 as table {{pg_partman}}.part_config_sub;"),
    )


def _switch(jobs: Sequence[int], *, on: bool) -> tuple[str, ...]:
    return tuple(f"select cron.alter_job({job}, active => {str(on).lower()});" for job in jobs)


def _updates(way: Way) -> tuple[str, ...]:
    stops = [version for version in (FIRST_5, SECOND_HALF_OF_5) if way.passes(version)]
    versions = dict.fromkeys([*stops, str(way.target)])
    return tuple(f"alter extension pg_partman update to '{version}';" for version in versions)


def _look(way: Way) -> tuple[str, ...]:
    if max(way.target, way.installed) < Version("5.1.0"):
        return (way.maintain,)
    asked = (
        "select parent_table, maintenance_last_run from {{pg_partman}}.part_config "
        "where automatic_maintenance = 'on' order by maintenance_last_run nulls first;"
    )
    return way.maintain, way.named(asked)


def _is_for_cron(statement: str) -> bool:
    return statement.startswith("select cron.")
