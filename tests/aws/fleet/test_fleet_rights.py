"""What the roles of a fleet may do, and what they may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from partwarden.aws.account import Account
from partwarden.aws.fleet.member import Member
from partwarden.aws.fleet.wish import Wish
from partwarden.aws.stacks import Stack
from partwarden.local.aws import LocalAws
from tests.aws.fleet.home import NAME, PATH, Home, reset_ministack

REGION = "us-east-1"
ID = "000000000000"
THEIRS = f"arn:aws:sns:{REGION}:{ID}:shop-dbas"


@dataclass(frozen=True)
class Rights:
    """The stack's roles, as ministack's IAM decides on them; its simulator passes over conditions."""

    account: Account
    stack: Stack

    def may(self, role: str, action: str, on: str, **context: str) -> bool:
        """Whether the role's policies, as they stand in the account, allow it."""
        asked = EvalContext(
            principal_arn=f"arn:aws:sts::{ID}:assumed-role/{self.name(role)}/x",
            principal_type="AssumedRole",
            principal_account=ID,
            action=action,
            resource_arn=on,
            region=REGION,
            source_ip="10.7.0.9",
            secure_transport=True,
            service_context={name.lower(): value for name, value in context.items()},
        )
        return bool(evaluate(asked, self.policies(role)).decision == "Allow")

    def policies(self, role: str) -> list[Any]:
        iam, name = self.account.client("iam"), self.name(role)
        documents: list[Any] = [
            iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
            for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        return [parse_policy_document(each) for each in documents]

    def arn(self, resource: str) -> str:
        return {
            "Queue": f"arn:aws:sqs:{REGION}:{ID}:{self.name('Queue')}",
            "DeadLetters": f"arn:aws:sqs:{REGION}:{ID}:{self.name('DeadLetters')}",
            "Table": f"arn:aws:dynamodb:{REGION}:{ID}:table/{self.name('Table')}",
        }[resource]

    def name(self, resource: str) -> str:
        return self.stack.resources[resource].physical_id.rpartition("/")[2]


@pytest.fixture(scope="module")
def rights(ministack: LocalAws) -> Iterator[Rights]:
    """The roles of a fleet that stays for all tests here, in an account that was emptied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", ministack.endpoint)
        patch.setattr("partwarden.aws.stacks._POLL_SECONDS", 0.02)
        reset_ministack(ministack.endpoint)
        account = Account.of()
        home = Home.make(account)
        home.list_members([Member("shop", "shop.example.com", topic_arn=THEIRS)])
        stack, _ = home.deploy(Wish(emails=("dba@example.com",)))
        yield Rights(account, stack)


def test_scheduler_begins_rounds_and_does_nothing_else(rights: Rights) -> None:
    dispatcher = f"arn:aws:lambda:{REGION}:{ID}:function:{NAME}-dispatcher"
    assert rights.may("SchedulerRole", "lambda:InvokeFunction", dispatcher)
    assert rights.may("SchedulerRole", "sqs:SendMessage", rights.arn("DeadLetters"))
    assert not rights.may("SchedulerRole", "lambda:InvokeFunction", dispatcher.replace("dispatcher", "worker"))
    assert not rights.may("SchedulerRole", "sqs:SendMessage", rights.arn("Queue"))
    assert not rights.may("SchedulerRole", "lambda:UpdateFunctionCode", dispatcher)


def test_only_the_schedules_of_this_fleet_take_on_the_schedulers_role(rights: Rights) -> None:
    role = rights.account.client("iam").get_role(RoleName=rights.name("SchedulerRole"))["Role"]
    document: Any = role["AssumeRolePolicyDocument"]
    [statement] = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ID},
        "ArnEquals": {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ID}:schedule-group/{NAME}"},
    }


def test_dispatcher_reads_the_list_and_sends_orders(rights: Rights) -> None:
    parameters = f"arn:aws:ssm:{REGION}:{ID}:parameter"
    log = f"arn:aws:logs:{REGION}:{ID}:log-group:/aws/lambda/{NAME}"
    assert rights.may("DispatcherRole", "ssm:GetParametersByPath", parameters + PATH)
    assert rights.may("DispatcherRole", "ssm:GetParametersByPath", f"{parameters}{PATH}/shop")
    assert rights.may("DispatcherRole", "sqs:SendMessage", rights.arn("Queue"))
    assert rights.may("DispatcherRole", "logs:PutLogEvents", f"{log}-dispatcher:log-stream:x")
    for action, on in (
        ("ssm:GetParametersByPath", f"{parameters}/production/passwords"),
        ("ssm:GetParameter", f"{parameters}{PATH}/shop/db_host"),
        ("ssm:PutParameter", f"{parameters}{PATH}/shop/db_host"),
        ("sqs:ReceiveMessage", rights.arn("Queue")),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ID}:another"),
        ("logs:PutLogEvents", f"{log}-worker:log-stream:x"),
        ("rds:DescribeDBClusters", f"arn:aws:rds:{REGION}:{ID}:cluster:shop"),
        ("rds-db:connect", f"arn:aws:rds-db:{REGION}:{ID}:dbuser:cluster-X/rds_iamuser"),
        ("dynamodb:UpdateItem", rights.arn("Table")),
        ("sns:Publish", rights.stack.output("TopicArn")),
    ):
        assert not rights.may("DispatcherRole", action, on), (action, on)


def test_workers_log_in_as_one_user_and_publish_to_known_topics(rights: Rights) -> None:
    user = f"arn:aws:rds-db:{REGION}:{ID}:dbuser:cluster-X/rds_iamuser"
    topic = rights.stack.output("TopicArn")
    for action, on in (
        ("rds-db:connect", user),
        ("sqs:ReceiveMessage", rights.arn("Queue")),
        ("sqs:DeleteMessage", rights.arn("Queue")),
        ("dynamodb:UpdateItem", rights.arn("Table")),
        ("sns:Publish", topic),
        ("sns:Publish", THEIRS),
    ):
        assert rights.may("WorkerRole", action, on), (action, on)
    for action, on in (
        ("rds-db:connect", user.replace("rds_iamuser", "postgres")),
        ("rds-db:connect", user.replace(REGION, "eu-west-1")),
        ("sqs:SendMessage", rights.arn("Queue")),
        ("sqs:ReceiveMessage", rights.arn("DeadLetters")),
        ("dynamodb:DeleteItem", rights.arn("Table")),
        ("dynamodb:Scan", rights.arn("Table")),
        ("dynamodb:UpdateItem", f"arn:aws:dynamodb:{REGION}:{ID}:table/another"),
        ("sns:Publish", f"arn:aws:sns:{REGION}:{ID}:another"),
        ("sns:Subscribe", topic),
        ("ssm:GetParametersByPath", f"arn:aws:ssm:{REGION}:{ID}:parameter{PATH}"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ID}:secret:x"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ID}:function:{NAME}-dispatcher"),
    ):
        assert not rights.may("WorkerRole", action, on), (action, on)


def test_keys_are_used_for_the_fleets_topics_only(rights: Rights) -> None:
    key = f"arn:aws:kms:{REGION}:{ID}:key/{rights.name('TopicKey')}"
    topic, sns = rights.stack.output("TopicArn"), f"sns.{REGION}.amazonaws.com"
    context = "kms:EncryptionContext:aws:sns:topicArn"
    assert rights.may("WorkerRole", "kms:GenerateDataKey", key, **{"kms:ViaService": sns, context: topic})
    assert not rights.may("WorkerRole", "kms:GenerateDataKey", key, **{"kms:ViaService": sns, context: topic + "x"})
    assert not rights.may("WorkerRole", "kms:GenerateDataKey", key, **{context: topic})
    assert not rights.may("WorkerRole", "kms:ScheduleKeyDeletion", key, **{"kms:ViaService": sns, context: topic})


def test_code_of_the_workers_does_nothing_in_ec2(rights: Rights) -> None:
    everything, function = "*", f"arn:aws:lambda:{REGION}:{ID}:function:{NAME}-worker"
    assert rights.may("WorkerRole", "ec2:CreateNetworkInterface", everything)  # Lambda itself
    source = {"lambda:SourceFunctionArn": function}
    assert not rights.may("WorkerRole", "ec2:CreateNetworkInterface", everything, **source)
    assert not rights.may("WorkerRole", "ec2:AuthorizeSecurityGroupIngress", everything)


def test_nobody_gets_in_without_tls(rights: Rights) -> None:
    """ministack speaks HTTP only, so that a policy that wants TLS keeps out even the account's root."""
    with pytest.raises(ClientError, match=r"[Dd]enied"):
        rights.account.client("sqs").send_message(QueueUrl=rights.stack.output("QueueUrl"), MessageBody="x")
    with pytest.raises(ClientError, match=r"AuthorizationError|denied|not authorized"):
        rights.account.client("sns").publish(TopicArn=rights.stack.output("TopicArn"), Message="x")


def test_schedule_names_the_round_by_the_moment_it_was_meant_for(rights: Rights) -> None:
    schedule = rights.account.client("scheduler").get_schedule(Name=rights.name("Schedule"), GroupName=NAME)
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(schedule["Target"]["Input"]) == {"round": "<aws.scheduler.scheduled-time>"}
    assert schedule["Target"]["Arn"] == f"arn:aws:lambda:{REGION}:{ID}:function:{NAME}-dispatcher"
    assert schedule["State"] == "ENABLED"
