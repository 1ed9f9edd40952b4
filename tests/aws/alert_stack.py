"""The alert stack in an emulator, and the network that it goes into."""

from __future__ import annotations

from dataclasses import dataclass

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.stacks import Stack
from partwarden.aws.template import body

NAME = "guarded"
TAGS = {"made-by": "a test"}
ADDRESS = "dba@example.com"


@dataclass(frozen=True)
class Network:
    """A VPC with private subnets in two zones."""

    vpc: str
    subnets: tuple[str, str]

    @classmethod
    def made_in(cls, account: Account) -> Network:
        ec2 = account.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        first, second = (
            ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{account.region}{'ab'[number]}"
            )["Subnet"]["SubnetId"]
            for number in range(2)
        )
        return cls(vpc, (first, second))


def parameters(network: Network, **others: str) -> dict[str, str]:
    """The least that has to be given, and what else is."""
    return {
        "VpcId": network.vpc,
        "SubnetIds": ",".join(network.subnets),
        "NotificationEmail": ADDRESS,
        **others,
    }


def make(account: Account, network: Network, **others: str) -> Stack:
    """A new stack, or the one that is there with other parameters."""
    changes = stacks.propose(account, NAME, body(), parameters(network, **others), TAGS)
    assert changes is not None
    return stacks.execute(account, changes, lambda _: None)
