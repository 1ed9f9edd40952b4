"""A local AWS, with IAM, Lambda and SNS: ministack as a daemon on loopback, and the way of an alert through it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import importlib.util
import io
import ipaddress
import json
import os
import time
import zipfile
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from partwarden.errors import NotInstalled, StackFailed
from partwarden.local.cluster import write_private
from partwarden.local.daemon import Daemon

try:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as missing:
    raise NotInstalled(
        f"the local AWS needs {missing.name}, which is not installed", remedy="pip install 'partwarden[local]'"
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient

REGION = "us-east-1"

_ACCOUNT = "000000000000"  # ministack takes an access key of twelve digits for the root of that account
_START_SECONDS = 30
_CONFIRM_SECONDS = 10
_FUNCTION_TIMEOUT_SECONDS = 20
_RUNTIME: Final = "python3.12"
_HANDLER = "index.handler"
_POLL_SECONDS = 0.02


class LocalAws:
    """One ministack on 127.0.0.1, with its log, its pid and its port in ``folder``. It outlives this process.

    All state is in its memory: what was provisioned is gone when it stops. IAM is enforced. Anybody on this
    machine who reaches the port is its administrator, so nothing of value belongs into it.
    """

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self._daemon = Daemon(self.folder, "ministack", is_ready=_is_healthy, environment=_environment_on, port=port)
        self.log_file = self._daemon.log_file

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``, for ``endpoint_url``. Raises StackFailed before the first start."""
        return f"http://127.0.0.1:{self._daemon.port}"

    def start(self) -> bool:
        """Start it where it does not run, and wait until it answers. True if it was started.

        Raises NotInstalled without ministack, StackFailed when a chosen port is taken or it does not come up.
        """
        if importlib.util.find_spec("ministack") is None:
            raise NotInstalled(
                "the local AWS needs ministack, which is not installed", remedy="pip install 'partwarden[local]'"
            )
        return self._daemon.start()

    def stop(self) -> bool:
        """Stop it, and wait until it has. True if it was running."""
        return self._daemon.stop()

    def is_running(self) -> bool:
        """Whether *this* folder's ministack runs."""
        return self._daemon.is_running()


def _environment_on(port: int) -> Mapping[str, str]:
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass(frozen=True)
class AlertPath:
    """What the database has to know to send an alert: whom to invoke, where the mail goes, and with which key."""

    lambda_arn: str
    topic_arn: str
    database_access_key: str
    database_secret_key: str = field(repr=False)


def provision(aws: LocalAws, *, mailbox_url: str, name: str = "partwarden-alert") -> AlertPath:
    """Make the way of an alert: user of the database → function → topic → mailbox. What is there is brought up to date.

    The user may invoke this function and nothing else, the function may publish to this topic and nowhere
    else. ``mailbox_url`` becomes the topic's only subscriber; its mailbox has to be running, since the
    subscription is confirmed before this returns.

    Raises StackFailed when AWS refuses something, when the mailbox does not confirm within 10 s, and for an
    endpoint or a mailbox beyond loopback.
    """
    _require_loopback(aws.endpoint)
    _require_loopback(mailbox_url)
    account = _Account.of(aws)
    try:
        topic_arn = account.sns.create_topic(Name=name)["TopicArn"]
        _subscribe(account.sns, topic_arn, mailbox_url)
        role_arn = _make_role(account.iam, f"{name}-function", name, topic_arn)
        lambda_arn = _make_function(account.functions, name, role_arn)
        key = _make_user(account.iam, f"{name}-database", lambda_arn, aws.folder / f"{name}-database.key.json")
    except (BotoCoreError, ClientError) as error:
        raise StackFailed(
            f"the way of an alert could not be made in the local AWS at {aws.endpoint}: {error}",
            remedy=f"read {aws.log_file}",
        ) from error
    return AlertPath(lambda_arn, topic_arn, key.access_key, key.secret_key)


@dataclass(frozen=True)
class _Key:
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class _Account:
    """The local account's administrator, one client a service. Nothing of the user's own AWS set-up is read."""

    iam: IAMClient
    functions: LambdaClient
    sns: SNSClient

    @classmethod
    def of(cls, aws: LocalAws) -> _Account:
        nowhere: dict[str, tuple[None, None, str | None, None]] = {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
            "ca_bundle": (None, None, None, None),
        }
        session = boto3.session.Session(
            aws_access_key_id=_ACCOUNT,
            aws_secret_access_key="local",  # noqa: S106
            region_name=REGION,
            botocore_session=botocore.session.Session(session_vars=nowhere),
        )
        config = Config(
            connect_timeout=2,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 2},
            proxies={},
            use_dualstack_endpoint=False,
            use_fips_endpoint=False,
        )
        where = aws.endpoint
        return cls(
            iam=session.client("iam", endpoint_url=where, config=config),
            functions=session.client("lambda", endpoint_url=where, config=config),
            sns=session.client("sns", endpoint_url=where, config=config),
        )


def _subscribe(sns: SNSClient, topic_arn: str, mailbox_url: str) -> None:
    for each in sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]:
        if each["Endpoint"] != mailbox_url or not _is_confirmed(sns, each["SubscriptionArn"]):
            # Another mailbox's; or ours, still pending: it would not be asked again.
            sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    subscription = sns.subscribe(TopicArn=topic_arn, Protocol="http", Endpoint=mailbox_url, ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]

    def confirmed() -> bool:
        there = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
        return any(each["Endpoint"] == mailbox_url and _is_confirmed(sns, each["SubscriptionArn"]) for each in there)

    _wait_for(
        confirmed,
        _CONFIRM_SECONDS,
        StackFailed(
            f"the mailbox at {mailbox_url} did not confirm its subscription ({subscription}) "
            f"to {topic_arn} within {_CONFIRM_SECONDS} s",
            remedy="see that the mailbox is running, then try again",
        ),
    )


def _is_confirmed(sns: SNSClient, subscription_arn: str) -> bool:
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription_arn)["Attributes"]
    return attributes["PendingConfirmation"] == "false"


def _make_role(iam: IAMClient, role: str, function: str, topic_arn: str) -> str:
    log_group = f"arn:aws:logs:{REGION}:{_ACCOUNT}:log-group:/aws/lambda/{function}"
    trust = _policy("sts:AssumeRole", principal="lambda.amazonaws.com")
    try:
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="publish", PolicyDocument=_policy("sns:Publish", on=topic_arn))
    iam.put_role_policy(
        RoleName=role,
        PolicyName="log",
        PolicyDocument=_policy(
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", on=[log_group, f"{log_group}:*"]
        ),
    )
    return arn


def _make_function(functions: LambdaClient, name: str, role_arn: str) -> str:
    package = _package()
    try:
        there = functions.get_function_configuration(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException:
        functions.create_function(
            FunctionName=name,
            Role=role_arn,
            Runtime=_RUNTIME,
            Handler=_HANDLER,
            Timeout=_FUNCTION_TIMEOUT_SECONDS,
            Code={"ZipFile": package},
        )
    else:
        # Only what differs: a function that is being updated does not answer for a while.
        if there["CodeSha256"] != base64.b64encode(hashlib.sha256(package).digest()).decode():
            functions.update_function_code(FunctionName=name, ZipFile=package)
            _wait_until_active(functions, name)
        wanted = (role_arn, _RUNTIME, _HANDLER, _FUNCTION_TIMEOUT_SECONDS)
        if wanted != (there["Role"], there["Runtime"], there["Handler"], there["Timeout"]):
            functions.update_function_configuration(
                FunctionName=name,
                Role=role_arn,
                Runtime=_RUNTIME,
                Handler=_HANDLER,
                Timeout=_FUNCTION_TIMEOUT_SECONDS,
            )
    return _wait_until_active(functions, name)


def _wait_until_active(functions: LambdaClient, name: str) -> str:
    """Wait until the function answers; its ARN."""

    def active() -> bool:
        found = functions.get_function_configuration(FunctionName=name)
        return found["State"] == "Active" and found["LastUpdateStatus"] == "Successful"

    _wait_for(
        active,
        _START_SECONDS,
        StackFailed(
            f"the function {name} was not active within {_START_SECONDS} s",
            remedy="partwarden local stop, then start it again",
        ),
    )
    return functions.get_function_configuration(FunctionName=name)["FunctionArn"]


def _make_user(iam: IAMClient, user: str, lambda_arn: str, key_file: Path) -> _Key:
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=user)
    iam.put_user_policy(
        UserName=user, PolicyName="invoke", PolicyDocument=_policy("lambda:InvokeFunction", on=lambda_arn)
    )
    # IAM tells a secret once, when it is made; we keep it for the next time.
    kept = _Key(**json.loads(key_file.read_text())) if key_file.exists() else None
    there = [each["AccessKeyId"] for each in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]
    if kept is not None and kept.access_key in there:
        return kept
    for access_key in there:
        iam.delete_access_key(UserName=user, AccessKeyId=access_key)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    key = _Key(made["AccessKeyId"], made["SecretAccessKey"])
    write_private(key_file, json.dumps(asdict(key)))
    return key


def _policy(*actions: str, on: str | list[str] | None = None, principal: str | None = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions)}
    if on is not None:
        statement["Resource"] = on
    if principal is not None:
        statement["Principal"] = {"Service": principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _package() -> bytes:
    """The function as the zip file that Lambda takes; the same bytes for the same source."""
    source = resources.files("partwarden.aws").joinpath("alert_function.py").read_bytes()
    index = zipfile.ZipInfo("index.py")
    index.external_attr = 0o644 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(index, source, zipfile.ZIP_DEFLATED)
    return package.getvalue()


def _wait_for(condition: Callable[[], bool], seconds: float, failure: StackFailed) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise failure
        time.sleep(_POLL_SECONDS)


def _require_loopback(url: str) -> None:
    host = urlsplit(url).hostname or ""
    loopback = host == "localhost"
    with contextlib.suppress(ValueError):
        loopback = loopback or ipaddress.ip_address(host).is_loopback
    if not loopback:
        raise StackFailed(
            f"{url} is not on this machine; the local AWS never leaves 127.0.0.1", remedy="take a URL on 127.0.0.1"
        )


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
