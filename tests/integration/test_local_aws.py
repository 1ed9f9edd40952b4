"""The local AWS: a daemon that is left alone by what is not its own, and the way of an alert through it."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from partwarden.errors import NotInstalled, StackFailed
from partwarden.local.aws import AlertPath, LocalAws, provision
from partwarden.local.cluster import free_port
from partwarden.local.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient


@pytest.fixture(scope="module", autouse=True)
def nothing_of_the_users() -> Iterator[None]:
    """Settings that would lead beyond loopback or fail if they were read, and no connection beyond it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_PROFILE": "production",
            "AWS_CONFIG_FILE": "/nowhere/config",
            "AWS_ENDPOINT_URL": "http://192.0.2.1",
            "AWS_ACCESS_KEY_ID": "users",
            "AWS_SECRET_ACCESS_KEY": "own",
            "AWS_SESSION_TOKEN": "users",
            "AWS_USE_DUALSTACK_ENDPOINT": "true",
            "AWS_CA_BUNDLE": "/nowhere/ca.pem",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HTTP_PROXY": "http://127.0.0.1:1",
            "http_proxy": "http://127.0.0.1:1",
            "GATEWAY_PORT": "1",
            "PERSIST_STATE": "1",
        }.items():
            patch.setenv(name, value)
        connect = socket.socket.connect

        def connect_to_loopback(self: socket.socket, address: Any) -> None:
            if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
                raise AssertionError(f"a connection to {address}, beyond loopback")
            connect(self, address)

        patch.setattr(socket.socket, "connect", connect_to_loopback)
        yield


@dataclass(frozen=True)
class Stack:
    aws: LocalAws
    mailbox: Mailbox
    path: AlertPath


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("aws")
    aws = LocalAws(folder)
    assert aws.start()
    try:
        with Mailbox(folder / "mails", address="oncall@example.com") as mailbox:
            yield Stack(aws, mailbox, provision(aws, mailbox_url=mailbox.url))
    finally:
        assert aws.stop()


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS that has not been started."""
    made = LocalAws(tmp_path / "a folder")
    yield made
    made.stop()


@dataclass(frozen=True)
class Clients:
    functions: LambdaClient
    sns: SNSClient
    iam: IAMClient


def clients(aws: LocalAws, *key: str) -> Clients:
    """Clients with an access key and its secret; the administrator's without."""
    access_key, secret_key = key or ("000000000000", "local")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_USE_DUALSTACK_ENDPOINT", "HTTP_PROXY", "http_proxy"):
            patch.delenv(name)
        session = boto3.session.Session(access_key, secret_key, region_name="us-east-1")
        return Clients(
            functions=session.client("lambda", endpoint_url=aws.endpoint),
            sns=session.client("sns", endpoint_url=aws.endpoint),
            iam=session.client("iam", endpoint_url=aws.endpoint),
        )


def as_database(stack: Stack) -> Clients:
    return clients(stack.aws, stack.path.database_access_key, stack.path.database_secret_key)


def invoke(stack: Stack, **payload: object) -> tuple[dict[str, Any], str | None]:
    """Invoke the function as the database does; what it answered, and FunctionError."""
    event = {"sns_topic_arn": stack.path.topic_arn, **payload}
    answer = as_database(stack).functions.invoke(FunctionName=stack.path.lambda_arn, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_alert_of_the_database_becomes_a_mail(stack: Stack) -> None:
    message = "part \"2026_03\" is missing\nünï, 'quoted', 表 🔥\n\n\ttabbed\\n"
    answer, error = invoke(
        stack,
        message=message,
        subject="[partwarden] CRITICAL prod: ünï\nheadroom",
        notification_id="6f9619ff-8b86-4011-b42d-00c04fc964ff",
        attempt=2,
        incidents=[{"check": "headroom-low"}],
    )
    assert error is None
    assert (answer["repeat"], answer["cut"]) == (False, False)
    mail = stack.mailbox.wait_for(lambda mail: mail["Message-ID"] == f"<{answer['message_id']}@sns.amazonaws.com>", 20)
    assert mail["To"] == "oncall@example.com"
    assert mail["Subject"] == "[partwarden] CRITICAL prod: uni headroom"
    assert mail["X-Partwarden-Notification-Id"] == "6f9619ff-8b86-4011-b42d-00c04fc964ff"
    assert mail["X-Partwarden-Attempt"] == "2"
    body, footer = mail.get_content().split("\n\n--\n")
    assert body == message
    assert f"\n{stack.aws.endpoint}/?Action=Unsubscribe" in footer


def test_published_recipes_payload_works(stack: Stack) -> None:
    answer, error = invoke(stack, message="Maintenance failed")
    assert error is None
    mail = stack.mailbox.wait_for(lambda mail: mail["Message-ID"] == f"<{answer['message_id']}@sns.amazonaws.com>", 20)
    assert mail["Subject"] == "partwarden alert: Maintenance failed"


def test_repeated_notification_is_mailed_once(stack: Stack) -> None:
    first, _ = invoke(stack, message="once", subject="once", notification_id="repeat-1", attempt=1)
    again, error = invoke(stack, message="once", subject="once", notification_id="repeat-1", attempt=2)
    assert error is None
    assert again == {**first, "repeat": True}
    invoke(stack, message="the last", subject="the last")
    stack.mailbox.wait_for(lambda mail: mail["Subject"] == "the last", 20)
    assert [mail["Subject"] for mail in stack.mailbox.mails()].count("once") == 1


def test_message_beyond_what_sns_takes_arrives_cut_with_a_note(stack: Stack) -> None:
    message = "zu lang: " + "ü" * (150 * 1024)
    answer, error = invoke(stack, message=message, subject="cut", notification_id="x" * 128, attempt=2**31 - 1)
    assert error is None
    assert answer["cut"] is True
    body = stack.mailbox.wait_for(lambda mail: mail["Subject"] == "cut", 20).get_content().split("\n\n--\n")[0]
    kept, note = body.split("\n\n[partwarden: ")
    assert message.startswith(kept)
    assert note.startswith(f"{len(message.encode()) - len(kept.encode())} more bytes were cut")


def test_bad_payload_is_a_function_error(stack: Stack) -> None:
    answer, error = invoke(stack, message="", attempt=0)
    assert error
    assert "message must be" in answer["errorMessage"]
    assert "attempt must be" in answer["errorMessage"]


def test_function_may_publish_to_its_own_topic_only(stack: Stack) -> None:
    other = clients(stack.aws).sns.create_topic(Name="somebody-elses")["TopicArn"]
    answer, error = invoke(stack, message="x", sns_topic_arn=other)
    assert error == "Unhandled"
    assert f"SNS refused to publish to {other}: AuthorizationError" in answer["errorMessage"]
    assert "assumed-role/partwarden-alert-function" in answer["errorMessage"]


def test_database_may_invoke_this_function_and_nothing_else(stack: Stack) -> None:
    database = as_database(stack)
    other = provision(stack.aws, mailbox_url=stack.mailbox.url, name="somebody-elses").lambda_arn
    for attempt in (
        lambda: database.functions.invoke(FunctionName=other, Payload=b"{}"),
        lambda: database.functions.get_function(FunctionName=stack.path.lambda_arn),
        lambda: database.sns.publish(TopicArn=stack.path.topic_arn, Message="x"),
        lambda: database.iam.list_access_keys(UserName="partwarden-alert-database"),
    ):
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_wrong_secret_is_refused(stack: Stack) -> None:
    stranger = clients(stack.aws, stack.path.database_access_key, "wrong").functions
    with pytest.raises(ClientError, match="signature"):
        stranger.invoke(FunctionName=stack.path.lambda_arn, Payload=b"{}")


def test_provisioning_again_changes_nothing(stack: Stack) -> None:
    administrator = clients(stack.aws)
    before = administrator.functions.get_function_configuration(FunctionName=stack.path.lambda_arn)
    assert provision(stack.aws, mailbox_url=stack.mailbox.url) == stack.path
    assert provision(LocalAws(stack.aws.folder), mailbox_url=stack.mailbox.url) == stack.path
    after = administrator.functions.get_function_configuration(FunctionName=stack.path.lambda_arn)
    assert (before["RevisionId"], before["LastModified"]) == (after["RevisionId"], after["LastModified"])
    subscriptions = administrator.sns.list_subscriptions_by_topic(TopicArn=stack.path.topic_arn)["Subscriptions"]
    assert [each["Endpoint"] for each in subscriptions] == [stack.mailbox.url]
    keys = administrator.iam.list_access_keys(UserName="partwarden-alert-database")["AccessKeyMetadata"]
    assert [each["AccessKeyId"] for each in keys] == [stack.path.database_access_key]


def test_provisioning_again_repairs_what_was_changed(stack: Stack) -> None:
    administrator = clients(stack.aws)
    administrator.functions.update_function_configuration(
        FunctionName=stack.path.lambda_arn, Handler="other.handler", Timeout=3
    )
    administrator.iam.delete_role_policy(RoleName="partwarden-alert-function", PolicyName="publish")
    assert provision(stack.aws, mailbox_url=stack.mailbox.url) == stack.path
    answer, error = invoke(stack, message="repaired")
    assert error is None, answer


def test_key_file_is_for_its_owner_only(stack: Stack) -> None:
    key_file = stack.aws.folder / "partwarden-alert-database.key.json"
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert stack.path.database_secret_key in key_file.read_text()


def test_another_mailbox_takes_the_place_of_the_first(stack: Stack, tmp_path: Path) -> None:
    with Mailbox(tmp_path) as second:
        path = provision(stack.aws, mailbox_url=f"{second.url}?to=second@example.org", name="moved")
        assert provision(stack.aws, mailbox_url=second.url, name="moved") == path
        administrator = clients(stack.aws).sns
        subscriptions = administrator.list_subscriptions_by_topic(TopicArn=path.topic_arn)["Subscriptions"]
        assert [each["Endpoint"] for each in subscriptions] == [second.url]


def test_mailbox_that_does_not_confirm_is_told_and_confirms_later(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partwarden.local.aws._CONFIRM_SECONDS", 0.2)
    port = free_port()
    with pytest.raises(StackFailed, match="did not confirm its subscription"):
        provision(stack.aws, mailbox_url=f"http://127.0.0.1:{port}/", name="late")
    monkeypatch.undo()
    with Mailbox(tmp_path, port=port) as late:
        assert provision(stack.aws, mailbox_url=late.url, name="late").topic_arn.endswith(":late")


def test_nothing_beyond_loopback_is_provisioned(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for elsewhere in ("http://192.0.2.1/", "http://localhost.example.com/", "https://sns.us-east-1.amazonaws.com", ""):
        with pytest.raises(StackFailed, match="not on this machine"):
            provision(stack.aws, mailbox_url=elsewhere)
    monkeypatch.setattr(LocalAws, "endpoint", "https://sns.us-east-1.amazonaws.com")
    with pytest.raises(StackFailed, match="not on this machine"):
        provision(stack.aws, mailbox_url=stack.mailbox.url)


def test_it_listens_on_loopback_only(stack: Stack) -> None:
    port = urlsplit(stack.aws.endpoint).port or 0
    wildcard = {"00000000", "0" * 32}
    listening = [
        line.split()[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == port
    ]
    assert listening
    assert not wildcard & set(listening)


def test_second_start_finds_the_first(stack: Stack) -> None:
    again = LocalAws(stack.aws.folder)
    assert again.is_running()
    assert not again.start()
    assert again.endpoint == stack.aws.endpoint
    with pytest.raises(StackFailed, match="runs already"):
        LocalAws(stack.aws.folder, port=free_port()).start()


def test_stopped_and_started_again_it_is_empty_at_the_same_port(aws: LocalAws, tmp_path: Path) -> None:
    assert not aws.stop()
    assert not aws.is_running()
    with pytest.raises(StackFailed, match="never been started"):
        _ = aws.endpoint
    assert aws.start()
    endpoint = aws.endpoint
    with Mailbox(tmp_path / "mails") as mailbox:
        provision(aws, mailbox_url=mailbox.url)
        assert aws.stop()
        assert not aws.stop()
        assert not aws.is_running()
        assert aws.start()
        assert aws.endpoint == endpoint
        assert clients(aws).sns.list_topics()["Topics"] == []
        stack = Stack(aws, mailbox, provision(aws, mailbox_url=mailbox.url))
        answer, error = invoke(stack, message="after the restart")
        assert error is None, answer


def test_it_outlives_the_process_that_started_it(aws: LocalAws) -> None:
    program = (
        "import sys, pathlib; from partwarden.local.aws import LocalAws; LocalAws(pathlib.Path(sys.argv[1])).start()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program, str(aws.folder)], check=True, timeout=60)
    assert aws.is_running()
    assert not aws.start()
    assert aws.stop()


def test_remembered_port_that_is_taken_is_given_up(aws: LocalAws) -> None:
    aws.start()
    port = urlsplit(aws.endpoint).port or 0
    aws.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert aws.start()
        assert aws.endpoint != f"http://127.0.0.1:{port}"


def test_chosen_port_is_kept_or_refused(tmp_path: Path) -> None:
    port = free_port()
    taken = pytest.raises(StackFailed, match=f"port {port} on 127.0.0.1 is taken")
    with socket.create_server(("127.0.0.1", port)), taken:
        LocalAws(tmp_path, port=port).start()
    chosen = LocalAws(tmp_path, port=port)
    try:
        assert chosen.start()
        assert chosen.endpoint == f"http://127.0.0.1:{port}"
    finally:
        chosen.stop()


@pytest.mark.parametrize("content", ["999999999\n", "no number", ""])
def test_stale_pid_file_is_no_obstacle(content: str, aws: LocalAws) -> None:
    aws.folder.mkdir()
    (aws.folder / "ministack.pid").write_text(content)
    assert not aws.is_running()
    assert not aws.stop()
    (aws.folder / "ministack.pid").write_text(content)
    assert aws.start()
    assert aws.is_running()


def test_process_of_somebody_else_in_the_pid_file_is_left_alone(aws: LocalAws, stack: Stack) -> None:
    aws.folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()", "ministack"], stdin=subprocess.PIPE) as foreign:
        anothers = int((stack.aws.folder / "ministack.pid").read_text())
        for pid in (foreign.pid, anothers, os.getpid()):
            (aws.folder / "ministack.pid").write_text(f"{pid}\n")
            assert not aws.is_running()
            assert not aws.stop()
        assert foreign.poll() is None
        foreign.communicate(b"\n")
        assert foreign.returncode == 0
    assert stack.aws.is_running()


def test_killed_it_is_known_to_be_gone_and_starts_again(aws: LocalAws) -> None:
    aws.start()
    pid = int((aws.folder / "ministack.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not aws.is_running()
    assert aws.start()


def test_death_at_start_is_told_with_the_last_words(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = aws.folder / "broken"
    (ours / "ministack").mkdir(parents=True)
    (ours / "ministack" / "__init__.py").write_text("")
    (ours / "ministack" / "__main__.py").write_text("raise SystemExit('no room left for a stack')")
    monkeypatch.setenv("PYTHONPATH", str(ours))
    with pytest.raises(StackFailed, match="died at its start: no room left for a stack") as failure:
        aws.start()
    assert str(aws.log_file) in (failure.value.remedy or "")
    assert not aws.is_running()
    assert not (aws.folder / "ministack.pid").exists()


def test_missing_ministack_is_told_with_what_to_install(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotInstalled, match=r"pip install 'partwarden\[local\]'"):
        aws.start()


def test_missing_boto3_is_told_with_what_to_install() -> None:
    program = "import sys; sys.modules['boto3'] = None\nimport partwarden.local.aws"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "NotInstalled: the local AWS needs boto3, which is not installed\npip install" in answer.stderr
