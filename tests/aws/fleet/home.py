"""An account that a fleet can be deployed into: a VPC with two subnets, and a list of clusters."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from partwarden.aws.account import Account
from partwarden.aws.fleet.deploy import Deploy, Site
from partwarden.aws.fleet.member import Member
from partwarden.aws.fleet.package import Package
from partwarden.aws.fleet.wish import Wish
from partwarden.aws.stacks import ResourceEvent, Stack

PATH = "/check_cron_job_status"
NAME = "a-fleet"
SMALL = Package({"partwarden/aws/fleet/worker.py": b"# nothing", "rds-ca-bundle.pem": b"x"})


@dataclass(frozen=True)
class Home:
    """Where the workers are to live."""

    account: Account
    vpc: str
    subnets: tuple[str, ...]

    @classmethod
    def make(cls, account: Account) -> Home:
        """Make it, in an empty account."""
        ec2 = account.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{index}.0/24", AvailabilityZone=f"us-east-1{zone}")
            for index, zone in enumerate("ab")
        ]
        return cls(account, vpc, tuple(each["Subnet"]["SubnetId"] for each in subnets))

    @property
    def site(self) -> Site:
        return Site(self.account, NAME, self.vpc, self.subnets)

    def list_members(self, members: Iterable[Member], minutes: int = 5) -> None:
        """Put the clusters into Parameter Store, as the article has it."""
        ssm = self.account.client("ssm")
        for member in members:
            said = {
                "db_host": member.host,
                "db_port": str(member.port),
                "cron_hist_in_minutes": str(minutes),
                "sns_topic": member.topic_arn,
                "databases": " ".join(member.databases),
            }
            for name, value in said.items():
                if value:
                    ssm.put_parameter(Name=f"{PATH}/{member.name}/{name}", Value=value, Type="String", Overwrite=True)

    def deploy(self, wish: Wish, package: Package = SMALL) -> tuple[Stack, list[ResourceEvent]]:
        """Deploy, without being asked."""
        told: list[ResourceEvent] = []
        work = Deploy(self.site, wish, told.append, lambda _: package)
        work.plan()
        return work.run(), told


def reset_ministack(endpoint: str) -> None:
    """Empty the account."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    connection.request("POST", "/_ministack/reset")
    assert connection.getresponse().status == 200
    connection.close()
