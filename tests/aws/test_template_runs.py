"""The stack in an AWS that runs code and enforces rights: an alert arrives, and each is refused what is not its own."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.stacks import Stack
from partwarden.local.aws import LocalAws
from partwarden.local.mailbox import Mailbox
from tests.aws.alert_stack import NAME, Network, make
from tests.aws.tls_front import TlsFront
from tests.waiting import wait_until

HEARTBEAT = {"heartbeat": {"cluster": "prod-eu", "database": "app", "at": "2026-11-23T15:17:01+00:00"}}


@pytest.fixture
def stack(ministack_account: Account) -> Stack:
    return make(ministack_account, Network.made_in(ministack_account))


@pytest.fixture
def by_tls(ministack: LocalAws, ministack_account: Account, stack: Stack) -> Iterator[None]:
    """The function reaches SNS as it does in AWS: by HTTPS."""
    with TlsFront(ministack.endpoint) as front:
        ministack_account.client("lambda").update_function_configuration(
            FunctionName=stack.output("FunctionArn"), Environment={"Variables": {"AWS_ENDPOINT_URL_SNS": front.url}}
        )
        yield


@pytest.fixture
def mailbox(ministack_account: Account, stack: Stack, tmp_path: Path) -> Iterator[Mailbox]:
    """A subscriber of the stack's topic; the emulator sends no e-mail."""
    with Mailbox(tmp_path) as box:
        sns = ministack_account.client("sns")
        sns.subscribe(TopicArn=stack.output("TopicArn"), Protocol="http", Endpoint=box.url)
        wait_until(lambda: box.url in confirmed(ministack_account, stack), "the mailbox has confirmed")
        yield box


def confirmed(account: Account, stack: Stack) -> list[str]:
    """The endpoints that the topic publishes to."""
    found = account.client("sns").list_subscriptions_by_topic(TopicArn=stack.output("TopicArn"))["Subscriptions"]
    return [each["Endpoint"] for each in found if each["SubscriptionArn"].startswith("arn:")]


def invoke(account: Account, stack: Stack, **payload: Any) -> tuple[Any, str | None]:
    answer = account.client("lambda").invoke(
        FunctionName=stack.output("FunctionArn"),
        Payload=json.dumps({"sns_topic_arn": stack.output("TopicArn"), **payload}),
    )
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def log_lines(account: Account, stack: Stack) -> list[dict[str, Any]]:
    """What the function has written into the log that the stack has made for it."""
    pages = (
        account.client("logs").get_paginator("filter_log_events").paginate(logGroupName=stack.output("LogGroupName"))
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(each) for each in messages if each.startswith("{")]


@pytest.mark.usefixtures("by_tls")
def test_an_alert_arrives_at_the_topics_subscriber(ministack_account: Account, stack: Stack, mailbox: Mailbox) -> None:
    answer, error = invoke(ministack_account, stack, message="default partition has rows", subject="[partwarden] x")
    assert error is None, answer
    mail = mailbox.wait_for(lambda mail: mail["Subject"] == "[partwarden] x", 20)
    assert mail["Message-ID"] == f"<{answer['message_id']}@sns.amazonaws.com>"


def test_the_topic_refuses_plain_http(ministack_account: Account, stack: Stack) -> None:
    answer, error = invoke(ministack_account, stack, message="x")
    assert error
    assert "AuthorizationError" in answer["errorMessage"]
    assert "explicit deny in a resource-based policy" in answer["errorMessage"]


@pytest.mark.usefixtures("by_tls")
def test_the_function_may_publish_to_its_own_topic_and_nowhere_else(ministack_account: Account, stack: Stack) -> None:
    other = ministack_account.client("sns").create_topic(Name="somebody-elses")["TopicArn"]
    assert invoke(ministack_account, stack, message="x")[1] is None
    answer, error = invoke(ministack_account, stack, message="x", sns_topic_arn=other)
    assert error
    assert f"SNS refused to publish to {other}: AuthorizationError" in answer["errorMessage"]
    role = stack.resources["FunctionRole"].physical_id
    assert f"assumed-role/{role}" in answer["errorMessage"]


def test_a_role_may_what_it_needs_and_nothing_beside_it(ministack_account: Account, stack: Stack) -> None:
    """Both roles' policies, carried by a role that we may take on: in earnest, call by call."""
    for_database = acting(ministack_account, stack, "DatabaseRole")
    for_function = acting(ministack_account, stack, "FunctionRole")
    function, topic = stack.output("FunctionArn"), stack.output("TopicArn")
    other = ministack_account.client("lambda").create_function(
        FunctionName="somebody-elses",
        Role=f"arn:aws:iam::{ministack_account.id}:role/{stack.resources['FunctionRole'].physical_id}",
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": empty_package()},
    )["FunctionArn"]
    queue = stack.output("DeadLettersUrl")
    others_topic = ministack_account.client("sns").create_topic(Name="somebody-elses")["TopicArn"]
    others_queue = ministack_account.client("sqs").create_queue(QueueName="somebody-elses")["QueueUrl"]
    ministack_account.client("logs").create_log_group(logGroupName="/aws/lambda/somebody-elses")

    allowed: list[Callable[[], object]] = [
        lambda: for_database.client("lambda").invoke(FunctionName=function, Payload=json.dumps(HEARTBEAT)),
        lambda: for_function.client("sqs").send_message(QueueUrl=queue, MessageBody="x"),
        lambda: for_function.client("logs").create_log_stream(
            logGroupName=stack.output("LogGroupName"), logStreamName="x"
        ),
        lambda: for_function.client("ec2").describe_network_interfaces(),
    ]
    refused: list[Callable[[], object]] = [
        lambda: for_database.client("lambda").invoke(FunctionName=other, Payload="{}"),
        lambda: for_database.client("lambda").get_function(FunctionName=function),
        lambda: for_database.client("sns").publish(TopicArn=others_topic, Message="x"),
        lambda: for_function.client("sns").publish(TopicArn=others_topic, Message="x"),
        lambda: for_database.client("sqs").receive_message(QueueUrl=queue),
        lambda: for_database.client("logs").describe_log_groups(),
        lambda: for_function.client("lambda").invoke(FunctionName=function, Payload=json.dumps(HEARTBEAT)),
        lambda: for_function.client("sns").list_topics(),
        lambda: for_function.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="x@example.com"),
        lambda: for_function.client("sqs").send_message(QueueUrl=others_queue, MessageBody="x"),
        lambda: for_function.client("sqs").receive_message(QueueUrl=queue),
        lambda: for_function.client("logs").create_log_stream(
            logGroupName="/aws/lambda/somebody-elses", logStreamName="x"
        ),
        lambda: for_function.client("logs").create_log_group(logGroupName="another"),
        lambda: for_function.client("ec2").create_security_group(GroupName="x", Description="x"),
        lambda: for_function.client("iam").list_roles(),
    ]
    for attempt in allowed:
        attempt()
    for attempt in refused:
        with pytest.raises(ClientError) as refusal:
            attempt()
        assert "no identity-based policy allows" in str(refusal.value)


def acting(account: Account, stack: Stack, role: str) -> Account:
    """Somebody with exactly the policies of the stack's role; nobody but a service may take on the role itself."""
    iam, name = account.client("iam"), stack.resources[role].physical_id
    policies = {
        each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    assert policies
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    return somebody(account, f"as-{role}", policies)


def somebody(account: Account, user: str, policies: Mapping[str, object]) -> Account:
    """A user of the account with these policies, as a client."""
    iam = account.client("iam")
    iam.create_user(UserName=user)
    for name, document in policies.items():
        iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return Account.in_session(
        boto3.session.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=account.region)
    )


def empty_package() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    return None\n")
    return package.getvalue()


def test_nobody_in_the_account_can_take_on_either_role(ministack_account: Account, stack: Stack) -> None:
    iam = ministack_account.client("iam")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    administrator = somebody(ministack_account, "administrator", {"everything": everything})
    for role in ("DatabaseRole", "FunctionRole"):
        arn = iam.get_role(RoleName=stack.resources[role].physical_id)["Role"]["Arn"]
        with pytest.raises(ClientError, match="AccessDenied"):
            administrator.client("sts").assume_role(RoleArn=arn, RoleSessionName="administrator")


def decides(
    policy: object, action: str, resource: str, *, service: str | None = None, caller: str = "", **context: str
) -> str:
    """What the emulator's evaluator says of a resource's policy when a service, or somebody, asks with this context."""
    return str(
        evaluate_resource_policy(
            policy if isinstance(policy, (str, dict)) else None,
            EvalContext(
                principal_arn=caller or f"arn:aws:iam::999999999999:user/{service}",
                principal_type="User",
                principal_account="999999999999",
                action=action,
                resource_arn=resource,
                region="us-east-1",
                source_ip="127.0.0.1",
                secure_transport=context.pop("tls", "yes") == "yes",
                service_context={name.replace("_", ":").lower(): value for name, value in context.items()},
            ),
            service=service,
        ).decision
    )


RDS = "rds.amazonaws.com"


@pytest.mark.parametrize("named", ["", "arn:aws:rds:us-east-1:000000000000:cluster:prod"])
def test_only_rds_for_databases_of_this_account_may_take_on_the_databases_role(
    named: str, ministack_account: Account
) -> None:
    stack = make(ministack_account, Network.made_in(ministack_account), DatabaseArn=named)
    role = ministack_account.client("iam").get_role(RoleName=stack.resources["DatabaseRole"].physical_id)["Role"]
    trust: Any = role["AssumeRolePolicyDocument"]
    arn = role["Arn"]
    ours = {"aws_SourceAccount": "000000000000", "aws_SourceArn": "arn:aws:rds:us-east-1:000000000000:cluster:prod"}

    def decision(service: str = RDS, **other: str) -> str:
        # A trust policy names no resource.
        document = {**trust, "Statement": [{**each, "Resource": "*"} for each in trust["Statement"]]}
        return decides(document, "sts:AssumeRole", arn, service=service, **{**ours, **other})

    assert decision() == "Allow"
    instance = decision(aws_SourceArn="arn:aws:rds:us-east-1:000000000000:db:another")
    assert instance == ("ImplicitDeny" if named else "Allow")
    assert decision(aws_SourceAccount="111111111111") == "ImplicitDeny"
    assert decision(aws_SourceArn="arn:aws:rds:us-east-1:111111111111:cluster:prod") == "ImplicitDeny"
    assert decision(aws_SourceArn="arn:aws:rds:eu-west-1:000000000000:cluster:prod") == "ImplicitDeny"
    assert decision(aws_SourceArn="arn:aws:rds:us-east-1:000000000000:snapshot:prod") == "ImplicitDeny"
    assert decision(service="ec2.amazonaws.com") == "ImplicitDeny"
    assert decides(trust, "sts:AssumeRole", arn, service=RDS) == "ImplicitDeny"


def test_topic_and_key_admit_this_stacks_alarms_and_no_plain_http(ministack_account: Account, stack: Stack) -> None:
    topic = stack.output("TopicArn")
    of_topic = ministack_account.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    kms = ministack_account.session.client("kms")
    key = kms.describe_key(KeyId=stack.resources["Key"].physical_id)["KeyMetadata"]["Arn"]
    of_key = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    ours = {
        "aws_SourceAccount": "000000000000",
        "aws_SourceArn": f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{NAME}-heartbeat",
    }
    cloudwatch = "cloudwatch.amazonaws.com"
    for policy, resource, actions in (
        (of_topic, topic, ["sns:Publish"]),
        (of_key, key, ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        for action in actions:
            assert decides(policy, action, resource, service=cloudwatch, **ours) == "Allow"
            for other in (
                {"aws_SourceAccount": "111111111111"},
                {"aws_SourceArn": "arn:aws:cloudwatch:us-east-1:111111111111:alarm:guarded-heartbeat"},
                {"aws_SourceArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:others-heartbeat"},
            ):
                assert decides(policy, action, resource, service=cloudwatch, **{**ours, **other}) == "ImplicitDeny"
            assert decides(policy, action, resource, service="s3.amazonaws.com", **ours) == "ImplicitDeny"
        assert decides(policy, "kms:ScheduleKeyDeletion", resource, service=cloudwatch, **ours) == "ImplicitDeny"
    owner = f"arn:aws:iam::{ministack_account.id}:root"
    assert decides(of_topic, "sns:Publish", topic, caller=owner, tls="no") == "Deny"
    assert decides(of_topic, "sns:Publish", topic, service=cloudwatch, **{**ours, "tls": "no"}) == "Deny"


def test_the_endpoints_policies_let_through_what_is_needed_and_no_more(moto_account: Account) -> None:
    """As moto keeps them, and as ministack's evaluator reads them; neither enforces them."""
    stack = make(moto_account, Network.made_in(moto_account))
    iam, ec2 = moto_account.client("iam"), moto_account.client("ec2")

    def policy(endpoint: str) -> object:
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[stack.resources[endpoint].physical_id])["VpcEndpoints"][0]
        return ast.literal_eval(found["PolicyDocument"])  # moto says it in Python's words

    roles = {
        name: iam.get_role(RoleName=stack.resources[name].physical_id)["Role"]["Arn"]
        for name in ("FunctionRole", "DatabaseRole")
    }
    function, topic = stack.output("FunctionArn"), stack.output("TopicArn")
    for endpoint, action, resource, who, other in (
        ("SnsEndpoint", "sns:Publish", topic, "FunctionRole", "arn:aws:sns:us-east-1:000000000000:other"),
        ("LambdaEndpoint", "lambda:InvokeFunction", function, "DatabaseRole", f"{function}-too"),
    ):
        stranger = "arn:aws:iam::000000000000:role/stranger"
        assert decides(policy(endpoint), action, resource, caller=roles[who]) == "Allow"
        assert decides(policy(endpoint), action, other, caller=roles[who]) == "ImplicitDeny"
        assert decides(policy(endpoint), action, resource, caller=stranger) == "ImplicitDeny"
        assert (
            decides(policy(endpoint), action.split(":")[0] + ":Delete", resource, caller=roles[who]) == "ImplicitDeny"
        )


def test_a_missing_heartbeat_is_told_to_the_topic_and_its_return_too(
    ministack_account: Account, stack: Stack, mailbox: Mailbox
) -> None:
    """The emulator looks at the points that there are, so none in a minute is put in as 0, as breaching makes of it."""
    cloudwatch = ministack_account.client("cloudwatch")
    name, namespace = stack.output("HeartbeatAlarmName"), stack.output("HeartbeatNamespace")

    def beat(count: float) -> str:
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Heartbeats", "Value": count}])
        return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]

    assert beat(0) == "ALARM"
    mail = mailbox.wait_for(lambda mail: name in mail.get_content() and '"ALARM"' in mail.get_content(), 60)
    assert "has not been heard for 10 minutes" in mail.get_content()
    assert beat(1) == "OK"
    mailbox.wait_for(lambda mail: '"NewStateValue": "OK"' in mail.get_content(), 60)


def counts(pattern: str, line: dict[str, Any]) -> bool:
    """A metric filter's pattern held against a line; of its language, equalities that are joined by and."""
    terms = [term.strip().strip("()") for term in pattern.strip("{} ").split("&&")]
    wanted = dict(term.split(" = ") for term in terms)
    return all(line.get(name.removeprefix("$.")) == json.loads(value) for name, value in wanted.items())


@pytest.mark.usefixtures("by_tls")
@pytest.mark.parametrize("database", ["", "app"])
def test_the_filter_counts_heartbeats_and_nothing_else(
    database: str, ministack_account: Account, ministack: LocalAws
) -> None:
    stack = make_again(ministack_account, database)
    invoke(ministack_account, stack, message="an alert", subject='{"event": "heartbeat", "outcome": "noted"}')
    invoke(ministack_account, stack, **HEARTBEAT)
    invoke(ministack_account, stack, heartbeat={**HEARTBEAT["heartbeat"], "database": "another"})
    invoke(ministack_account, stack, heartbeat="broken")
    wait_until(lambda: len(log_lines(ministack_account, stack)) == 4, "four lines are in the log")
    (found,) = ministack_account.client("logs").describe_metric_filters(logGroupName=stack.output("LogGroupName"))[
        "metricFilters"
    ]
    counted = [line for line in log_lines(ministack_account, stack) if counts(found["filterPattern"], line)]
    assert sorted(line["database"] for line in counted) == (["app"] if database else ["another", "app"])
    (transformed,) = found["metricTransformations"]
    assert transformed["metricNamespace"] == stack.output("HeartbeatNamespace")
    assert (transformed["metricName"], transformed["metricValue"]) == ("Heartbeats", "1")


def make_again(account: Account, database: str) -> Stack:
    """The stack of the fixtures, with the database whose heartbeat counts."""
    found = stacks.find(account, NAME)
    assert found is not None
    if not database:
        return found
    first, second = found.parameters["SubnetIds"].split(",")
    network = Network(found.parameters["VpcId"], (first, second))
    return make(account, network, HeartbeatDatabase=database)
