"""An account with a VPC and a database server in it, every call that is made there, and all that is left there."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import boto3

from partwarden.aws.account import Account
from partwarden.aws.cluster import Cluster, find_cluster, find_instance
from partwarden.aws.hops import Hop
from partwarden.aws.stacks import ChangeSet, ResourceEvent
from partwarden.aws.steps import Report

CLUSTER = "prod"
ADDRESS = "dba@example.com"


@dataclass
class Told:
    """Who is told of steps, and remembers."""

    reports: list[Report] = field(default_factory=list)
    resources: list[ResourceEvent] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)

    def begins(self, number: int, of: int, name: str) -> None:
        pass

    def ends(self, report: Report) -> None:
        self.reports.append(report)

    def proposes(self, changes: ChangeSet) -> None:
        pass

    def resource(self, event: ResourceEvent) -> None:
        self.resources.append(event)

    def waits(self, what: str) -> None:
        self.waiting.append(what)

    def outcomes(self) -> dict[str, str]:
        return {report.name: report.outcome for report in self.reports}


@dataclass(frozen=True)
class Call:
    """One call of the API, with what was given to it."""

    service: str
    operation: str
    parameters: dict[str, Any]

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def is_reading(self) -> bool:
        return self.operation.startswith(("Describe", "List", "Get"))


@dataclass
class World:
    """The account of a test, whose calls are written down and can be made to fail."""

    account: Account
    vpc: str
    subnets: tuple[str, ...]
    group: str
    calls: list[Call]
    faults: dict[str, Exception]

    def cluster(self) -> Cluster:
        return find_cluster(self.account, CLUSTER)

    def instance(self) -> Cluster:
        return find_instance(self.account, CLUSTER)

    def changing_calls(self) -> list[str]:
        return [call.action for call in self.calls if not call.is_reading]


def make_world(account: Account) -> World:
    """A VPC with three private subnets, and a session whose calls are written down."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{account.region}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("aabc")
    ]
    subnets = (*sorted(made[:2]), *made[2:])  # two share a zone, of which the first is taken
    group = ec2.create_security_group(GroupName="database", Description="the database's own", VpcId=vpc)["GroupId"]
    account.client("rds").create_db_subnet_group(
        DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=list(subnets)
    )
    calls: list[Call] = []
    faults: dict[str, Exception] = {}
    session = boto3.session.Session()
    # Before anybody has a client: a client takes the handlers that the session has.
    session.events.register("before-parameter-build", _recorder(calls, faults))
    return World(Account.in_session(session), vpc, subnets, group, calls, faults)


def add_cluster(world: World, **more: Any) -> Cluster:
    """An Aurora cluster that carries a group of its own, as its owner has made it."""
    Account.of().client("rds").create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-postgresql",
        MasterUsername="postgres",
        MasterUserPassword="not-for-anybody",
        DBSubnetGroupName="private",
        VpcSecurityGroupIds=[world.group],
        **more,
    )
    return _forgotten(world, world.cluster())


def add_instance(world: World) -> Cluster:
    """An RDS instance that is no cluster's."""
    Account.of().client("rds").create_db_instance(
        DBInstanceIdentifier=CLUSTER,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="postgres",
        MasterUserPassword="not-for-anybody",
        DBSubnetGroupName="private",
        VpcSecurityGroupIds=[world.group],
    )
    return _forgotten(world, world.instance())


def inventory() -> set[str]:
    """All that there is in the account, of every kind that a deploy makes or touches."""
    return set(_inventory(_onlooker(os.environ["AWS_ENDPOINT_URL"])))


@functools.cache
def _onlooker(endpoint: str) -> Account:
    """An account with clients of its own, of one emulator; they take longer to make than to use."""
    assert endpoint
    return Account.in_session(boto3.session.Session())


def _inventory(account: Account) -> Iterator[str]:
    for stack in account.client("cloudformation").describe_stacks()["Stacks"]:
        yield f"stack {stack['StackName']}"
    for function in account.client("lambda").list_functions()["Functions"]:
        yield f"function {function['FunctionName']}"
    for topic in account.client("sns").list_topics()["Topics"]:
        yield f"topic {topic['TopicArn']}"
    for subscription in account.client("sns").list_subscriptions()["Subscriptions"]:
        yield f"subscription {subscription['TopicArn']} {subscription['Endpoint']}"
    for role in account.client("iam").list_roles()["Roles"]:
        yield f"role {role['RoleName']}"
    for policy in account.client("iam").list_policies(Scope="Local")["Policies"]:
        yield f"policy {policy['PolicyName']}"
    for group in account.client("ec2").describe_security_groups()["SecurityGroups"]:
        rules = json.dumps([group["IpPermissions"], group["IpPermissionsEgress"]], sort_keys=True, default=str)
        yield f"security group {group['GroupId']} {rules}"
    for endpoint in account.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]:
        if endpoint["State"].lower() != "deleted":
            yield f"endpoint {endpoint['VpcEndpointId']} {endpoint['ServiceName']}"
    for log in account.client("logs").describe_log_groups()["logGroups"]:
        yield f"log group {log['logGroupName']}"
    for queue in account.client("sqs").list_queues().get("QueueUrls", []):
        yield f"queue {queue}"
    for alarm in account.client("cloudwatch").describe_alarms()["MetricAlarms"]:
        yield f"alarm {alarm['AlarmName']}"
    kms = account.session.client("kms")
    for key in kms.list_keys()["Keys"]:
        state = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
        if state != "PendingDeletion":
            yield f"key {key['KeyId']}"
    rds = account.client("rds")
    for cluster in rds.describe_db_clusters()["DBClusters"]:
        yield from _carried(f"cluster {cluster['DBClusterIdentifier']}", cluster)
    for instance in rds.describe_db_instances()["DBInstances"]:
        yield from _carried(f"instance {instance['DBInstanceIdentifier']}", instance)


def _carried(name: str, found: Any) -> Iterator[str]:
    yield name
    for group in found["VpcSecurityGroups"]:
        yield f"{name} has {group['VpcSecurityGroupId']}"
    for role in found.get("AssociatedRoles", []):
        yield f"{name} has {role['RoleArn']} for {role.get('FeatureName')}"


def _recorder(calls: list[Call], faults: dict[str, Exception]) -> Any:
    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        call = Call(model.service_model.service_name, model.name, dict(params))
        calls.append(call)
        if call.operation in faults:
            raise faults[call.operation]

    return record


def _forgotten(world: World, made: Cluster) -> Cluster:
    """What the test itself has looked up is not the product's doing."""
    with suppress(ValueError):
        world.calls.clear()
    return made
