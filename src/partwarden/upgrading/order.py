"""The order of work: what has to be done before the update, the update itself, what after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from partwarden.upgrading.concern import Concern, Step
from partwarden.upgrading.releases import FIRST_5, SECOND_HALF_OF_5
from partwarden.upgrading.versions import Version

_CONFIG_TABLES = ("part_config", "part_config_sub")
_SHORT_WAIT = "set lock_timeout = '5s';  -- where one of these fails for it, repeat it"


@dataclass(frozen=True)
class Way:
    """What the order depends on: ``schema`` is pg_partman's, ``owner`` the extension's, ``jobs`` those that use it.

    ``maintain`` is the statement that has all sets maintained.
    """

    database: str
    schema: str
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


def order(way: Way, concerns: Sequence[Concern]) -> tuple[Step, ...]:
    """The steps, numbered; none where the target is installed already."""
    if way.installed >= way.target:
        return ()
    everywhere = f"in database {way.database}"
    owners = f"{everywhere}, as a superuser or as the owners of what is named"
    before = [statement for concern in concerns for statement in concern.before]
    # What is put away first comes back last.
    after = [statement for concern in reversed(concerns) for statement in concern.after]
    in_cron = [statement for statement in after if _is_for_cron(statement)]
    after = [statement for statement in after if not _is_for_cron(statement)]
    cron = f"in database {way.cron_database}, as the jobs' owner with EXECUTE on cron.alter_job, or as a superuser"
    parts: list[tuple[str, str, Sequence[str]]] = [
        ("Keep a copy of the configuration", owners, _copies(way)),
        ("Stop the jobs that use pg_partman", cron, _switch(way.jobs, on=False)),
        ("Before the update", owners, [_SHORT_WAIT, *before] if before else []),
        (f"Bring pg_partman's files on the server to {way.target}", _by_administrator(way), []),
        (
            "Update the extension, each statement in a transaction of its own",
            f"{everywhere}, as {way.owner}",
            _updates(way),
        ),
        ("After the update", owners, [_SHORT_WAIT, *after] if after else []),
        ("Mend and make jobs", cron, in_cron),
        (
            "Maintain once; each set has to say that it was maintained",
            f"{everywhere}, as the tables' owner",
            _look(way),
        ),
        ("Start the jobs again", cron, _switch(way.jobs, on=True)),
    ]
    has_files = way.offered is not None and way.offered >= way.target
    wanted = [
        (title, by, list_) for title, by, list_ in parts if list_ or (by == _by_administrator(way) and not has_files)
    ]
    return tuple(Step(number, title, by, tuple(list_)) for number, (title, by, list_) in enumerate(wanted, 1))


def _by_administrator(way: Way) -> str:
    offered = "none" if way.offered is None else str(way.offered)
    return f"on the server, which has {offered}: by its packages, or by a newer engine version of a managed service"


def _copies(way: Way) -> list[str]:
    if not way.passes(FIRST_5):
        return []
    return [
        sql.SQL("create table {} as table {};")
        .format(sql.Identifier(way.schema, f"{table}_before_5"), sql.Identifier(way.schema, table))
        .as_string(None)
        for table in _CONFIG_TABLES
    ]


def _switch(jobs: Sequence[int], *, on: bool) -> list[str]:
    return [f"select cron.alter_job({job}, active => {str(on).lower()});" for job in jobs]


def _updates(way: Way) -> list[str]:
    stops = [version for version in (FIRST_5, SECOND_HALF_OF_5) if way.passes(version)]
    return [
        f"alter extension pg_partman update to '{version}';" for version in dict.fromkeys([*stops, str(way.target)])
    ]


def _look(way: Way) -> list[str]:
    statements = [way.maintain]
    if way.target >= Version("5.1.0"):
        asked = sql.SQL(
            "select parent_table, maintenance_last_run from {} "
            "where automatic_maintenance = 'on' order by maintenance_last_run nulls first;"
        )
        statements.append(asked.format(sql.Identifier(way.schema, "part_config")).as_string(None))
    return statements


def _is_for_cron(statement: str) -> bool:
    return statement.startswith("select cron.")
