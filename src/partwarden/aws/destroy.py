"""Takes away what a deploy has made, in the order in which it can be taken: jobs, security group, role, stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from partwarden.aws import extension, stacks
from partwarden.aws.alert_stack import refuse_others
from partwarden.aws.attachment import detach_group, detach_role
from partwarden.aws.site import Site, client_group, role_on
from partwarden.aws.steps import Report, Step, Tell, what_failed
from partwarden.database import connect
from partwarden.errors import PartwardenError
from partwarden.install import installed_version, uninstall
from partwarden.schedule import NoCron, callers, unschedule_callers


class DestroyFailed(PartwardenError):
    """Something could not be taken away; the text says what is left."""


@dataclass(frozen=True)
class Removal:
    """A step that takes something away. It is done when there is nothing (any more), which ``found`` says."""

    name: str
    intention: str
    look: Callable[[], str | None]
    act: Callable[[], str]
    needs: tuple[str, ...] = ()

    def found(self) -> str | None:
        """That there is nothing to take away."""
        return self.look()

    def intent(self) -> str:
        """What would be done."""
        return self.intention

    def do(self) -> str:
        """Take it away."""
        return self.act()


class Destroy:
    """First ``plan``, then ``run``. Roles, groups and topics that others have made are left alone.

    Without a login in the site the database is left alone, and its monitor fails until somebody takes it out.
    """

    def __init__(self, site: Site, tell: Tell, *, uninstalls: bool = False, cron_database: str | None = None) -> None:
        self._site = site
        self._tell = tell
        self._cron_database = cron_database
        self._steps = self._in_database(uninstalls=uninstalls) if site.dsn is not None else []
        self._steps += [
            Removal(
                "security group",
                "take the stack's security group off the database; others stay",
                self._no_group,
                self._take_group_off,
            ),
            Removal("role", "take the stack's role off the database; others stay", self._no_role, self._take_role_off),
            Removal(
                "stack",
                f"delete stack {site.stack_name} with all that it has made",
                self._no_stack,
                self._delete_stack,
                needs=("security group", "role"),
            ),
        ]

    def plan(self) -> list[tuple[Step, str | None]]:
        """Each step, with what makes it unnecessary. Raises AwsFailed where the stack is not one of ours."""
        stack = self._site.stack()
        if stack is not None:
            refuse_others(stack)
        return [(step, step.found()) for step in self._steps]

    def run(self) -> list[Report]:
        """Take away what is there, and go on when something can't be, with all that does not depend on it.

        Raises DestroyFailed when anything is left.
        """
        reports: list[Report] = []
        failures: list[str] = []
        for number, step in enumerate(self._steps, 1):
            self._tell.begins(number, len(self._steps), step.name)
            missing = [each.name for each in reports if each.outcome == "failed" and each.name in step.needs]
            try:
                if missing:
                    raise DestroyFailed(
                        f"not tried, since the database still has its {' and its '.join(missing)}",
                        remedy="mend that first",
                    )
                there = step.found()
                report = (
                    Report(step.name, "there", there) if there is not None else Report(step.name, "done", step.do())
                )
            except (PartwardenError, psycopg.Error) as failure:
                problem, remedy = what_failed(failure)
                report = Report(step.name, "failed", problem, remedy)
                failures.append(f"{step.name}: {problem}")
            self._tell.ends(report)
            reports.append(report)
        if failures:
            remedies = [each.remedy for each in reports if each.remedy]
            raise DestroyFailed(
                "not all could be taken away: " + "; ".join(failures),
                remedy="\n".join([*dict.fromkeys(remedies), "then the same command again, which does what is left"]),
            )
        return reports

    def _in_database(self, *, uninstalls: bool) -> list[Removal]:
        steps = [
            Removal(
                "jobs",
                "take maintenance and monitor of each database that calls the function out of pg_cron",
                self._no_jobs,
                self._unschedule,
            )
        ]
        if uninstalls:
            steps.append(
                Removal(
                    "partwarden",
                    "drop the schema partwarden with the record of incidents, and aws_lambda if a deploy created it",
                    self._not_installed,
                    self._uninstall,
                    needs=("jobs",),
                )
            )
        return steps

    def _function_arn(self) -> str:
        """By its name where there is no stack any more to ask: jobs that call it may still be there."""
        account = self._site.account
        stack = self._site.stack()
        known = stack.outputs.get("FunctionArn") if stack is not None else None
        name = f"{self._site.stack_name}-alert"
        return known or f"arn:{account.partition}:lambda:{account.region}:{account.id}:function:{name}"

    def _no_jobs(self) -> str | None:
        try:
            there = callers(self._site.login(), self._function_arn(), cron_database=self._cron_database)
        except NoCron:
            return "there is no pg_cron"
        return None if there else "none calls the function"

    def _unschedule(self) -> str:
        removed = unschedule_callers(self._site.login(), self._function_arn(), cron_database=self._cron_database)
        return (
            f"removed {', '.join(removed)}\n"
            "note: partitions are not maintained any more, unless something else does; partwarden schedule DSN does"
        )

    def _not_installed(self) -> str | None:
        with connect(self._site.login()) as connection:
            if installed_version(connection) is None and not extension.is_marked(connection):
                return "it is not there"
        return None

    def _uninstall(self) -> str:
        with connect(self._site.login()) as connection:
            removed = uninstall(connection)
        with connect(self._site.login()) as connection:
            dropped = extension.remove(connection)
        done = [*(["the schema partwarden"] if removed else []), *(["aws_lambda"] if dropped else [])]
        return f"removed {' and '.join(done) or 'nothing'}"

    def _no_group(self) -> str | None:
        stack = self._site.stack()
        if stack is None:
            return "there is no stack"
        if not self._site.has_cluster:
            return "the database is gone"
        group = client_group(stack)
        if group is None or self._site.cluster().group_status(group) is None:
            return f"{self._site.cluster()} does not have it"
        return None

    def _take_group_off(self) -> str:
        group = client_group(self._site.standing_stack())
        assert group is not None
        self._tell.waits(f"taking the security group off {self._site.cluster()}")
        try:
            detach_group(self._site.account, self._site.cluster(), group)
        finally:
            self._site.forget()
        left = ", ".join(each for each, _ in self._site.cluster().security_groups)
        return f"took {group} off; {self._site.cluster()} has {left}"

    def _no_role(self) -> str | None:
        stack = self._site.stack()
        if stack is None:
            return "there is no stack"
        if not self._site.has_cluster:
            return "the database is gone"
        return f"{self._site.cluster()} does not have it" if role_on(self._site.cluster(), stack) is None else None

    def _take_role_off(self) -> str:
        role = role_on(self._site.cluster(), self._site.standing_stack())
        assert role is not None
        self._tell.waits(f"taking the role off {self._site.cluster()}; this takes RDS a minute or two")
        try:
            detach_role(self._site.account, self._site.cluster(), role.arn)
        finally:
            self._site.forget()
        return f"took {role.arn} off"

    def _no_stack(self) -> str | None:
        there = stacks.find(self._site.account, self._site.stack_name)
        return f"there is no stack {self._site.stack_name}" if there is None else None

    def _delete_stack(self) -> str:
        self._tell.waits("deleting the stack; the network interfaces of a function in a VPC may take 20 minutes to go")
        try:
            stacks.delete(self._site.account, self._site.stack_name, self._tell.resource)
        finally:
            self._site.forget()
        return f"{self._site.stack_name} is gone"
