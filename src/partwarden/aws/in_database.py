"""Two steps of a deploy: the database has partwarden, and pg_cron has its two jobs."""

from __future__ import annotations

from partwarden import __version__
from partwarden.aws.site import Site
from partwarden.database import connect, inspect
from partwarden.install import install, is_up_to_date
from partwarden.schedule import NoCron, ScheduledJob, schedule, scheduled


class PartwardenInstalled:
    """The schema partwarden is there, in this version."""

    name = "partwarden"

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        """That it is so."""
        with connect(self._site.login()) as connection:
            if not is_up_to_date(connection):
                return None
            return f"database {inspect(connection).database} has version {__version__}"

    def intent(self) -> str:
        """What would be done."""
        return f"install partwarden {__version__} in the database"

    def do(self) -> str:
        """Install or upgrade."""
        with connect(self._site.login()) as connection:
            report = install(connection, cluster=self._site.cluster().name)
        before = f", from {report.before}" if report.before else ""
        return f"version {__version__} is in database {report.database}{before}"


class JobsScheduled:
    """pg_cron maintains the database, and runs its monitor with the function and the topic of the stack."""

    name = "jobs"

    def __init__(self, site: Site, *, maintenance: str | None, monitor: str | None, cron_database: str | None) -> None:
        self._site = site
        self._schedules = {"maintain": maintenance, "monitor": monitor}
        self._cron_database = cron_database

    def found(self) -> str | None:
        """That it is so."""
        stack = self._site.stack()
        if stack is None:
            return None
        try:
            jobs = {job.kind: job for job in scheduled(self._site.login(), cron_database=self._cron_database)}
        except NoCron:
            return None
        with connect(self._site.login()) as connection:
            wanted = {"monitor", "maintain"} if inspect(connection).has("pg_partman") else {"monitor"}
        if not wanted <= jobs.keys() or not all(self._is_as_wanted(job) for job in jobs.values()):
            return None
        command = jobs["monitor"].command
        arns = (stack.outputs.get("FunctionArn"), stack.outputs.get("TopicArn"))
        if not all(arn is not None and f"'{arn}'" in command for arn in arns):
            return None
        return ", ".join(f"{job.name} ({job.schedule})" for job in jobs.values())

    def intent(self) -> str:
        """What would be done."""
        return "schedule maintenance and monitor of the database in pg_cron"

    def do(self) -> str:
        """Schedule both."""
        stack = self._site.standing_stack()
        report = schedule(
            self._site.login(),
            lambda_arn=stack.output("FunctionArn"),
            topic_arn=stack.output("TopicArn"),
            maintenance=self._schedules["maintain"],
            monitor=self._schedules["monitor"],
            cluster=self._site.cluster().name,
            cron_database=self._cron_database,
        )
        jobs = ", ".join(f"{job.name} ({job.schedule}) {job.change}" for job in report.jobs)
        return "\n".join([jobs, *(f"note: {note}" for note in report.notes)])

    def _is_as_wanted(self, job: ScheduledJob) -> bool:
        return job.active and self._schedules[job.kind] in (None, job.schedule)
