"""Which account it is, and what AWS's errors come to."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from partwarden.aws.account import Account, aws_errors
from partwarden.errors import AwsFailed


def refusal(code: str, message: str) -> AwsFailed:
    with pytest.raises(AwsFailed) as failure, aws_errors("could not attach the role to cluster prod"):
        raise ClientError({"Error": {"Code": code, "Message": message}}, "AddRoleToDBCluster")
    return failure.value


def test_account_is_shown_without_its_session(moto_account: Account) -> None:
    assert str(moto_account) == "account 123456789012, us-east-1"
    assert "session" not in repr(moto_account)


def test_one_client_a_service(moto_account: Account) -> None:
    assert moto_account.client("rds") is moto_account.client("rds")
    assert moto_account.client("rds").meta.region_name == "us-east-1"


def test_other_region(moto_account: Account) -> None:
    assert Account.of(region="eu-central-1").client("rds").meta.region_name == "eu-central-1"


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_either_variable_gives_the_region(
    moto_account: Account, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(variable, "eu-west-1")
    assert Account.of().region == "eu-west-1"


def test_no_region_is_told(moto_account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(AwsFailed, match="no AWS region is set\nname one with --region"):
        Account.of()


def test_no_credentials_are_told(moto_account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AwsFailed, match=r"there are no AWS credentials to be had.*\nlog in again"):
        Account.of()


def test_unknown_profile_is_told(moto_account: Account) -> None:
    with pytest.raises(AwsFailed, match=r"nobodys.*\naws configure list-profiles"):
        Account.of(profile="nobodys")


def test_wrong_key_is_told_without_it(ministack_account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYSNOBODYS00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-that-is-nobodys-business")
    with pytest.raises(AwsFailed, match="AWS does not know these credentials") as failure:
        Account.of()
    assert "nobodys-business" not in str(failure.value) + str(failure.value.__cause__)


def test_missing_right_is_named_with_its_resource() -> None:
    told = refusal(
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/x is not authorized to perform: rds:AddRoleToDBCluster on resource: "
        "arn:aws:rds:eu-central-1:123456789012:cluster:prod because no identity-based policy allows it",
    )
    assert told.problem.startswith("could not attach the role to cluster prod: AccessDenied: User")
    assert (told.remedy or "").startswith(
        "have rds:AddRoleToDBCluster allowed on arn:aws:rds:eu-central-1:123456789012:cluster:prod;"
    )


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("UnauthorizedOperation", "have the action of AddRoleToDBCluster allowed"),
        ("ExpiredTokenException", "the credentials have expired"),
        ("InvalidClientTokenId", "AWS does not know these credentials"),
        ("ThrottlingException", "try again in a minute"),
    ],
)
def test_what_to_do_next(code: str, remedy: str) -> None:
    assert remedy in (refusal(code, "no").remedy or "")


def test_unreachable_aws_is_told() -> None:
    with pytest.raises(AwsFailed, match="could not look: AWS could not be reached"), aws_errors("could not look"):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def test_what_is_no_answer_of_aws_is_told_without_it(moto_account: Account) -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>please log in, hunter2<br></html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sts = moto_account.session.client("sts", endpoint_url=f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(AwsFailed, match="could not look: what came back") as failure, aws_errors("could not look"):
            sts.get_caller_identity()
        server.shutdown()
    assert "hunter2" not in str(failure.value)


def test_wrong_parameter_is_told_without_its_value(moto_account: Account) -> None:
    with (
        pytest.raises(AwsFailed, match="could not look: a parameter is not valid") as failure,
        aws_errors("could not look"),
    ):
        moto_account.client("secretsmanager").put_secret_value(SecretId="x", SecretString=["hunter2"])  # type: ignore[arg-type]
    assert "hunter2" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert isinstance(failure.value.__context__, ParamValidationError)


def test_errors_of_ours_pass_through() -> None:
    with pytest.raises(AwsFailed, match=r"^ours\n"), aws_errors("could not look"):
        raise AwsFailed("ours", remedy="mend it")


def test_missing_boto3_is_told_with_what_to_install() -> None:
    program = "import sys; sys.modules['boto3'] = None\nfrom partwarden.cli import app\n{}"
    answer = subprocess.run(
        [sys.executable, "-c", program.format("import partwarden.aws.stacks")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "NotInstalled: partwarden aws needs boto3, which is not installed\npip install" in answer.stderr
    subprocess.run([sys.executable, "-c", program.format("app(['aws', '--help'])")], check=True, timeout=60)


def test_command_without_boto3_says_what_to_install() -> None:
    program = "import sys; sys.modules['boto3'] = None\nfrom partwarden.cli import main\nmain(sys.argv[1:])"
    run = [sys.executable, "-c", program, "aws", "status", "--cluster", "prod"]
    answer = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 3
    assert "pip install 'partwarden[aws]'" in answer.stderr
