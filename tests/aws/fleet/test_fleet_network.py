"""How the workers reach SNS, DynamoDB and the databases: what moto makes of the stack's rules."""

from __future__ import annotations

import pytest

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.fleet import store
from partwarden.aws.fleet.wish import Wish
from tests.aws.fleet.home import NAME, Home

WISH = Wish(emails=("dba@example.com",))


@pytest.fixture
def moto_home(moto_account: Account) -> Home:
    changes = store.propose(moto_account, NAME)
    assert changes is not None
    stacks.execute(moto_account, changes, lambda _: None)  # moto can't execute the second of two proposals
    return Home.make(moto_account)


def test_endpoint_that_is_there_is_opened_and_not_made_again(moto_home: Home) -> None:
    ec2 = moto_home.account.client("ec2")
    group = ec2.create_security_group(GroupName="sns", Description="theirs", VpcId=moto_home.vpc)["GroupId"]
    for service, kind, more in (
        (
            "sns",
            "Interface",
            {"SubnetIds": list(moto_home.subnets), "SecurityGroupIds": [group], "PrivateDnsEnabled": True},
        ),
        ("dynamodb", "Gateway", {"RouteTableIds": [main_table(moto_home)]}),
    ):
        name = f"com.amazonaws.us-east-1.{service}"
        ec2.create_vpc_endpoint(VpcId=moto_home.vpc, ServiceName=name, VpcEndpointType=kind, **more)  # type: ignore[arg-type]
    stack, _ = moto_home.deploy(WISH)
    assert not {"SnsEndpoint", "DynamoDbEndpoint"} & set(stack.resources)
    assert allows(moto_home, group, stack.output("WorkerSecurityGroupId"))


def test_workers_reach_the_endpoint_and_databases_and_nobody_is_cut_off(moto_home: Home) -> None:
    stack, _ = moto_home.deploy(WISH)
    worker = stack.output("WorkerSecurityGroupId")
    endpoint = stack.resources["SnsEndpointGroup"].physical_id
    assert allows(moto_home, endpoint, worker)
    rules = moto_home.account.client("ec2").describe_security_groups(GroupIds=[worker])["SecurityGroups"][0]
    assert rules["IpPermissions"] == []
    out = {(rule["FromPort"], rule["ToPort"], rule["IpRanges"][0]["CidrIp"]) for rule in rules["IpPermissionsEgress"]}
    assert out == {(1024, 65535, "10.7.0.0/16"), (443, 443, "0.0.0.0/0")}
    into = moto_home.account.client("ec2").describe_security_groups(GroupIds=[endpoint])["SecurityGroups"][0]
    assert "10.7.0.0/16" in [each["CidrIp"] for rule in into["IpPermissions"] for each in rule["IpRanges"]]
    function = moto_home.account.client("lambda").get_function_configuration(FunctionName=f"{NAME}-worker")
    assert sorted(function["VpcConfig"]["SubnetIds"]) == sorted(moto_home.subnets)
    assert function["VpcConfig"]["SecurityGroupIds"] == [worker]
    gateway = moto_home.account.client("ec2").describe_vpc_endpoints(
        VpcEndpointIds=[stack.resources["DynamoDbEndpoint"].physical_id]
    )["VpcEndpoints"][0]
    assert gateway["RouteTableIds"] == [main_table(moto_home)]


def test_exclusive_endpoint_lets_the_workers_in_only(moto_home: Home) -> None:
    stack, _ = moto_home.deploy(Wish(emails=("dba@example.com",), shares_endpoints=False))
    group = stack.resources["SnsEndpointGroup"].physical_id
    found = moto_home.account.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert [each for rule in found["IpPermissions"] for each in rule["IpRanges"]] == []


def main_table(home: Home) -> str:
    tables = home.account.client("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [home.vpc]}])
    return tables["RouteTables"][0]["RouteTableId"]


def allows(home: Home, into: str, source: str) -> bool:
    """Whether the group lets members of another in on 443."""
    group = home.account.client("ec2").describe_security_groups(GroupIds=[into])["SecurityGroups"][0]
    return any(
        rule["FromPort"] <= 443 <= rule["ToPort"] and source in [each["GroupId"] for each in rule["UserIdGroupPairs"]]
        for rule in group["IpPermissions"]
        if "FromPort" in rule
    )
