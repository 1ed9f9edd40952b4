"""Whether a packet gets through, worked out from the rules of security groups as EC2 describes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from partwarden.aws.account import Account


@dataclass(frozen=True)
class Rule:
    """One permission: to or from these groups and ranges, on these ports of this protocol."""

    protocol: str
    first_port: int
    last_port: int
    groups: frozenset[str]
    ranges: tuple[str, ...]

    def admits(self, port: int, groups: Collection[str], address: str) -> bool:
        """Whether TCP on ``port`` is permitted with a peer that carries these groups and has this address."""
        if self.protocol == "tcp":
            if not self.first_port <= port <= self.last_port:
                return False
        elif self.protocol != "-1":
            return False
        peer = ipaddress.ip_address(address)
        return not self.groups.isdisjoint(groups) or any(peer in ipaddress.ip_network(each) for each in self.ranges)


@dataclass(frozen=True)
class Interface:
    """A network interface of somebody: the groups that it carries, and its address."""

    groups: frozenset[str]
    address: str


@dataclass(frozen=True)
class Rules:
    """All rules of all groups of an account and region."""

    ingress: Mapping[str, tuple[Rule, ...]]
    egress: Mapping[str, tuple[Rule, ...]]

    @classmethod
    def of(cls, account: Account) -> Rules:
        """As EC2 describes them now."""
        pages = account.client("ec2").get_paginator("describe_security_groups").paginate()
        found: list[Any] = [each for page in pages for each in page["SecurityGroups"]]
        return cls(
            ingress={each["GroupId"]: tuple(map(_rule, each["IpPermissions"])) for each in found},
            egress={each["GroupId"]: tuple(map(_rule, each["IpPermissionsEgress"])) for each in found},
        )

    def let_through(self, client: Interface, server: Interface, port: int = 443) -> bool:
        """Whether the client may open a TCP connection: let out by one of its groups, and in by one of the server's."""
        return _any(self.egress, client.groups, port, server) and _any(self.ingress, server.groups, port, client)


def _any(rules: Mapping[str, Iterable[Rule]], groups: Collection[str], port: int, peer: Interface) -> bool:
    return any(rule.admits(port, peer.groups, peer.address) for group in groups for rule in rules[group])


def _rule(permission: Mapping[str, Any]) -> Rule:
    return Rule(
        protocol=str(permission["IpProtocol"]),
        first_port=int(permission.get("FromPort", 0)),
        last_port=int(permission.get("ToPort", 65535)),
        groups=frozenset(pair["GroupId"] for pair in permission.get("UserIdGroupPairs", [])),
        ranges=tuple(
            [each["CidrIp"] for each in permission.get("IpRanges", [])]
            + [each["CidrIpv6"] for each in permission.get("Ipv6Ranges", [])]
        ),
    )
