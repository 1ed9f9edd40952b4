"""A survey as far as it is measured: no more sets, partitions and jobs than a monitoring system should have to keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from partwarden.metrics.metric import Per
from partwarden.report.text import visible
from partwarden.status import SetStatus, Span
from partwarden.survey import JobStanding, Survey

MOST_SETS = 500
"""So many sets of a database have series of their own; the worst come first, then those that run out first."""
MOST_PARTITIONS = 10_000
MOST_JOBS = 500

HERE = ("target", "database")
"""The labels that every series of a database begins with."""

_VIEW = "set_status"
_Job = tuple[str, str, int]
"""Host and port of its server, and its number."""


@dataclass(frozen=True)
class Seen:
    """A survey, with the sets, partitions and jobs that have series of their own.

    How many were left out is None where none of them were to have any.
    """

    survey: Survey
    sets: tuple[SetStatus, ...]
    sets_omitted: int | None
    partitions: tuple[tuple[SetStatus, Span], ...]
    partitions_omitted: int | None
    jobs: tuple[JobStanding, ...]
    jobs_omitted: int

    @property
    def here(self) -> tuple[str, str]:
        """The values of ``HERE``; the database has no name where it could not be asked."""
        return self.survey.report.target, _database(self.survey)

    @property
    def knows_sets(self) -> bool:
        """Whether the sets could be looked at; without that they are not none, but unknown."""
        report = self.survey.report
        return report.error is None and not any(skip.check == _VIEW and not skip.partly for skip in report.skipped)

    @property
    def managed(self) -> tuple[SetStatus, ...]:
        """All sets that somebody is to keep in partitions, those without series of their own too."""
        return tuple(each for each in self.survey.sets if each.is_managed)


def see(surveys: Sequence[Survey], per: Per, most_sets: int = MOST_SETS) -> list[Seen]:
    """The surveys of all databases, each with what is shown of it. A database that was surveyed twice counts once."""
    kept = _one_each(surveys)
    told_at_home = {(*_server(each), job.id) for each in kept for job in each.jobs if job.database == _database(each)}
    return [_seen(each, per, most_sets, told_at_home) for each in kept]


def _one_each(surveys: Sequence[Survey]) -> list[Survey]:
    """No two with the same labels, which whoever reads them would refuse: of two, as it was worst."""
    kept: dict[tuple[str, str], Survey] = {}
    for each in surveys:
        key = (visible(each.report.target), visible(_database(each)))
        if key not in kept or each.report.status.badness > kept[key].report.status.badness:
            kept[key] = each
    return list(kept.values())


def _seen(survey: Survey, per: Per, most_sets: int, told_at_home: set[_Job]) -> Seen:
    sets = survey.sets[:most_sets] if per >= Per.SET else ()
    spans = [(each, span) for each in sets for span in each.spans][:MOST_PARTITIONS] if per >= Per.PARTITION else []
    jobs = list(_jobs(survey, told_at_home))
    partitions = sum(each.partitions for each in survey.sets)
    return Seen(
        survey=survey,
        sets=sets,
        sets_omitted=len(survey.sets) - len(sets) if per >= Per.SET else None,
        partitions=tuple(spans),
        partitions_omitted=max(partitions - len(spans), 0) if per >= Per.PARTITION else None,
        jobs=tuple(jobs[:MOST_JOBS]),
        jobs_omitted=max(len(jobs) - MOST_JOBS, 0),
    )


def _jobs(survey: Survey, told_at_home: set[_Job]) -> Iterator[JobStanding]:
    """The jobs that this database tells of: its own, and where pg_cron lives those of which no other does."""
    is_cron_here = survey.facts.get("database") == _database(survey)
    for job in survey.jobs:
        if job.database == _database(survey) or (is_cron_here and (*_server(survey), job.id) not in told_at_home):
            yield job


def _database(survey: Survey) -> str:
    return survey.report.server.get("database", "")


def _server(survey: Survey) -> tuple[str, str]:
    server = survey.report.server
    return server.get("host", ""), server.get("port", "")
