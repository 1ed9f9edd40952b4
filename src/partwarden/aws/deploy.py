"""Makes the whole way of an alert for a database in RDS or Aurora; repeated, it does only what is left to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from partwarden.aws.alert_stack import AlertStack, Wish
from partwarden.aws.carried import GroupAttached, RoleAttached
from partwarden.aws.extension import ExtensionReady, look, refuse_impossible
from partwarden.aws.hops import Hop
from partwarden.aws.in_database import JobsScheduled, PartwardenInstalled
from partwarden.aws.proved import AlertProved, Confirmed
from partwarden.aws.site import Site
from partwarden.aws.stacks import ChangeSet, Stack
from partwarden.aws.steps import Report, Step, Tell, run
from partwarden.database import connect, inspect
from partwarden.errors import BadOption, InstallRefused


@dataclass(frozen=True)
class DatabaseWish:
    """What is wanted of the database; None, or left out: as it is, or by default."""

    admin_dsn: str | None = None
    cron_database: str | None = None
    maintenance: str | None = None
    monitor: str | None = None


@dataclass(frozen=True)
class Intention:
    """One step before it is done: what makes it done already, or else what it would do."""

    name: str
    there: str | None
    intent: str


class Deploy:
    """A deploy: first ``plan``, which changes nothing, then ``run`` or ``discard``.

    Without a login in the site, what is in AWS is made and the database is left alone.
    """

    def __init__(
        self,
        site: Site,
        wish: Wish,
        tell: Tell,
        *,
        database: DatabaseWish | None = None,
        use_attached_role: bool = False,
        wait_seconds: float = 600,
        hop: Callable[[Hop], None] = lambda _: None,
    ) -> None:
        self._site = site
        self._tell = tell
        database = database or DatabaseWish()
        self._database = database
        self._stack_step = AlertStack(site, wish, tell)
        self._confirmed = Confirmed(site, tell, seconds=wait_seconds)
        self._steps: list[Step] = [
            self._stack_step,
            RoleAttached(site, tell, use_attached=use_attached_role),
            GroupAttached(site, tell),
        ]
        if site.dsn is not None:
            self._steps += [
                ExtensionReady(site.dsn, database.admin_dsn),
                PartwardenInstalled(site),
                JobsScheduled(
                    site,
                    maintenance=database.maintenance,
                    monitor=database.monitor,
                    cron_database=database.cron_database,
                ),
            ]
        self._steps.append(self._confirmed)
        if site.dsn is not None:
            self._steps.append(AlertProved(site, tell, hop))

    @property
    def changes(self) -> ChangeSet | None:
        """What the stack's step has proposed."""
        return self._stack_step.proposal

    @property
    def left_over(self) -> Stack | None:
        """A stack that a failed creation has left, and that has to go first."""
        return self._stack_step.left_over

    @property
    def shares_new_endpoints(self) -> bool:
        """Whether endpoints would be made that all of the VPC goes through from then on."""
        return self._stack_step.shares_new_endpoints

    @property
    def waits_for(self) -> list[str]:
        """Who has not confirmed, when it has run."""
        return self._confirmed.left

    def plan(self) -> list[Intention]:
        """What is there and what would be done, step by step.

        Raises PartwardenError where it would fail anyway: no such database, no way into it, a role in the way.
        """
        if self._site.dsn is not None:
            self._refuse_impossible(self._site.dsn)
        intentions = []
        for step in self._steps:
            there = step.found()
            intentions.append(Intention(step.name, there, step.intent()))
        return intentions

    def run(self) -> list[Report]:
        """Do it. Raises DeployFailed at the first step that fails."""
        cluster = self._site.cluster()
        return run(
            self._steps,
            self._tell,
            go_on="the same command again, which goes on from there",
            go_back=f"partwarden aws destroy {cluster.option} --stack-name {self._site.stack_name}",
        )

    def discard(self) -> None:
        """Leave it at the plan."""
        self._stack_step.discard()

    def _refuse_impossible(self, dsn: str) -> None:
        """Find out before anything is made whether we get into the database, and whether it could do its part."""
        with connect(dsn) as connection:
            server = inspect(connection)
            if server.in_recovery:
                raise InstallRefused(
                    f"the login to database {server.database} leads to a reader",
                    remedy="name the cluster's writer endpoint",
                )
            if server.database in {"rdsadmin", "template0", "template1"}:
                raise BadOption(f"database {server.database} is no place for partwarden", remedy="name another")
            refuse_impossible(look(connection))
