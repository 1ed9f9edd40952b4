"""Each hop of an alert, worked out from the rules that the stack has made; and that nothing else gets in."""

from __future__ import annotations

import pytest

from partwarden.aws.account import Account
from partwarden.aws.stacks import Stack
from tests.aws.alert_stack import Network, make
from tests.aws.packets import Interface, Rules

# Two of the subnets, and one far away.
CLIENT, SERVER, ELSEWHERE = "10.0.0.10", "10.0.1.20", "203.0.113.5"


@pytest.fixture
def network(moto_account: Account) -> Network:
    return Network.made_in(moto_account)


def new_group(account: Account, network: Network, name: str, *, goes_out: bool = True) -> str:
    """A security group that somebody else has made; as AWS makes it, it lets everything out and nothing in."""
    ec2 = account.client("ec2")
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=network.vpc)["GroupId"]
    if not goes_out:
        ec2.revoke_security_group_egress(
            GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        )
    return group


def admit(account: Account, group: str, source: str) -> None:
    account.client("ec2").authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": source}]}
        ],
    )


def endpoint(account: Account, stack: Stack, logical_id: str) -> Interface:
    """The endpoint as it lies in the VPC, with private DNS on: what a client's connection ends at."""
    (found,) = account.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[stack.resources[logical_id].physical_id])[
        "VpcEndpoints"
    ]
    assert found["VpcEndpointType"] == "Interface"
    assert found["PrivateDnsEnabled"] is True
    return Interface(frozenset(each["GroupId"] for each in found["Groups"]), SERVER)


def function(account: Account, stack: Stack) -> Interface:
    config = account.client("lambda").get_function_configuration(FunctionName=stack.output("FunctionArn"))["VpcConfig"]
    return Interface(frozenset(config["SecurityGroupIds"]), CLIENT)


def database(stack: Stack, *others: str) -> Interface:
    """A database with the stack's group, and those that it had."""
    return Interface(frozenset({stack.output("ClientSecurityGroupId"), *others}), CLIENT)


def test_both_hops_are_open_and_nothing_else_gets_in(moto_account: Account, network: Network) -> None:
    stack = make(moto_account, network)
    shut = new_group(moto_account, network, "the database's own", goes_out=False)
    stranger = Interface(frozenset({new_group(moto_account, network, "another program's")}), CLIENT)
    rules = Rules.of(moto_account)
    lambda_endpoint = endpoint(moto_account, stack, "LambdaEndpoint")
    sns_endpoint = endpoint(moto_account, stack, "SnsEndpoint")
    the_database, the_function = database(stack, shut), function(moto_account, stack)

    assert rules.let_through(the_database, lambda_endpoint)
    assert rules.let_through(the_function, sns_endpoint)

    outside = Interface(frozenset(), ELSEWHERE)
    for server in (lambda_endpoint, sns_endpoint):
        assert not rules.let_through(stranger, server)
        assert [port for port in (22, 80, 442, 444, 5432) if rules.let_through(the_database, server, port)] == []
    for server in (the_database, the_function):
        for client in (stranger, lambda_endpoint, sns_endpoint, the_database, the_function):
            assert [port for port in (443, 5432) if rules.let_through(client, server, port)] == []
    for client in (the_database, the_function, lambda_endpoint, sns_endpoint):
        assert not any(
            rule.admits(443, outside.groups, outside.address) for group in client.groups for rule in rules.egress[group]
        )


@pytest.mark.parametrize("broken", ["ingress", "egress", "mark"])
def test_a_hop_that_is_broken_on_purpose_is_seen_to_be(broken: str, moto_account: Account, network: Network) -> None:
    stack = make(moto_account, network)
    ec2 = moto_account.client("ec2")
    client = stack.output("ClientSecurityGroupId")
    door, mark = (stack.resources[name].physical_id for name in ("EndpointSecurityGroup", "EndpointMarkSecurityGroup"))
    if broken == "ingress":
        ec2.revoke_security_group_ingress(
            GroupId=door,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": client}]}
            ],
        )
    elif broken == "egress":
        ec2.revoke_security_group_egress(
            GroupId=client,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": mark}]}
            ],
        )
    where = endpoint(moto_account, stack, "LambdaEndpoint")
    if broken == "mark":
        where = Interface(where.groups - {mark}, where.address)
    assert not Rules.of(moto_account).let_through(database(stack), where)


def test_the_samples_shape_is_closed_on_both_hops(moto_account: Account, network: Network) -> None:
    """As the article's sample is shipped: the SNS endpoint's group admits only itself, while the function is in another,
    and the Lambda endpoint's group has no ingress."""
    of_sns = new_group(moto_account, network, "SNS endpoint")
    of_function = new_group(moto_account, network, "function")
    of_lambda = new_group(moto_account, network, "Lambda endpoint")
    admit(moto_account, of_sns, of_sns)
    rules = Rules.of(moto_account)
    the_database = Interface(frozenset({of_lambda}), CLIENT)
    the_function = Interface(frozenset({of_function}), CLIENT)
    assert not rules.let_through(the_database, Interface(frozenset({of_lambda}), SERVER))
    assert not rules.let_through(the_function, Interface(frozenset({of_sns}), SERVER))
    assert rules.let_through(Interface(frozenset({of_sns}), CLIENT), Interface(frozenset({of_sns}), SERVER))


def test_endpoints_that_are_there_are_opened_to_us(moto_account: Account, network: Network) -> None:
    theirs = {name: new_group(moto_account, network, f"their {name}", goes_out=False) for name in ("SNS", "Lambda")}
    stack = make(
        moto_account,
        network,
        CreateSnsEndpoint="false",
        SnsEndpointSecurityGroupId=theirs["SNS"],
        CreateLambdaEndpoint="false",
        LambdaEndpointSecurityGroupId=theirs["Lambda"],
    )
    servers = [Interface(frozenset({group}), SERVER) for group in theirs.values()]
    stranger = Interface(frozenset({new_group(moto_account, network, "another program's")}), CLIENT)
    rules = Rules.of(moto_account)
    for server in servers:
        assert rules.let_through(database(stack), server)
        assert rules.let_through(function(moto_account, stack), server)
        assert not rules.let_through(stranger, server)
        assert not rules.let_through(database(stack), server, 80)
    assert not rules.let_through(database(stack), stranger)
    assert moto_account.client("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []
    # What goes with the stack; moto forgets the rules themselves when it does.
    assert {"SnsEndpointRule", "LambdaEndpointRule"} <= set(stack.resources)


def test_one_group_for_both_endpoints_gets_one_rule(moto_account: Account, network: Network) -> None:
    shared = new_group(moto_account, network, "their endpoints")
    stack = make(
        moto_account,
        network,
        CreateSnsEndpoint="false",
        SnsEndpointSecurityGroupId=shared,
        CreateLambdaEndpoint="false",
        LambdaEndpointSecurityGroupId=shared,
    )
    rules = Rules.of(moto_account)
    assert len(rules.ingress[shared]) == 1
    assert len(rules.egress[stack.output("ClientSecurityGroupId")]) == 1
    assert rules.let_through(database(stack), Interface(frozenset({shared}), SERVER))


def test_an_endpoint_that_we_are_not_told_of_is_reached_as_far_as_it_lies_with_us(
    moto_account: Account, network: Network
) -> None:
    stack = make(moto_account, network, CreateSnsEndpoint="false")
    rules = Rules.of(moto_account)
    client = database(stack)
    out = [rule for group in client.groups for rule in rules.egress[group]]
    assert any(rule.admits(443, (), ELSEWHERE) for rule in out)
    assert not any(rule.admits(port, (), ELSEWHERE) for rule in out for port in (80, 5432))
    assert rules.let_through(client, endpoint(moto_account, stack, "LambdaEndpoint"))


def test_endpoints_are_shared_with_those_who_are_named_and_nobody_else(moto_account: Account, network: Network) -> None:
    stack = make(moto_account, network, ShareEndpointsWithCidr="10.0.0.0/16")
    group = new_group(moto_account, network, "another program's")
    rules = Rules.of(moto_account)
    server = endpoint(moto_account, stack, "SnsEndpoint")
    assert rules.let_through(Interface(frozenset({group}), CLIENT), server)
    assert not rules.let_through(Interface(frozenset({group}), CLIENT), server, 80)
    assert not rules.let_through(Interface(frozenset({group}), "10.1.0.1"), server)
    assert rules.let_through(database(stack), server)
