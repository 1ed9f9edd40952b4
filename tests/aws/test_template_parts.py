"""Each part that a VPC or an account may have already is left out where it is said to be; the rest is there."""

from __future__ import annotations

from typing import Any

import pytest

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.template import EMAIL_PARAMETERS, body, email_parameters
from partwarden.errors import AwsFailed
from tests.aws.alert_stack import ADDRESS, NAME, TAGS, Network, make, parameters

ALWAYS = {
    "ClientSecurityGroup",
    "DatabaseRole",
    "DeadLetters",
    "DeadLettersAlarm",
    "ErrorsAlarm",
    "Function",
    "FunctionInvokedWithoutWaiting",
    "FunctionRole",
    "LogGroup",
}
ENDPOINTS = {"EndpointMarkSecurityGroup", "EndpointSecurityGroup", "LambdaEndpoint", "SnsEndpoint"}
SWITCH = {"HeartbeatAlarm", "HeartbeatFilter"}
TOPIC = {"Key", "Subscription1", "Topic", "TopicPolicy"}
ALL = ALWAYS | ENDPOINTS | SWITCH | TOPIC

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
GROUP = "sg-0123456789abcdef0"

VARIANTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "everything": ({}, ALL),
    "several addresses": (
        {"NotificationEmail2": "b@example.com", "NotificationEmail5": "e@example.com"},
        ALL | {"Subscription2", "Subscription5"},
    ),
    "no first address": (
        {"NotificationEmail": "", "NotificationEmail3": "c@example.com"},
        ALL - {"Subscription1"} | {"Subscription3"},
    ),
    "their key": ({"ExistingKeyArn": KEY}, ALL - {"Key"}),
    "their topic": (
        {"ExistingTopicArn": "arn:aws:sns:us-east-1:000000000000:theirs", "NotificationEmail": ""},
        ALL - TOPIC,
    ),
    "their topic and key": (
        {
            "ExistingTopicArn": "arn:aws:sns:us-east-1:000000000000:theirs",
            "ExistingKeyArn": KEY,
            "NotificationEmail": "",
        },
        ALL - TOPIC,
    ),
    "their SNS endpoint": ({"CreateSnsEndpoint": "false"}, ALL - {"SnsEndpoint"}),
    "their Lambda endpoint": ({"CreateLambdaEndpoint": "false"}, ALL - {"LambdaEndpoint"}),
    "a NAT gateway": ({"CreateSnsEndpoint": "false", "CreateLambdaEndpoint": "false"}, ALL - ENDPOINTS),
    "no switch": ({"HeartbeatMinutes": "0"}, ALL - SWITCH),
    "one database's switch": ({"HeartbeatDatabase": "postgres", "HeartbeatMinutes": "5"}, ALL),
    "reserved": ({"ReservedConcurrency": "5", "DatabaseArn": "arn:aws:rds:us-east-1:000000000000:db:one"}, ALL),
    "shared": ({"ShareEndpointsWithCidr": "10.0.0.0/16"}, ALL),
}
# What moto's CloudFormation passes over.
NOT_IN_MOTO = {
    "",  # which it lists them as
    "DeadLettersAlarm",
    "ErrorsAlarm",
    "FunctionInvokedWithoutWaiting",
    "HeartbeatAlarm",
    "HeartbeatFilter",
    "TopicPolicy",
    *(f"Subscription{number}" for number in range(1, 6)),
}


def everything(account: Account) -> dict[str, Any]:
    """Every resource of a kind that the stack makes, and nothing of it that changes by itself."""
    ec2, sns, sqs = account.client("ec2"), account.client("sns"), account.client("sqs")
    return {
        "groups": sorted(each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]),
        "rules": sorted(
            each["SecurityGroupRuleId"] for each in ec2.describe_security_group_rules()["SecurityGroupRules"]
        ),
        "endpoints": [each["VpcEndpointId"] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]],
        "topics": [each["TopicArn"] for each in sns.list_topics()["Topics"]],
        "subscriptions": [each["SubscriptionArn"] for each in sns.list_subscriptions()["Subscriptions"]],
        "queues": sqs.list_queues().get("QueueUrls", []),
        "roles": [each["RoleName"] for each in account.client("iam").list_roles()["Roles"]],
        "functions": [each["FunctionName"] for each in account.client("lambda").list_functions()["Functions"]],
        "logs": [each["logGroupName"] for each in account.client("logs").describe_log_groups()["logGroups"]],
        "alarms": [
            each["AlarmName"] for each in account.client("cloudwatch").describe_alarms().get("MetricAlarms", [])
        ],
    }


def test_ministack_makes_what_is_wanted_says_no_change_and_deletes_it_all(ministack_account: Account) -> None:
    """All variants one after the other: most of the time goes into a new account's clients."""
    network = Network.made_in(ministack_account)
    before = everything(ministack_account)
    for variant, (others, expected) in VARIANTS.items():
        stack = make(ministack_account, network, **others)
        assert set(stack.resources) == expected, variant
        assert all(each.status == "CREATE_COMPLETE" for each in stack.resources.values())
        assert {"FunctionArn", "TopicArn", "DatabaseRoleArn", "ClientSecurityGroupId"} <= set(stack.outputs)
        assert stacks.propose(ministack_account, NAME, body(), parameters(network, **others), TAGS) is None, variant
        assert stacks.delete(ministack_account, NAME, lambda _: None)
        assert everything(ministack_account) == before, variant


def test_moto_makes_what_is_wanted_of_what_it_knows(moto_account: Account) -> None:
    network = Network.made_in(moto_account)
    ec2 = moto_account.client("ec2")
    theirs, theirs_too = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=network.vpc)["GroupId"]
        for name in ("theirs", "theirs too")
    )
    opened = {
        "CreateSnsEndpoint": "false",
        "SnsEndpointSecurityGroupId": theirs,
        "CreateLambdaEndpoint": "false",
        "LambdaEndpointSecurityGroupId": theirs_too,
    }
    rules = {"SnsEndpointRule", "LambdaEndpointRule"}
    variants = {name: VARIANTS[name] for name in ("everything", "a NAT gateway", "their topic and key")}
    for variant, (others, expected) in {**variants, "opened": (opened, ALL - ENDPOINTS | rules)}.items():
        stack = make(moto_account, network, **others)
        assert set(stack.resources) - NOT_IN_MOTO == expected - NOT_IN_MOTO, variant
        config = moto_account.client("lambda").get_function_configuration(FunctionName=stack.output("FunctionArn"))
        assert set(config["VpcConfig"]["SubnetIds"]) == set(network.subnets)
        assert config["VpcConfig"]["SecurityGroupIds"] == [stack.output("ClientSecurityGroupId")]
        assert (config["Runtime"], config["Handler"], config["Timeout"]) == ("python3.12", "index.handler", 20)
        assert stacks.propose(moto_account, NAME, body(), parameters(network, **others), TAGS) is None, variant
        assert stacks.delete(moto_account, NAME, lambda _: None)


def test_the_alarms_are_what_they_are_said_to_be(ministack_account: Account) -> None:
    stack = make(ministack_account, Network.made_in(ministack_account), HeartbeatMinutes="7")
    found = {
        each["AlarmName"]: each for each in ministack_account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    }
    assert set(found) == {f"{NAME}-heartbeat", f"{NAME}-errors", f"{NAME}-dead-letters"}
    for alarm in found.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [stack.output("TopicArn")]
        assert alarm["ActionsEnabled"]
        assert "Next" in alarm["AlarmDescription"]
    switch = found[f"{NAME}-heartbeat"]
    assert (switch["Period"], switch["EvaluationPeriods"], switch["DatapointsToAlarm"]) == (60, 7, 7)
    assert (switch["ComparisonOperator"], switch["Threshold"]) == ("LessThanThreshold", 1.0)
    assert switch["TreatMissingData"] == "breaching"
    assert {each["TreatMissingData"] for name, each in found.items() if name != switch["AlarmName"]} == {"notBreaching"}


WRONG = [
    ({"NotificationEmail": ""}, "at least one NotificationEmail"),
    ({"NotificationEmail": "not an address"}, "must be one e-mail address"),
    ({"ExistingTopicArn": "arn:aws:sns:us-east-1:000000000000:theirs"}, "every NotificationEmail must be empty"),
    ({"SubnetIds": "subnet-0"}, "must be subnets of VpcId"),
    ({"HeartbeatDatabase": 'a" || $.event = "x'}, "database's name"),
    ({"CreateSnsEndpoint": "yes"}, "CreateSnsEndpoint"),
    ({"ShareEndpointsWithCidr": "everybody"}, "IPv4 range"),
    ({"DatabaseArn": "my-cluster"}, "ARN of an RDS cluster or instance"),
    ({"HeartbeatMinutes": "1441"}, "HeartbeatMinutes"),
    ({"HeartbeatMinutes": "2"}, "must be 3 or more"),
]


def test_what_does_not_fit_is_refused_before_anything_is_made(ministack_account: Account) -> None:
    network = Network.made_in(ministack_account)
    before = everything(ministack_account)
    for wrong, told in WRONG:
        with pytest.raises(AwsFailed, match=told):
            stacks.propose(ministack_account, NAME, body(), {**parameters(network), **wrong}, TAGS)
    assert everything(ministack_account) == before


def test_an_address_that_goes_takes_no_other_with_it(ministack_account: Account) -> None:
    network = Network.made_in(ministack_account)
    make(ministack_account, network, **email_parameters([ADDRESS, "b@example.com", "c@example.com"], {}))
    before = stacks.find(ministack_account, NAME)
    assert before is not None
    wanted = email_parameters(["b@example.com", "c@example.com"], before.parameters)
    changes = stacks.propose(ministack_account, NAME, body(), {**parameters(network), **wanted}, TAGS)
    assert changes is not None
    assert [each.logical_id for each in changes.changes] == ["Subscription1"]
    stack = stacks.execute(ministack_account, changes, lambda _: None)
    assert [stack.parameters[name] for name in EMAIL_PARAMETERS][:3] == ["", "b@example.com", "c@example.com"]
    left = ministack_account.client("sns").list_subscriptions_by_topic(TopicArn=stack.output("TopicArn"))[
        "Subscriptions"
    ]
    assert sorted(each["Endpoint"] for each in left) == ["b@example.com", "c@example.com"]
