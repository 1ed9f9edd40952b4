"""Where the workers are to live: VPC and subnets, and what leads from there to SNS and DynamoDB already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partwarden.aws.account import Account, aws_errors
from partwarden.aws.cluster import Cluster
from partwarden.errors import AwsFailed

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import VpcEndpointTypeDef

_MOST_SUBNETS = 2  # an interface endpoint costs as much again in each zone


@dataclass(frozen=True)
class Surroundings:
    """A VPC and its subnets. ``sns_groups`` are the security groups of an endpoint for SNS that is there, None without
    one; ``route_tables`` are those of the subnets that lead to no endpoint for DynamoDB.
    """

    vpc: str
    cidr: str
    subnets: tuple[str, ...]
    sns_groups: tuple[str, ...] | None
    route_tables: tuple[str, ...]
    resolves_names: bool


def beside(cluster: Cluster) -> tuple[str, tuple[str, ...]]:
    """The cluster's VPC, and two of its subnets in different zones."""
    one_each: dict[str, str] = {}
    for subnet in cluster.subnets:
        one_each.setdefault(subnet.zone, subnet.id)
    return cluster.vpc, tuple(one_each.values())[:_MOST_SUBNETS]


def look_around(account: Account, vpc: str, subnets: Sequence[str], ours: Collection[str]) -> Surroundings:
    """What is there, but for ``ours``: endpoints that the fleet's own stack has made. Raises AwsFailed."""
    ec2 = account.client("ec2")
    with aws_errors(f"could not look at {vpc} in {account}"):
        found = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
        listed = ec2.describe_subnets(SubnetIds=list(subnets))["Subnets"]
        pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        endpoints = [each for page in pages for each in page["VpcEndpoints"] if each["VpcEndpointId"] not in ours]
        tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        attributes = ("enableDnsSupport", "enableDnsHostnames")
        answers = [ec2.describe_vpc_attribute(VpcId=vpc, Attribute=each) for each in attributes]  # type: ignore[arg-type]
    strangers = [each["SubnetId"] for each in listed if each["VpcId"] != vpc]
    if strangers:
        raise AwsFailed(
            f"subnet {', '.join(strangers)} is not in {vpc}", remedy="name subnets of this VPC with --subnet"
        )
    main = next((each["RouteTableId"] for each in tables if any(a.get("Main") for a in each["Associations"])), None)
    by_subnet = {
        a["SubnetId"]: each["RouteTableId"] for each in tables for a in each["Associations"] if "SubnetId" in a
    }
    used = {table for subnet in subnets if (table := by_subnet.get(subnet, main)) is not None}
    reached = {table for each in _for(endpoints, account, "dynamodb") for table in each.get("RouteTableIds", [])}
    sns = [each for each in _for(endpoints, account, "sns") if each.get("PrivateDnsEnabled")]
    return Surroundings(
        vpc=vpc,
        cidr=found["CidrBlock"],
        subnets=tuple(subnets),
        sns_groups=tuple(group["GroupId"] for group in sns[0].get("Groups", [])) if sns else None,
        route_tables=tuple(sorted(used - reached)),
        resolves_names=all(
            answer.get(name, {}).get("Value", False)  # type: ignore[attr-defined]
            for answer, name in zip(answers, ("EnableDnsSupport", "EnableDnsHostnames"), strict=True)
        ),
    )


def _for(endpoints: Sequence[VpcEndpointTypeDef], account: Account, service: str) -> list[VpcEndpointTypeDef]:
    return [each for each in endpoints if each["ServiceName"] == f"com.amazonaws.{account.region}.{service}"]
