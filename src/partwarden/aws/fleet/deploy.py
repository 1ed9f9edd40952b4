"""Makes a fleet: the bucket, the package in it, and the stack; repeated, it does only what is left to do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

from partwarden.aws import stacks
from partwarden.aws.account import Account, aws_errors
from partwarden.aws.fleet import store
from partwarden.aws.fleet.package import Architecture, Package
from partwarden.aws.fleet.roster import Roster, from_parameters, from_tags
from partwarden.aws.fleet.surroundings import look_around
from partwarden.aws.fleet.wish import Wish, list_of, parameters
from partwarden.aws.stacks import ChangeSet, Stack, Tell
from partwarden.errors import AwsFailed, BadOption

KIND = "fleet"
TAG = "partwarden"
DEFAULT_NAME = "partwarden-fleet"

_NOT_MADE_YET = "not-made-yet"


@dataclass(frozen=True)
class Site:
    """Which fleet, in whose account, and where its workers are to live: None where that stays as it is."""

    account: Account
    name: str = DEFAULT_NAME
    vpc: str | None = None
    subnets: tuple[str, ...] = ()


@dataclass
class Plan:
    """What would be done. ``bucket`` is None as long as there is none; ``changes`` of the fleet's stack are None when it is
    up to date.
    """

    roster: Roster
    package: Package
    key: str
    bucket: str | None
    bucket_changes: ChangeSet | None
    is_uploaded: bool
    changes: ChangeSet | None
    left_over: Stack | None
    wanted: dict[str, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return self.bucket_changes is None and self.is_uploaded and self.changes is None and self.left_over is None


class Deploy:
    """First ``plan``, which changes nothing that stays, then ``run`` or ``discard``.

    ``pack`` makes the functions' package for an architecture.
    """

    def __init__(self, site: Site, wish: Wish, tell: Tell, pack: Callable[[Architecture], Package]) -> None:
        self._site = site
        self._wish = wish
        self._tell = tell
        self._pack = pack
        self._plan: Plan | None = None

    def plan(self) -> Plan:
        """What is there and what would be done. Raises PartwardenError where it would fail anyway."""
        account, name = self._site.account, self._site.name
        there = stacks.settle(account, name, self._tell)
        left_over = there if there is not None and there.is_left_over else None
        before = there if there is not None and there.status != "REVIEW_IN_PROGRESS" and left_over is None else None
        if before is not None:
            refuse_others(before)
        vpc, subnets = self._place(before)
        ours = {each.physical_id for each in before.resources.values()} if before is not None else set()
        around = look_around(account, vpc, subnets, ours)
        roster = read_list(account, *list_of(self._wish, before))
        topics = [each.topic_arn for each in roster.members if each.topic_arn is not None]
        wanted = parameters(self._wish, around, topics, before, template_parameters())
        architecture: Architecture = "x86_64" if wanted.get("Architecture") == "x86_64" else "arm64"
        package = self._pack(architecture)
        key = f"{package.hash}-{architecture}.zip"
        bucket = store.bucket_of(account, name)
        self._plan = Plan(
            roster=roster,
            package=package,
            key=key,
            bucket=bucket,
            bucket_changes=store.propose(account, name),
            is_uploaded=bucket is not None and store.has(account, bucket, key),
            changes=None,
            left_over=left_over,
            wanted=wanted | {"CodeKey": key},
        )
        if left_over is None:
            self._plan.changes = self._propose(bucket or _NOT_MADE_YET)
        return self._plan

    def discard(self) -> None:
        """Leave it at the plan."""
        if self._plan is not None:
            for changes in (self._plan.bucket_changes, self._plan.changes):
                if changes is not None:
                    stacks.discard(self._site.account, changes)
            self._plan = None

    def run(self) -> Stack:
        """Do it, and remove packages that no longer are in use. Raises PartwardenError; the same command goes on."""
        assert self._plan is not None
        account, name, plan = self._site.account, self._site.name, self._plan
        if plan.bucket_changes is not None:
            stacks.execute(account, plan.bucket_changes, self._tell)
        bucket = store.bucket_of(account, name)
        if bucket is None:
            raise AwsFailed(f"stack {store.stack_name(name)} has no bucket", remedy="run the same command again")
        if not store.has(account, bucket, plan.key):
            store.put(account, bucket, plan.key, plan.package.to_zip())
        if plan.left_over is not None:
            stacks.delete(account, name, self._tell)
        if plan.left_over is not None or bucket != plan.bucket:
            # The first proposal named a bucket that there was not. It goes by itself when this one is executed.
            plan.changes = self._propose(bucket)
        if plan.changes is not None:
            stack = stacks.execute(account, plan.changes, self._tell)
        else:
            found = stacks.find(account, name)
            assert found is not None
            stack = found
        self._plan = None
        store.keep_only(account, bucket, {plan.key})
        return stack

    def _place(self, before: Stack | None) -> tuple[str, Sequence[str]]:
        said = before.parameters if before is not None else {}
        vpc = self._site.vpc or said.get("VpcId")
        subnets = self._site.subnets or [each for each in said.get("SubnetIds", "").split(",") if each]
        if not vpc or not subnets:
            raise BadOption(
                "where the workers are to live is not said",
                remedy="--beside CLUSTER takes the cluster's VPC and subnets; or name them, --vpc and --subnet",
            )
        return vpc, subnets

    def _propose(self, bucket: str) -> ChangeSet | None:
        assert self._plan is not None
        wanted = self._plan.wanted | {"CodeBucket": bucket}
        return stacks.propose(self._site.account, self._site.name, body(), wanted, {TAG: KIND})


def read_list(account: Account, path: str, tag: str) -> Roster:
    """The clusters of the fleet, as the dispatcher sees them."""
    if tag:
        with aws_errors(f"could not list the clusters of RDS with the tag partwarden:fleet={tag}"):
            return from_tags(account.client("rds"), tag)
    with aws_errors(f"could not read the clusters below {path} in Parameter Store"):
        return from_parameters(account.client("ssm"), path)


def refuse_others(stack: Stack) -> None:
    """Raise AwsFailed where the stack is somebody else's; one that was made by hand from our template is not."""
    if stack.tags.get(TAG) not in (None, KIND) or "Dispatcher" not in stack.resources:
        raise AwsFailed(
            f"stack {stack.name} is there, and is not a fleet of partwarden's", remedy="choose another name: --name"
        )


def body() -> str:
    """The template as it is sent to CloudFormation."""
    return resources.files("partwarden.aws").joinpath("fleet.yaml").read_text(encoding="utf-8")


@functools.cache
def template_parameters() -> frozenset[str]:
    """The parameters that this release's template has."""
    found: Mapping[str, Any] = yaml.load(body(), Loader=_Loader)  # noqa: S506 - it makes plain values only
    return frozenset(found["Parameters"])


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (!Ref, !Sub) as None."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)
