"""Commands that put something into a database, or take it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from partwarden import __version__
from partwarden import install as installing
from partwarden import schedule as scheduling
from partwarden.cli import completion
from partwarden.cli.grammar import COMMON, Common
from partwarden.database import connect
from partwarden.errors import InstallRefused, ScheduleRefused

Word = Annotated[
    str | None,
    Parameter(
        name="DATABASE",
        completer=completion.databases,
        help="Which database: a name in the file, postgresql://user@host/database, 'host=… dbname=…', or '' for PG* "
        "variables; or env:VARIABLE, iam:USER@HOST/DATABASE, aws-secret:NAME (docs/aws-credentials.md). As --database.",
    ),
]
CronDatabase = Annotated[
    str | None, Parameter(help="The database pg_cron lives in, where the server doesn't say (cron.database_name).")
]


def install(
    database: Word = None,
    /,
    *,
    cluster: Annotated[str | None, Parameter(help="What messages call this server.")] = None,
    article_schema: Annotated[
        str, Parameter(help="Where send_cron_job_failures and …_multi_record go, the procedures of the AWS article.")
    ] = "public",
    reader: Annotated[
        tuple[str, ...],
        Parameter(help="A role that is to run partwarden check, with no more rights than that.", negative=()),
    ] = (),
    common: Common = COMMON,
) -> None:
    """Install or upgrade the schema partwarden, in one transaction; a second time changes nothing."""
    named = common.one_database(database, must_be_named=True)
    with connect(named.dsn, timeout=common.timeout) as connection:
        report = installing.install(
            connection, cluster=cluster or named.cluster, article_schema=article_schema, readers=reader
        )
    out = common.out
    if report.before is None:
        out.print(f"installed partwarden {__version__} in database {report.database}", markup=False)
    elif report.before != __version__ or report.code_replaced:
        out.print(
            f"brought partwarden in database {report.database} from {report.before} to {__version__}", markup=False
        )
    else:
        more = "" if report.changed else "; nothing to do"
        out.print(f"database {report.database} has partwarden {__version__} already{more}", markup=False)
    for door in report.doors:
        out.print(f"  {door}(lambda_arn, topic_arn) leads to the monitor", markup=False)
    for role in report.readers:
        out.print(f"  {role} may run partwarden check", markup=False)
    _tell(common, report.notes)
    common.answer({"version": __version__, "changed": report.changed, **asdict(report)})


def uninstall(
    database: Word = None,
    /,
    *,
    cron_database: CronDatabase = None,
    keep_jobs: Annotated[bool, Parameter(help="Leave the jobs in pg_cron; they will fail from now on.")] = False,
    common: Common = COMMON,
) -> None:
    """Remove partwarden's jobs and its schema from a database, and nothing else."""
    named = common.one_database(database, must_be_named=True)
    jobs = []
    if not keep_jobs:
        jobs = _unschedule_where_there_is_cron(named.dsn, cron_database or named.cron_database, common.timeout)
    for name in jobs:
        common.out.print(f"removed job {name}", markup=False)
    with connect(named.dsn, timeout=common.timeout) as connection:
        removed = installing.uninstall(connection)
    common.out.print("removed partwarden" if removed else "partwarden is not installed there; nothing to do")
    common.answer({"removed_jobs": jobs, "removed": removed})


def schedule(
    database: Word = None,
    /,
    *,
    lambda_arn: Annotated[str | None, Parameter(help="The Lambda function that publishes alerts.")] = None,
    topic_arn: Annotated[str | None, Parameter(help="The SNS topic that alerts go to.")] = None,
    maintenance: Annotated[
        str | None, Parameter(help=f"When partitions are maintained. [at first: {scheduling.DEFAULT_MAINTENANCE}]")
    ] = None,
    monitor: Annotated[
        str | None,
        Parameter(
            help="When the monitor looks. [at first: every 10 seconds where pg_cron can (1.5), else every minute]"
        ),
    ] = None,
    cluster: Annotated[str | None, Parameter(help="What messages call this server.")] = None,
    cron_database: CronDatabase = None,
    common: Common = COMMON,
) -> None:
    """Put the maintenance and the monitor of a database into pg_cron, under names that stay.

    What is left out stays as it is scheduled already.
    """
    named = common.one_database(database, must_be_named=True)
    report = scheduling.schedule(
        named.dsn,
        lambda_arn=lambda_arn,
        topic_arn=topic_arn,
        maintenance=maintenance,
        monitor=monitor,
        cluster=cluster or named.cluster,
        cron_database=cron_database or named.cron_database,
        timeout=common.timeout,
    )
    for job in report.jobs:
        common.out.print(f"{job.change:<10} {job.name:<32} {job.schedule:<12} {job.command}", markup=False)
    _tell(common, report.notes)
    common.answer(asdict(report))


def unschedule(database: Word = None, /, *, cron_database: CronDatabase = None, common: Common = COMMON) -> None:
    """Take partwarden's two jobs of a database out of pg_cron."""
    named = common.one_database(database, must_be_named=True)
    removed = scheduling.unschedule(
        named.dsn, cron_database=cron_database or named.cron_database, timeout=common.timeout
    )
    for name in removed:
        common.out.print(f"removed job {name}", markup=False)
    if not removed:
        common.out.print("no jobs of partwarden's for this database; nothing to do")
    common.answer({"removed_jobs": removed})


def _tell(common: Common, notes: Sequence[str]) -> None:
    for note in notes:
        common.messages.print(f"note: {note}", markup=False)


def _unschedule_where_there_is_cron(dsn: str, cron_database: str | None, timeout: float | None) -> list[str]:
    try:
        return scheduling.unschedule(dsn, cron_database=cron_database, timeout=timeout)
    except scheduling.NoCron:
        return []
    except ScheduleRefused as refused:
        raise InstallRefused(
            f"the jobs could not be removed: {refused.problem}",
            remedy="name pg_cron's database with --cron-database, or say --keep-jobs",
        ) from refused
