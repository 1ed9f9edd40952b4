"""The first step of a deploy: the alert stack, with parameters that fit the database and what its VPC has already."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from partwarden.aws import network, stacks, template
from partwarden.aws.cluster import Cluster
from partwarden.aws.network import Network
from partwarden.aws.site import TAG, Site
from partwarden.aws.stacks import ChangeSet, Stack
from partwarden.aws.steps import Tell
from partwarden.errors import AwsFailed, BadOption

KIND = "alert"


@dataclass(frozen=True)
class Wish:
    """What a person may want otherwise. None, or empty: as the stack has it; at first, as the template says.

    ``makes_endpoints`` is False where the VPC has another way out, a NAT gateway. ``shares_endpoints`` tells whether
    all of the VPC may use them: a new endpoint takes over the service's name for the whole VPC.
    """

    emails: tuple[str, ...] = ()
    topic: str | None = None
    topic_key: str | None = None
    subnets: tuple[str, ...] = ()
    makes_endpoints: bool | None = None
    shares_endpoints: bool | None = None
    heartbeat_minutes: int | None = None
    heartbeat_database: str | None = None


class AlertStack:
    """The stack, created or updated through a change set that can be seen first (``proposal``)."""

    name = "stack"

    def __init__(self, site: Site, wish: Wish, tell: Tell) -> None:
        self._site = site
        self._wish = wish
        self._tell = tell
        self.proposal: ChangeSet | None = None
        self.left_over: Stack | None = None
        self.shares_new_endpoints = False

    def found(self) -> str | None:
        """That it is up to date; else there is a proposal, or what is left of a creation that failed."""
        if self.proposal is not None:
            return None
        account, name = self._site.account, self._site.stack_name
        there = stacks.find(account, name)
        if there is not None and there.is_busy:
            self._tell.waits(f"CloudFormation is at work on stack {name} ({there.status}); waiting until it has done")
            there = stacks.settle(account, name, self._tell.resource)
        self._site.forget()
        if there is not None and there.status != "REVIEW_IN_PROGRESS":
            refuse_others(there)
        if there is not None and there.is_left_over:
            self.left_over = there
            return None
        self.proposal = self._propose(there)
        return f"{name} is up to date" if self.proposal is None else None

    def intent(self) -> str:
        """What would be done."""
        name = self._site.stack_name
        if self.left_over is not None:
            return f"delete what is left of stack {name} ({self.left_over.status}), and create it anew"
        if self.proposal is None or self.proposal.is_new:
            return f"create stack {name}"
        return f"update stack {name}"

    def do(self) -> str:
        """Execute what was proposed; delete what a failed creation has left first."""
        account, name = self._site.account, self._site.stack_name
        if self.left_over is not None:
            stacks.delete(account, name, self._tell.resource)
            self.left_over = None
            self.proposal = self._propose(None)
            if self.proposal is not None:
                self._tell.proposes(self.proposal)
        assert self.proposal is not None
        proposal, self.proposal = self.proposal, None  # a proposal is executed once
        try:
            stack = stacks.execute(account, proposal, self._tell.resource)
        finally:
            self._site.forget()
        return f"{name} is {stack.status}"

    def discard(self) -> None:
        """Leave it at the proposal."""
        if self.proposal is not None:
            stacks.discard(self._site.account, self.proposal)
            self.proposal = None

    def _propose(self, there: Stack | None) -> ChangeSet | None:
        cluster = self._site.cluster()
        has = network.look(self._site.account, cluster.vpc)
        wanted = parameters(self._wish, cluster, has, there)
        if any(wanted.get(f"Create{each}Endpoint") != "false" for each in ("Sns", "Lambda")):
            network.refuse_without_names(has)
        self.shares_new_endpoints = there is None and bool(wanted.get("ShareEndpointsWithCidr"))
        body = template.body()
        return stacks.propose(self._site.account, self._site.stack_name, body, wanted, {TAG: KIND})


def parameters(wish: Wish, cluster: Cluster, has: Network, there: Stack | None) -> dict[str, str]:
    """Each of the template's parameters that is not to be its default: by the wish, by the stack, or by the network.

    Raises BadOption where nobody would be told.
    """
    before = _before(there)
    ours = {each.physical_id for each in there.resources.values()} if there is not None else set()
    wanted = dict(before)
    wanted |= {"VpcId": cluster.vpc, "DatabaseArn": cluster.arn}
    wanted["SubnetIds"] = ",".join(
        wish.subnets
        or network.choose_subnets(cluster, [each for each in before.get("SubnetIds", "").split(",") if each])
    )
    if wish.topic is not None:
        wanted["ExistingTopicArn"] = wish.topic
    if wish.topic_key is not None:
        wanted["ExistingKeyArn"] = wish.topic_key
    if wish.emails or wish.topic is not None:
        wanted |= template.email_parameters(wish.emails, before)
    if wish.emails and wish.topic is None:
        wanted["ExistingTopicArn"] = ""
    if not wanted.get("ExistingTopicArn") and not any(wanted.get(each) for each in template.EMAIL_PARAMETERS):
        raise BadOption(
            "nobody would be told", remedy="name an address with --email, or a topic that has subscribers with --topic"
        )
    wanted |= _endpoints(wish, has, ours, before)
    if wish.heartbeat_minutes is not None:
        wanted["HeartbeatMinutes"] = str(wish.heartbeat_minutes)
    if wish.heartbeat_database is not None:
        wanted["HeartbeatDatabase"] = wish.heartbeat_database
    return {name: value for name, value in wanted.items() if value != _defaults()[name]}


def refuse_others(stack: Stack) -> None:
    """Raise AwsFailed where the stack is somebody else's; one that was made by hand from our template is not."""
    tag = stack.tags.get(TAG)
    looks_like_ours = "ClientSecurityGroup" in stack.resources or not stack.resources
    if tag != KIND and not (tag is None and looks_like_ours):
        raise AwsFailed(
            f"stack {stack.name} is there, and is not an alert stack of partwarden's",
            remedy="choose another name: --stack-name",
        )


def _endpoints(wish: Wish, has: Network, ours: set[str], before: Mapping[str, str]) -> dict[str, str]:
    makes = wish.makes_endpoints
    if makes is None and before:
        # Neither an endpoint of ours nor one that was there: the stack was made for a VPC with another way out.
        makes = any(
            before.get(f"Create{each}Endpoint") == "true" or before.get(f"{each}EndpointSecurityGroupId")
            for each in ("Sns", "Lambda")
        )
    wanted = {}
    for service, name in (("sns", "Sns"), ("lambda", "Lambda")):
        there = has.endpoint(service, but_not=ours)
        wanted[f"Create{name}Endpoint"] = "true" if makes is not False and there is None else "false"
        wanted[f"{name}EndpointSecurityGroupId"] = there.groups[0] if there is not None and there.groups else ""
    creates = "true" in (wanted["CreateSnsEndpoint"], wanted["CreateLambdaEndpoint"])
    if wish.shares_endpoints is not None or not before:
        shares = creates and wish.shares_endpoints is not False
        wanted["ShareEndpointsWithCidr"] = has.cidrs[0] if shares else ""
    return wanted


def _before(there: Stack | None) -> dict[str, str]:
    """The stack's parameters that this release's template has, too."""
    if there is None:
        return {}
    return {name: value for name, value in there.parameters.items() if name in _defaults()}


@functools.cache
def _defaults() -> Mapping[str, str | None]:
    """The template's parameters with what each is when it is not said."""
    found: dict[str, Any] = yaml.load(template.body(), Loader=_Loader)  # noqa: S506 - it makes plain values only
    return {name: str(said["Default"]) if "Default" in said else None for name, said in found["Parameters"].items()}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (!Ref, !Sub) as None."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)
