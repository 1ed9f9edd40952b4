"""What is wanted of a fleet, and the parameters of its stack that this comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from partwarden.aws.fleet.package import Architecture
from partwarden.aws.fleet.roster import ARTICLE_PATH
from partwarden.aws.fleet.surroundings import Surroundings
from partwarden.aws.stacks import Stack
from partwarden.aws.template import EMAIL_PARAMETERS, email_parameters
from partwarden.errors import AwsFailed, BadOption

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html: a parameter's value
_LONGEST_VALUE = 4096


@dataclass(frozen=True)
class Wish:
    """What a person may want otherwise. None, or empty: as the stack has it; at first, as the template says.

    ``makes_endpoints`` is False where the VPC has another way out, a NAT gateway. ``shares_endpoints`` tells whether all of
    the VPC may use a new one for SNS, whose name it takes over for the whole VPC. ``member_topics`` are those that clusters
    name as their own; None: those that the list names now.
    """

    emails: tuple[str, ...] = ()
    topic: str | None = None
    member_topics: tuple[str, ...] | None = None
    path: str | None = None
    tag: str | None = None
    every_minutes: int | None = None
    client_group: str | None = None
    database_network: str | None = None
    user: str | None = None
    makes_endpoints: bool | None = None
    shares_endpoints: bool | None = None
    architecture: Architecture | None = None
    memory: int | None = None
    concurrency: int | None = None


def list_of(wish: Wish, there: Stack | None) -> tuple[str, str]:
    """Which list of clusters the fleet goes by: a path in Parameter Store and, if it is not empty, a tag's value.

    A path that is asked for takes the place of a tag, and the other way round.
    """
    before = there.parameters if there is not None else {}
    path = wish.path or before.get("ParameterPath") or ARTICLE_PATH
    if wish.tag is not None and wish.path is not None:
        raise BadOption("a fleet goes by one list, --path or --tag, not by both", remedy="leave one of them out")
    tag = wish.tag if wish.tag is not None else "" if wish.path is not None else before.get("TagValue", "")
    return path.rstrip("/"), tag


def parameters(
    wish: Wish, around: Surroundings, topics: Sequence[str], there: Stack | None, known: frozenset[str]
) -> dict[str, str]:
    """A value for each parameter that has to be said; where the code lies is added later.

    ``topics`` are those that the list names, ``known`` the parameters of this release's template. Raises BadOption where
    nobody would be told, AwsFailed where an endpoint's name would not lead to it.
    """
    before = {name: value for name, value in (there.parameters if there else {}).items() if name in known}
    path, tag = list_of(wish, there)
    asked: Mapping[str, object] = {
        "VpcId": around.vpc,
        "SubnetIds": ",".join(around.subnets),
        "ParameterPath": path,
        "TagValue": tag,
        "ExistingTopicArn": "" if wish.emails and wish.topic is None else wish.topic,
        "EveryMinutes": wish.every_minutes,
        "DatabaseClientSecurityGroupId": wish.client_group,
        "DatabaseNetwork": wish.database_network or (None if before else around.cidr),
        "DatabaseUser": wish.user,
        "Architecture": wish.architecture,
        "MemoryMegabytes": wish.memory,
        "MaximumConcurrency": wish.concurrency,
    }
    wanted = before | {name: str(value) for name, value in asked.items() if value is not None}
    if wish.emails or wish.topic is not None:
        wanted |= email_parameters(wish.emails, before)
    if not wanted.get("ExistingTopicArn") and not any(wanted.get(each) for each in EMAIL_PARAMETERS):
        raise BadOption(
            "nobody would be told", remedy="name an address with --email, or a topic that has subscribers with --topic"
        )
    wanted["MemberTopicArns"] = _member_topics(wish, topics)
    wanted |= _endpoints(wish, around, before)
    if wanted["CreateSnsEndpoint"] == "true" and not around.resolves_names:
        raise AwsFailed(
            f"an endpoint for SNS can't be used in {around.vpc}: names are not resolved to it there",
            remedy=f"aws ec2 modify-vpc-attribute --vpc-id {around.vpc} --enable-dns-support '{{\"Value\":true}}'; "
            "and the same with --enable-dns-hostnames; or --no-endpoints, where there is a NAT gateway",
        )
    return {name: value for name, value in wanted.items() if name in before or value}


def _member_topics(wish: Wish, topics: Sequence[str]) -> str:
    value = ",".join(sorted(set(topics if wish.member_topics is None else wish.member_topics)))
    if len(value) > _LONGEST_VALUE:
        raise BadOption(
            f"the clusters name {len(set(topics))} topics, more than CloudFormation takes in one parameter",
            remedy="say which they may be: --member-topic 'arn:aws:sns:REGION:ACCOUNT:dba-*'",
        )
    return value


def _endpoints(wish: Wish, around: Surroundings, before: Mapping[str, str]) -> dict[str, str]:
    makes = wish.makes_endpoints
    if makes is None and before:
        makes = any(
            (
                before.get("CreateSnsEndpoint") == "true",
                before.get("SnsEndpointSecurityGroupId"),
                before.get("DynamoDbRouteTableIds"),
            )
        )
    creates = makes is not False and around.sns_groups is None
    wanted = {
        "CreateSnsEndpoint": "true" if creates else "false",
        "SnsEndpointSecurityGroupId": around.sns_groups[0] if around.sns_groups else "",
        "DynamoDbRouteTableIds": ",".join(around.route_tables) if makes is not False else "",
    }
    if wish.shares_endpoints is not None or not before:
        wanted["ShareEndpointsWithCidr"] = around.cidr if creates and wish.shares_endpoints is not False else ""
    return wanted
