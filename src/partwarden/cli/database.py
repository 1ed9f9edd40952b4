"""Commands that put something into a database, or take it out."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from partwarden import __version__
from partwarden import install as installing
from partwarden import schedule as scheduling
from partwarden.database import connect
from partwarden.errors import InstallRefused, ScheduleRefused

Dsn = Annotated[
    str,
    Parameter(
        help="Which database: postgresql://user@host/database, 'host=… dbname=…', or '' for PG* variables; or "
        "env:VARIABLE, iam:USER@HOST/DATABASE, aws-secret:NAME (docs/aws-credentials.md)."
    ),
]
CronDatabase = Annotated[
    str | None, Parameter(help="The database pg_cron lives in, where the server doesn't say (cron.database_name).")
]


def install(
    dsn: Dsn,
    *,
    cluster: Annotated[str | None, Parameter(help="What messages call this server.")] = None,
    article_schema: Annotated[
        str, Parameter(help="Where send_cron_job_failures and …_multi_record go, the procedures of the AWS article.")
    ] = "public",
    reader: Annotated[
        tuple[str, ...],
        Parameter(help="A role that is to run partwarden check, with no more rights than that.", negative=()),
    ] = (),
) -> None:
    """Install or upgrade the schema partwarden, in one transaction; a second time changes nothing."""
    out = Console(highlight=False, soft_wrap=True)
    with connect(dsn) as connection:
        report = installing.install(connection, cluster=cluster, article_schema=article_schema, readers=reader)
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
    for note in report.notes:
        out.print(f"  note: {note}", markup=False)


def uninstall(
    dsn: Dsn,
    *,
    cron_database: CronDatabase = None,
    keep_jobs: Annotated[bool, Parameter(help="Leave the jobs in pg_cron; they will fail from now on.")] = False,
) -> None:
    """Remove partwarden's jobs and its schema from a database, and nothing else."""
    out = Console(highlight=False, soft_wrap=True)
    if not keep_jobs:
        for name in _unschedule_where_there_is_cron(dsn, cron_database):
            out.print(f"removed job {name}", markup=False)
    with connect(dsn) as connection:
        removed = installing.uninstall(connection)
    out.print("removed partwarden" if removed else "partwarden is not installed there; nothing to do")


def schedule(
    dsn: Dsn,
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
) -> None:
    """Put the maintenance and the monitor of a database into pg_cron, under names that stay.

    What is left out stays as it is scheduled already.
    """
    report = scheduling.schedule(
        dsn,
        lambda_arn=lambda_arn,
        topic_arn=topic_arn,
        maintenance=maintenance,
        monitor=monitor,
        cluster=cluster,
        cron_database=cron_database,
    )
    out = Console(highlight=False, soft_wrap=True)
    for job in report.jobs:
        out.print(f"{job.change:<10} {job.name:<32} {job.schedule:<12} {job.command}", markup=False)
    for note in report.notes:
        out.print(f"note: {note}", markup=False)


def unschedule(dsn: Dsn, *, cron_database: CronDatabase = None) -> None:
    """Take partwarden's two jobs of a database out of pg_cron."""
    out = Console(highlight=False, soft_wrap=True)
    removed = scheduling.unschedule(dsn, cron_database=cron_database)
    for name in removed:
        out.print(f"removed job {name}", markup=False)
    if not removed:
        out.print("no jobs of partwarden's for this database; nothing to do")


def _unschedule_where_there_is_cron(dsn: str, cron_database: str | None) -> list[str]:
    try:
        return scheduling.unschedule(dsn, cron_database=cron_database)
    except scheduling.NoCron:
        return []
    except ScheduleRefused as refused:
        raise InstallRefused(
            f"the jobs could not be removed: {refused.problem}",
            remedy="name pg_cron's database with --cron-database, or say --keep-jobs",
        ) from refused
