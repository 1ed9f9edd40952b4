"""What a VPC has of what an alert needs on its way: endpoints for SNS and Lambda, and names that lead to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partwarden.aws.account import Account, aws_errors
from partwarden.aws.cluster import Cluster
from partwarden.errors import AwsFailed

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import VpcEndpointTypeDef

SERVICES = ("sns", "lambda")
"""Whom the function publishes through, and who the database invokes the function through."""

_MOST_SUBNETS = 2  # an endpoint costs as much again in each zone


@dataclass(frozen=True)
class Endpoint:
    """An interface endpoint, for one of ``SERVICES``."""

    id: str
    service: str
    state: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """A VPC. ``cidrs`` are its ranges of addresses, the first one first; ``endpoints`` those that names lead to."""

    vpc: str
    cidrs: tuple[str, ...]
    has_dns_support: bool
    has_dns_hostnames: bool
    endpoints: tuple[Endpoint, ...]

    def endpoint(self, service: str, *, but_not: Collection[str] = ()) -> Endpoint | None:
        """The endpoint for the service, if there is one apart from those named by their ids."""
        return next((each for each in self.endpoints if each.service == service and each.id not in but_not), None)


def look(account: Account, vpc: str) -> Network:
    """What there is. Raises AwsFailed where there is no such VPC."""
    ec2 = account.client("ec2")
    with aws_errors(f"could not look at {vpc} in {account}"):
        found = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
        support = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
        hostnames = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
        pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        endpoints = [_endpoint(each, account) for page in pages for each in page["VpcEndpoints"] if _is_private(each)]
    associated = [each["CidrBlock"] for each in found.get("CidrBlockAssociationSet", []) if "CidrBlock" in each]
    return Network(
        vpc=vpc,
        cidrs=tuple(dict.fromkeys([found["CidrBlock"], *associated])),
        has_dns_support=support.get("EnableDnsSupport", {}).get("Value", False),
        has_dns_hostnames=hostnames.get("EnableDnsHostnames", {}).get("Value", False),
        endpoints=tuple(each for each in endpoints if each is not None),
    )


def refuse_without_names(network: Network) -> None:
    """Raise AwsFailed where an endpoint's name would not lead to it."""
    missing = [
        option
        for option, there in (
            ("--enable-dns-support", network.has_dns_support),
            ("--enable-dns-hostnames", network.has_dns_hostnames),
        )
        if not there
    ]
    if missing:
        raise AwsFailed(
            f"endpoints can't be used in {network.vpc}: names are not resolved to them there",
            remedy="; ".join(
                f"aws ec2 modify-vpc-attribute --vpc-id {network.vpc} {option} '{{\"Value\":true}}'"
                for option in missing
            ),
        )


def choose_subnets(cluster: Cluster, before: Collection[str]) -> tuple[str, ...]:
    """Two subnets of the database's, in different zones; those of before, where they are still among them.

    An endpoint takes one subnet in a zone at most, and is reached from the other zones too.
    """
    if before and set(before) <= {subnet.id for subnet in cluster.subnets}:
        return tuple(before)
    one_each: dict[str, str] = {}
    for subnet in cluster.subnets:
        one_each.setdefault(subnet.zone, subnet.id)
    return tuple(one_each.values())[:_MOST_SUBNETS]


def _endpoint(found: VpcEndpointTypeDef, account: Account) -> Endpoint | None:
    service = next(
        (each for each in SERVICES if found["ServiceName"] == f"com.amazonaws.{account.region}.{each}"), None
    )
    if service is None:
        return None
    groups = tuple(each["GroupId"] for each in found.get("Groups", []))
    return Endpoint(found["VpcEndpointId"], service, found["State"].lower(), groups)


def _is_private(found: VpcEndpointTypeDef) -> bool:
    """Whether the service's ordinary name leads to it."""
    return found.get("VpcEndpointType") == "Interface" and found.get("PrivateDnsEnabled", False)
