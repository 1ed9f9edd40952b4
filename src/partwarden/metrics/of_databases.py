"""What is measured of a database as a whole, and of what the checks found there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime

from partwarden.findings import Finding
from partwarden.metrics.metric import Metric, Room
from partwarden.metrics.of_sets import headroom
from partwarden.metrics.seen import HERE, Seen

_VERSIONS = ("postgresql", "pg_partman", "pg_cron")


def _asked(value: Callable[[Seen], float | None]) -> Callable[[Seen], float | None]:
    """Only of a database that could be asked."""
    return lambda seen: value(seen) if seen.survey.report.error is None else None


def _of_sets(value: Callable[[Seen], float | None]) -> Callable[[Seen], float | None]:
    """Only of a database whose sets could be looked at."""
    return lambda seen: value(seen) if seen.knows_sets else None


def _tightest(seen: Seen) -> float | None:
    return min((left for left in map(headroom, seen.managed) if left is not None), default=None)


def _last_maintenance(seen: Seen) -> float | None:
    """As partwarden.maintain() has it on record; else when the set was maintained that has waited longest."""
    record = seen.survey.record
    if record is not None and record.maintained_at is not None:
        return record.maintained_at.timestamp()
    known = [each for each in seen.managed if each.knows_maintenance]
    times = [each.last_maintained for each in known if each.last_maintained is not None]
    return min(map(datetime.timestamp, times)) if known and len(times) == len(known) else None


DATABASES: Room[Seen, Seen] = Room(
    "A database",
    HERE,
    lambda seen: [(seen.here, seen)],
    (
        Metric(
            "partwarden_up",
            "Whether the database could be asked (1) or not (0).",
            lambda seen: int(seen.survey.report.error is None),
        ),
        Metric(
            "partwarden_check_status",
            "How the database is: 0 ok, 1 warning, 2 critical, 3 unknown.",
            lambda seen: int(seen.survey.report.status),
        ),
        Metric(
            "partwarden_skipped_checks",
            "Checks that were not done, or not for everything.",
            _asked(lambda seen: len({skip.check for skip in seen.survey.report.skipped})),
        ),
        Metric(
            "partwarden_check_duration_seconds",
            "How long the checks took, with all that was read beside them.",
            lambda seen: seen.survey.report.duration_ms / 1000,
        ),
        Metric(
            "partwarden_survey_timestamp_seconds",
            "When the database was last looked at, or tried to.",
            lambda seen: seen.survey.taken_at.timestamp(),
        ),
        Metric(
            "partwarden_headroom_seconds",
            "How long until the first managed set has no partition for new rows, negative since then; +Inf for never.",
            _of_sets(_tightest),
        ),
        Metric("partwarden_sets", "Partition sets.", _of_sets(lambda seen: len(seen.survey.sets))),
        Metric(
            "partwarden_partitions",
            "Partitions of all sets, default partitions left out.",
            _of_sets(lambda seen: sum(each.partitions for each in seen.survey.sets)),
        ),
        Metric(
            "partwarden_size_bytes",
            "How big all sets are, with indexes, as the last vacuum or analyze has left it.",
            _of_sets(lambda seen: sum(each.bytes for each in seen.survey.sets)),
        ),
        Metric(
            "partwarden_default_rows",
            "Rows in all default partitions, by the statistics; those of a default partition that they don't know left out.",
            _of_sets(lambda seen: sum(each.default_rows or 0 for each in seen.survey.sets)),
        ),
        Metric(
            "partwarden_default_partitions_filled",
            "Sets whose default partition holds rows.",
            _of_sets(lambda seen: sum(each.has_default and each.default_rows != 0 for each in seen.survey.sets)),
        ),
        Metric(
            "partwarden_last_maintenance_timestamp_seconds",
            "When all sets were last maintained; without partwarden.maintain() when the set was that has waited longest.",
            _of_sets(_last_maintenance),
        ),
        Metric(
            "partwarden_sets_omitted",
            "Sets that have no series of their own, since there are too many.",
            _of_sets(lambda seen: seen.sets_omitted),
        ),
        Metric(
            "partwarden_partitions_omitted",
            "Partitions that have no series of their own, since there are too many, or far from this moment.",
            _of_sets(lambda seen: seen.partitions_omitted),
        ),
        Metric(
            "partwarden_jobs_omitted",
            "Jobs that have no series of their own, since there are too many.",
            _asked(lambda seen: seen.jobs_omitted),
        ),
    ),
)


def _groups(seen: Seen) -> Iterator[tuple[tuple[str, ...], list[Finding]]]:
    """The findings by check and severity."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in seen.survey.report.findings:
        groups[finding.check, finding.severity].append(finding)
    for key, findings in sorted(groups.items()):
        yield (*seen.here, *key), findings


def _oldest(findings: list[Finding]) -> float | None:
    return min((each.since.timestamp() for each in findings if each.since is not None), default=None)


FINDINGS: Room[Seen, list[Finding]] = Room(
    "What a check found",
    (*HERE, "check", "severity"),
    _groups,
    (
        Metric("partwarden_findings", "Things that are wrong now; no series where nothing is.", len),
        Metric(
            "partwarden_oldest_finding_timestamp_seconds",
            "Since when the oldest finding lasts, where that can be known.",
            _oldest,
        ),
    ),
)


def _server(seen: Seen) -> Iterator[tuple[tuple[str, ...], None]]:
    report = seen.survey.report
    if report.error is None:
        yield (*seen.here, *(report.server.get(name, "") for name in _VERSIONS)), None


SERVERS: Room[Seen, None] = Room(
    "What runs there",
    (*HERE, *_VERSIONS),
    _server,
    (
        Metric(
            "partwarden_server_info",
            "Versions of the server and its extensions, empty where there is none; always 1.",
            lambda _: 1,
        ),
    ),
)
