"""Whether one security group's rules let its members through to another's, worked out from the rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from partwarden.aws.account import Account, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import IpPermissionOutputTypeDef

HTTPS = 443


def reaches(account: Account, clients: Collection[str], servers: Collection[str], cidrs: Sequence[str]) -> str | None:
    """Why a member of ``clients`` does not reach a member of ``servers`` on port 443; None where it does.

    Members carry all groups of their side, and have addresses in ``cidrs``.
    """
    with aws_errors("could not read the rules of security groups"):
        pages = account.client("ec2").get_paginator("describe_security_groups")
        groups = [
            group for page in pages.paginate(GroupIds=sorted({*clients, *servers})) for group in page["SecurityGroups"]
        ]
    out = [rule for group in groups if group["GroupId"] in clients for rule in group.get("IpPermissionsEgress", [])]
    into = [rule for group in groups if group["GroupId"] in servers for rule in group.get("IpPermissions", [])]
    if not any(_allows(rule, servers, cidrs) for rule in out):
        return f"no rule lets {', '.join(sorted(clients))} out to {', '.join(sorted(servers))} on port {HTTPS}"
    if not any(_allows(rule, clients, cidrs) for rule in into):
        return f"no rule of {', '.join(sorted(servers))} lets {', '.join(sorted(clients))} in on port {HTTPS}"
    return None


def _allows(rule: IpPermissionOutputTypeDef, others: Collection[str], cidrs: Sequence[str]) -> bool:
    if rule["IpProtocol"] not in {"tcp", "-1"}:
        return False
    if rule["IpProtocol"] == "tcp" and not rule.get("FromPort", 0) <= HTTPS <= rule.get("ToPort", 65535):
        return False
    if any(pair.get("GroupId") in others for pair in rule.get("UserIdGroupPairs", [])):
        return True
    ranges = [ipaddress.ip_network(each["CidrIp"], strict=False) for each in rule.get("IpRanges", [])]
    return any(
        isinstance(home, ipaddress.IPv4Network) and isinstance(each, ipaddress.IPv4Network) and home.subnet_of(each)
        for home in map(ipaddress.ip_network, cidrs)
        for each in ranges
    )
