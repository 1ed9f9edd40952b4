"""aws_lambda for a plain PostgreSQL, against a local AWS that runs handlers and knows who may call them."""

from __future__ import annotations

import base64
import contextlib
import http.server
import io
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import boto3
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from partwarden.errors import InstallRefused, NotInstalled
from partwarden.local.aws_lambda import install_aws_lambda, uninstall_aws_lambda
from partwarden.local.cluster import free_port
from tests.servers import Database, Server
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

pytestmark = pytest.mark.one_server

ACCOUNT = "123456789012"
REGION = "us-east-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo"

HANDLERS = """
import pathlib, sys, time

def echo(event, context):
    print("handler says hello")
    return event

def fail(event, context):
    raise ValueError('no such "city": ' + event["city"])

def write_after(event, context):
    time.sleep(event["seconds"])
    pathlib.Path(event["path"]).write_text("written")
    return "written"

def return_error(event, context):
    return {"statusCode": 500, "body": "swallowed"}

def nothing(event, context):
    return None
"""


@dataclass(frozen=True)
class Answer:
    status_code: int
    payload: Any
    executed_version: str | None
    log_result: str | None


@dataclass(frozen=True)
class LambdaService:
    """A running local AWS with IAM on and the handlers above deployed."""

    endpoint: str
    functions: LambdaClient
    iam: IAMClient

    def user(self, name: str, *, allowed_actions: tuple[str, ...]) -> tuple[str, str]:
        """Access key and secret of a new user who may do only that."""
        self.iam.create_user(UserName=name)
        if allowed_actions:
            statement = {"Effect": "Allow", "Action": list(allowed_actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=document)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def arn(self, name: str, region: str = REGION) -> str:
        return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
        return bool(response.status == 200)
    return False


@pytest.fixture(scope="session")
def lambda_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaService]:
    endpoint = f"http://127.0.0.1:{free_port()}"
    folder = tmp_path_factory.mktemp("ministack")
    environment = {
        "PATH": os.environ["PATH"],
        "GATEWAY_PORT": endpoint.rpartition(":")[2],
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "true",
        "HOME": str(folder),
    }
    with (folder / "log").open("wb") as log:
        program = Path(sys.executable).with_name("ministack")
        process = subprocess.Popen([program], env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(f"{endpoint}/_ministack/health"), "ministack answers")
        session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="root", region_name=REGION)
        service = LambdaService(
            endpoint, session.client("lambda", endpoint_url=endpoint), session.client("iam", endpoint_url=endpoint)
        )
        deploy_handlers(service)
        yield service
    finally:
        process.terminate()
        process.wait(timeout=20)


def deploy_handlers(service: LambdaService) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = service.iam.create_role(RoleName="handlers", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", HANDLERS)
    for name in re.findall(r"^def (\w+)", HANDLERS, re.MULTILINE):
        service.functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role,
            Handler=f"index.{name}",
            Code={"ZipFile": archive.getvalue()},
            Timeout=2,
        )
    service.functions.publish_version(FunctionName="echo")
    service.functions.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """An empty database, in which nobody has installed anything."""
    made = Database(server, server.new_name())
    with psycopg.connect(server.cluster.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template template0").format(sql.Identifier(made.name)))
    yield made
    server.drop_database(made)


@pytest.fixture
def connection(server: Server, database: Database, lambda_service: LambdaService) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection to a fresh database with aws_lambda, whose server's keys may do anything."""
    server.write_aws_credentials(ACCOUNT, "root")
    with database.connect() as connection:
        install_aws_lambda(connection)
        direct(connection, lambda_service.endpoint)
        yield connection


def direct(connection: psycopg.Connection[Any], endpoint: str) -> None:
    connection.execute("select set_config('aws_lambda.endpoint_override', %s, false)", (endpoint,))


def invoke(connection: psycopg.Connection[Any], arguments: LiteralString, *values: object) -> Answer:
    with connection.cursor(row_factory=class_row(Answer)) as cursor:
        cursor.execute("select * from aws_lambda.invoke(" + arguments + ")", values or None)
        answer = cursor.fetchone()
    assert answer is not None
    return answer


def failure(connection: psycopg.Connection[Any], arguments: LiteralString, *values: object) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        invoke(connection, arguments, *values)
    return caught.value


# What a procedure for RDS relies on


@pytest.mark.parametrize("kind", ["json", "jsonb"])
def test_function_named_by_text_gets_the_payload_and_its_answer_comes_back(
    connection: psycopg.Connection[Any], kind: str
) -> None:
    row = connection.execute(
        "select status_code, payload, executed_version, log_result, pg_typeof(payload)::text "
        f"from aws_lambda.invoke('echo', '{{\"city\": \"Bath\"}}'::{kind})"
    ).fetchone()
    assert row == (200, {"city": "Bath"}, "$LATEST", None, kind)


@pytest.mark.parametrize("kind", ["json", "jsonb"])
def test_function_named_by_the_composite_type_gets_the_payload_and_its_answer_comes_back(
    connection: psycopg.Connection[Any], kind: str
) -> None:
    row = connection.execute(
        "select status_code, payload, executed_version, log_result, pg_typeof(payload)::text from aws_lambda.invoke("
        f"aws_commons.create_lambda_function_arn('echo', 'us-east-1'), '{{\"city\": \"Bath\"}}'::{kind})"
    ).fetchone()
    assert row == (200, {"city": "Bath"}, "$LATEST", None, kind)


@pytest.mark.parametrize("kind", ["json", "jsonb"])
def test_every_parameter_can_be_given_by_name(connection: psycopg.Connection[Any], kind: str) -> None:
    rest = f"invocation_type => 'RequestResponse', log_type => 'None', context => '{{}}'::{kind}, qualifier => 'live')"
    by_text = (
        f"select status_code from aws_lambda.invoke(function_name => 'echo', payload => '1'::{kind}, region => %s, "
    )
    by_type = (
        "select status_code from aws_lambda.invoke(function_name => "
        f"aws_commons.create_lambda_function_arn(function_name => 'echo', region => %s), payload => '1'::{kind}, "
    )
    for statement in (by_text, by_type):
        assert connection.execute((statement + rest).encode(), (REGION,)).fetchone() == (200,)


def test_json_payload_is_sent_as_it_is_written_and_comes_back_so(connection: psycopg.Connection[Any]) -> None:
    text = '{"b": 1,   "a": 2, "note": "\\"quoted\\", new\\nline, ünï, 漢字, 🐘"}'
    answer = invoke(connection, "'echo', %s::json", text)
    assert answer.payload == json.loads(text)
    assert invoke(connection, "'echo', %s::jsonb", text).payload == json.loads(text)


def test_text_that_psql_made_of_the_composite_type_is_understood(
    connection: psycopg.Connection[Any], lambda_service: LambdaService
) -> None:
    row = connection.execute(
        "select aws_commons.create_lambda_function_arn(%s, %s)::text", (lambda_service.arn("echo"), REGION)
    ).fetchone()
    assert row is not None
    assert row[0].startswith("(arn:aws:lambda:")
    assert invoke(connection, f"'{row[0]}', '1'::json").payload == 1
    assert "conflicts" in str(failure(connection, f"'{row[0]}', '1'::json, 'eu-west-1'"))


def test_function_can_be_named_in_short_and_in_full(
    connection: psycopg.Connection[Any], lambda_service: LambdaService
) -> None:
    for name in ("echo", lambda_service.arn("echo")):
        assert invoke(connection, "%s, '[1, 2]'::jsonb", name).payload == [1, 2]


def test_event_is_accepted_at_once_and_runs_later(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = tmp_path / "event"
    payload = json.dumps({"seconds": 0.3, "path": str(file)})
    answer = invoke(connection, "'write_after', %s::json, invocation_type => 'Event'", payload)
    assert (answer.status_code, answer.payload, answer.log_result) == (202, None, None)
    assert not file.exists()
    wait_until(file.exists, "the event has run")


def test_dry_run_answers_204_and_runs_nothing(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = tmp_path / "dry-run"
    payload = json.dumps({"seconds": 0, "path": str(file)})
    answer = invoke(connection, "'write_after', %s::json, invocation_type => 'DryRun'", payload)
    assert (answer.status_code, answer.payload) == (204, None)
    # the next call of the same function comes after it
    invoke(connection, "'write_after', %s::json", json.dumps({"seconds": 0, "path": str(tmp_path / "next")}))
    assert not file.exists()


def test_tail_returns_the_end_of_the_log_in_base64(connection: psycopg.Connection[Any]) -> None:
    answer = invoke(connection, "'echo', '{}'::json, log_type => 'Tail'")
    assert answer.log_result is not None
    assert "handler says hello" in base64.b64decode(answer.log_result).decode()


def test_qualifier_chooses_the_version(connection: psycopg.Connection[Any], lambda_service: LambdaService) -> None:
    arn = lambda_service.arn("echo")
    assert invoke(connection, "'echo', '1'::json, qualifier => 'live'").executed_version == "1"
    assert invoke(connection, "'echo:live', '1'::json").executed_version == "1"
    assert invoke(connection, "%s, '1'::json", f"{arn}:live").executed_version == "1"
    assert invoke(connection, "%s, '1'::json, qualifier => 'live'", f"{arn}:live").executed_version == "1"
    assert invoke(connection, "%s, '1'::json", f"{arn}:$LATEST").executed_version == "$LATEST"


def test_answer_of_a_handler_that_swallows_its_error_is_a_success_to_sql(connection: psycopg.Connection[Any]) -> None:
    answer = invoke(connection, "'return_error', '{}'::json")
    assert (answer.status_code, answer.payload["statusCode"]) == (200, 500)


def test_handler_that_returns_nothing_gives_json_null(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("select payload::text from aws_lambda.invoke('nothing', '{}'::jsonb)").fetchone()
    assert row == ("null",)


def test_settings_of_the_session_are_seen_inside(
    connection: psycopg.Connection[Any], lambda_service: LambdaService
) -> None:
    connection.execute("reset aws_lambda.endpoint_override")
    with connection.transaction():
        connection.execute(f"set local aws_lambda.endpoint_override = '{lambda_service.endpoint}/'".encode())
        assert invoke(connection, "'echo', '1'::json").payload == 1
    assert connection.execute("show search_path").fetchone() == ('"$user", public',)


# Arguments that can't be right


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("null::text, '{}'::json", "function_name must not be null"),
        ("null::aws_commons._lambda_function_arn_1, '{}'::jsonb", "function_name must not be null"),
        ("aws_commons.create_lambda_function_arn(null), '{}'::jsonb", "function_name must not be null"),
        ("'echo', null::json", "payload must not be null"),
        ("'echo', null::jsonb", "payload must not be null"),
        ("'', '{}'::json", 'invalid function name ""'),
        ("'../echo', '{}'::json", 'invalid function name "../echo"'),
        ("'arn:aws:s3:::bucket', '{}'::json", 'invalid function name "arn:aws:s3:::bucket"'),
        ("'echo', '{}'::json, invocation_type => 'event'", "invalid invocation_type 'event'"),
        ("'echo', '{}'::json, invocation_type => null", "invalid invocation_type null"),
        ("'echo', '{}'::json, log_type => 'tail'", "invalid log_type 'tail'"),
        ("'echo', '{}'::json, 'evil.example/'", 'invalid region "evil.example/"'),
        (
            f"'{ARN}', '{{}}'::json, 'eu-west-1'",
            f'region "eu-west-1" conflicts with the ARN "{ARN}"',
        ),
        (
            f"aws_commons.create_lambda_function_arn('{ARN}', 'eu-west-1'), '{{}}'::json",
            f'region "eu-west-1" conflicts with the ARN "{ARN}"',
        ),
        ("'echo:live', '{}'::json, qualifier => '2'", 'qualifier "2" conflicts with the ARN "echo:live"'),
    ],
)
def test_impossible_argument_is_refused_before_anything_is_sent(
    connection: psycopg.Connection[Any], arguments: LiteralString, message: str
) -> None:
    direct(connection, "http://127.0.0.1:1")
    error = failure(connection, arguments)
    assert error.diag.message_primary == message
    assert error.sqlstate in ("22023", "22004")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("endpoint_override", "localhost:4566"),
        ("endpoint_override", "http://user:password@localhost"),
        ("connect_timeout_ms", "soon"),
        ("request_timeout_ms", "0"),
    ],
)
def test_impossible_setting_is_named(connection: psycopg.Connection[Any], setting: str, value: str) -> None:
    connection.execute("select set_config(%s, %s, false)", (f"aws_lambda.{setting}", value))
    error = failure(connection, "'echo', '1'::json")
    assert error.diag.message_primary == f'invalid value for parameter "aws_lambda.{setting}": "{value}"'


def test_region_comes_from_the_servers_environment_or_is_missed(connection: psycopg.Connection[Any]) -> None:
    assert invoke(connection, "'echo', '1'::json").payload == 1
    forget_region = "import os\nfor name in ('AWS_REGION', 'AWS_DEFAULT_REGION'): os.environ.pop(name, None)"
    connection.execute(f"do $$\n{forget_region}\n$$ language plpython3u".encode())
    error = failure(connection, "'echo', '1'::json")
    assert error.diag.message_primary == "no region given for the Lambda function"
    assert invoke(connection, "'echo', '1'::json, %s", REGION).payload == 1


# Errors, as the provider words them


def test_exception_in_the_handler_is_an_error_with_its_type_and_message(
    connection: psycopg.Connection[Any], lambda_service: LambdaService
) -> None:
    arn = lambda_service.arn("fail")
    error = failure(connection, '%s, \'{"city": "Ünï"}\'::json', arn)
    assert error.diag.message_primary == "lambda invocation failed"
    assert error.sqlstate == "38000"
    shape = re.fullmatch(
        r'"(.+?)" returned error "Unhandled", details: "(.*)"\.', error.diag.message_detail or "", re.DOTALL
    )
    assert shape is not None
    assert shape[1] == arn
    details = json.loads(shape[2])
    assert details["errorMessage"] == 'no such "city": Ünï'
    assert details["errorType"]


def test_error_can_be_caught_and_leaves_the_transaction_usable(connection: psycopg.Connection[Any]) -> None:
    connection.execute("create table seen (message text, detail text)")
    connection.execute(
        """do $$
        declare detail text;
        begin
            perform aws_lambda.invoke('fail', '{"city": "Bath"}'::json);
        exception when others then
            get stacked diagnostics detail = pg_exception_detail;
            insert into seen values (sqlerrm, detail);
        end $$"""
    )
    row = connection.execute("select message, detail from seen").fetchone()
    assert row is not None
    assert row[0] == "lambda invocation failed"
    assert row[1].startswith('"fail" returned error "Unhandled"')


def test_functions_own_timeout_is_a_function_error(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    connection.execute("set aws_lambda.request_timeout_ms = 20000")
    payload = json.dumps({"seconds": 30, "path": str(tmp_path / "never")})
    error = failure(connection, "'write_after', %s::json", payload)
    assert error.diag.message_primary == "lambda invocation failed"
    assert "timed out after 2" in (error.diag.message_detail or "")


def test_sql_gives_up_first_and_the_function_goes_on(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    connection.execute("set aws_lambda.request_timeout_ms = 200")
    payload = json.dumps({"seconds": 1, "path": str(tmp_path / "later")})
    error = failure(connection, "'write_after', %s::json", payload)
    assert error.diag.message_primary == "invoke API failed"
    assert error.diag.message_detail == "AWS Lambda client returned 'curlCode: 28, Timeout was reached'."
    assert "request_timeout_ms = 200" in (error.diag.message_hint or "")
    assert not (tmp_path / "later").exists()
    wait_until((tmp_path / "later").exists, "the function has ended")


def test_missing_function_is_named(connection: psycopg.Connection[Any]) -> None:
    error = failure(connection, "'nowhere', '{}'::json")
    assert error.diag.message_primary == "invoke API failed"
    assert error.sqlstate == "39000"
    assert re.fullmatch(
        r"AWS Lambda client returned 'Function not found: arn:\S+:function:nowhere\S*'\.",
        error.diag.message_detail or "",
    )


def test_endpoint_that_is_down_is_a_connection_error(connection: psycopg.Connection[Any]) -> None:
    port = free_port()
    direct(connection, f"http://127.0.0.1:{port}")
    error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_primary == "invoke API failed"
    assert error.diag.message_detail == "AWS Lambda client returned 'Unable to connect to endpoint'."
    assert error.diag.message_hint == f"127.0.0.1:{port}: Connection refused"


def test_host_that_has_no_address_is_a_connection_error(connection: psycopg.Connection[Any]) -> None:
    direct(connection, "http://no-such-host.invalid:4566")
    error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_detail == "AWS Lambda client returned 'Unable to connect to endpoint'."


def test_endpoint_that_accepts_no_connection_is_given_up_after_connect_timeout(
    connection: psycopg.Connection[Any],
) -> None:
    with socket.socket() as listener, contextlib.ExitStack() as callers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # more than the queue holds, so that the next one waits
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        direct(connection, f"http://127.0.0.1:{listener.getsockname()[1]}")
        connection.execute("set aws_lambda.connect_timeout_ms = 150")
        error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_detail == "AWS Lambda client returned 'Unable to connect to endpoint'."
    assert "connect_timeout_ms = 150" in (error.diag.message_hint or "")


# Whose keys


def test_user_who_may_invoke_gets_through_and_the_signature_counts(
    connection: psycopg.Connection[Any], server: Server, lambda_service: LambdaService
) -> None:
    key, secret = lambda_service.user(f"invoker-{server.major}", allowed_actions=("lambda:InvokeFunction",))
    server.write_aws_credentials(key, secret)
    name = lambda_service.arn("echo") + ":live"  # an encoded path and a query, both signed
    assert invoke(connection, '%s, \'{"note": "ünï"}\'::json, context => \'{"a": 1}\'', name).status_code == 200

    server.write_aws_credentials(key, "not" + secret)
    error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_primary == "invoke API failed"
    assert "signature" in (error.diag.message_detail or "")
    assert secret not in str(error.diag.message_detail) + str(error.diag.context)


def test_user_who_may_not_invoke_is_told_so(
    connection: psycopg.Connection[Any], server: Server, lambda_service: LambdaService
) -> None:
    key, secret = lambda_service.user(f"reader-{server.major}", allowed_actions=("lambda:GetFunction",))
    server.write_aws_credentials(key, secret)
    error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_primary == "invoke API failed"
    assert error.diag.message_detail is not None
    assert "is not authorized to perform: lambda:InvokeFunction" in error.diag.message_detail


def test_unknown_key_is_refused(connection: psycopg.Connection[Any], server: Server) -> None:
    server.write_aws_credentials("AKIAUNKNOWNUNKNOWN00", "secret")
    error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_detail is not None
    assert "security token included in the request is invalid" in error.diag.message_detail


def test_missing_credentials_are_an_error_that_says_where_they_are_looked_for(
    connection: psycopg.Connection[Any], server: Server
) -> None:
    server.credentials_file.unlink()
    error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_primary == "invoke API failed"
    assert error.diag.message_detail == "AWS Lambda client returned 'Unable to locate credentials'."
    assert "AWS_SHARED_CREDENTIALS_FILE" in (error.diag.message_hint or "")


def test_key_with_a_character_that_no_header_takes_is_refused_without_showing_it(
    connection: psycopg.Connection[Any], server: Server
) -> None:
    connection.execute(
        "do $$\nimport os\nos.environ.update(AWS_ACCESS_KEY_ID='AKIA', AWS_SECRET_ACCESS_KEY='hush', "
        "AWS_SESSION_TOKEN='hush-hush' + chr(10))\n$$ language plpython3u"
    )
    error = failure(connection, "'echo', '{}'::json")
    assert "a character that does not belong into a key" in (error.diag.message_detail or "")
    assert "hush" not in whole_text(error)


# Peers that behave like no service should, or like a service in trouble


@dataclass
class Peer:
    """A real HTTP server that answers every request with the same bytes, and remembers what it was asked."""

    endpoint: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextlib.contextmanager
def peer(
    status: int,
    body: bytes | Callable[[dict[str, str]], bytes],
    headers: dict[str, str] | None = None,
    *,
    pause: float = 0,
    context: ssl.SSLContext | None = None,
) -> Iterator[Peer]:
    this = Peer()
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = {name.lower(): value for name, value in self.headers.items()}
            this.requests.append((self.path, asked, self.rfile.read(int(asked["content-length"]))))
            answer = body(asked) if callable(body) else body
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                for position in range(len(answer)):
                    self.wfile.write(answer[position : position + 1])
                    if pause and over.wait(pause):
                        return

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        if context is not None:
            listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        this.endpoint = f"http{'s' if context else ''}://localhost:{listening.server_port}"
        try:
            yield this
        finally:
            over.set()
            listening.shutdown()
            thread.join()


def whole_text(error: psycopg.Error) -> str:
    diag = error.diag
    return f"{diag.message_primary} {diag.message_detail} {diag.message_hint} {diag.context}"


def test_throttling_is_an_error_with_the_services_words(connection: psycopg.Connection[Any]) -> None:
    body = b'{"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded."}'
    with peer(429, body, {"X-Amzn-ErrorType": "TooManyRequestsException", "Retry-After": "1"}) as service:
        direct(connection, service.endpoint)
        error = failure(connection, "'echo', '{}'::json")
    assert error.diag.message_primary == "invoke API failed"
    assert error.diag.message_detail == "AWS Lambda client returned 'Rate Exceeded.'."
    assert len(service.requests) == 1


def test_error_without_words_is_told_by_its_kind_and_status(connection: psycopg.Connection[Any]) -> None:
    with peer(502, b"<html>bad gateway</html>") as service:
        direct(connection, service.endpoint)
        assert "'HTTP status 502'" in whole_text(failure(connection, "'echo', '{}'::json"))
    with peer(500, b"{}", {"X-Amzn-ErrorType": "ServiceException:http://internal.amazon.com/"}) as service:
        direct(connection, service.endpoint)
        assert "'ServiceException HTTP status 500'" in whole_text(failure(connection, "'echo', '{}'::json"))


def test_request_is_what_the_service_expects(
    connection: psycopg.Connection[Any], lambda_service: LambdaService
) -> None:
    with peer(200, b"{}") as service:
        direct(connection, service.endpoint + "/behind/")
        arguments: LiteralString = (
            "%s, '{\"b\":1,  \"a\":2}'::json, log_type => 'Tail', context => '{\"c\": \"ü\"}', qualifier => '$LATEST'"
        )
        invoke(connection, arguments, lambda_service.arn("echo", "us-west-2"))
    path, headers, body = service.requests[0]
    assert path == (
        f"/behind/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-west-2%3A{ACCOUNT}%3Afunction%3Aecho/invocations"
        "?Qualifier=%24LATEST"
    )
    assert body == b'{"b":1,  "a":2}'
    assert headers["x-amz-invocation-type"] == "RequestResponse"
    assert headers["x-amz-log-type"] == "Tail"
    assert base64.b64decode(headers["x-amz-client-context"]).decode() == '{"c": "ü"}'
    assert f"Credential={ACCOUNT}/" in headers["authorization"]
    assert "/us-west-2/lambda/aws4_request" in headers["authorization"]


def test_partial_arn_is_sent_as_it_is_but_for_its_qualifier(connection: psycopg.Connection[Any]) -> None:
    with peer(200, b"{}") as service:
        direct(connection, service.endpoint)
        invoke(connection, "%s, '1'::jsonb", f"{ACCOUNT}:function:echo:live")
    path, _, _ = service.requests[0]
    assert path == f"/2015-03-31/functions/{ACCOUNT}%3Afunction%3Aecho/invocations?Qualifier=live"


def test_no_secret_is_shown_when_the_service_repeats_the_request(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "do $$\nimport os\nos.environ.update(AWS_ACCESS_KEY_ID='ASIAEXAMPLEEXAMPLE00', "
        "AWS_SECRET_ACCESS_KEY='hush-hush-hush-hush', AWS_SESSION_TOKEN='token-of-the-session')\n$$ language plpython3u"
    )
    with peer(403, lambda headers: json.dumps({"message": f"no hush-hush-hush-hush, {headers}"}).encode()) as service:
        direct(connection, service.endpoint)
        error = failure(connection, "'echo', '{}'::json")
    assert service.requests[0][1]["x-amz-security-token"] == "token-of-the-session"
    text = whole_text(error)
    assert "x-amz-security-token" in text
    for secret in ("token-of-the-session", "hush", "ASIAEXAMPLE"):
        assert secret not in text


def test_answer_that_trickles_in_is_given_up_at_the_time_out(connection: psycopg.Connection[Any]) -> None:
    with peer(200, b'"' + b"x" * 1000 + b'"', pause=0.02) as service:
        direct(connection, service.endpoint)
        connection.execute("set aws_lambda.request_timeout_ms = 300")
        started = time.monotonic()
        error = failure(connection, "'echo', '{}'::json")
    assert "Timeout was reached" in whole_text(error)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("body", [b"not json", b"\xff", b'"\x00"'])
def test_answer_that_is_not_json_is_an_error(connection: psycopg.Connection[Any], body: bytes) -> None:
    with peer(200, body) as service:
        direct(connection, service.endpoint)
        failure(connection, "'echo', '{}'::json")


def test_answer_that_breaks_off_is_an_error(connection: psycopg.Connection[Any]) -> None:
    with peer(200, b"{}", {"Content-Length": "100"}) as service:
        direct(connection, service.endpoint)
        error = failure(connection, "'echo', '{}'::json")
    assert "the connection broke: IncompleteRead" in whole_text(error)


def test_payload_of_six_megabytes_passes_both_ways(connection: psycopg.Connection[Any]) -> None:
    connection.execute("set aws_lambda.request_timeout_ms = 60000")
    row = connection.execute(
        "select length(payload #>> '{}') from aws_lambda.invoke('echo', to_jsonb(repeat('x', 6000000)))"
    ).fetchone()
    assert row == (6_000_000,)


def test_https_needs_a_certificate_that_is_trusted(
    connection: psycopg.Connection[Any], server: Server, tmp_path: Path
) -> None:
    certificate, key = server.cluster.folder / "peer.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate.chmod(0o644)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with peer(200, b'{"over": "tls"}', context=context) as service:
        direct(connection, service.endpoint)
        error = failure(connection, "'echo', '{}'::json")
        assert "Unable to connect to endpoint" in whole_text(error)
        assert "certificate verify failed" in whole_text(error)
        inside = server.cluster.installation.inside(certificate)
        connection.execute(
            f"do $$\nimport os\nos.environ['AWS_CA_BUNDLE'] = '{inside}'\n$$ language plpython3u".encode()
        )
        assert invoke(connection, "'echo', '{}'::json").payload == {"over": "tls"}


# Cancelling


def test_statement_timeout_ends_a_call_long_before_the_request_timeout(connection: psycopg.Connection[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        direct(connection, f"http://127.0.0.1:{silent.getsockname()[1]}")
        connection.execute("set aws_lambda.request_timeout_ms = 60000")
        connection.execute("set statement_timeout = 200")
        started = time.monotonic()
        error = failure(connection, "'echo', '{}'::json")
    assert isinstance(error, psycopg.errors.QueryCanceled)
    assert error.diag.message_primary == "canceling statement due to statement timeout"
    assert time.monotonic() - started < 10


def test_cancelled_call_ends_at_once_and_can_not_be_caught_by_accident(
    connection: psycopg.Connection[Any], database: Database
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        direct(connection, f"http://127.0.0.1:{silent.getsockname()[1]}")
        connection.execute("set aws_lambda.request_timeout_ms = 60000")

        def cancel_when_connected() -> None:
            accepted, _ = silent.accept()
            with accepted, database.connect() as other:
                other.execute("select pg_cancel_backend(%s)", (connection.info.backend_pid,))

        other = threading.Thread(target=cancel_when_connected)
        other.start()
        with pytest.raises(psycopg.errors.QueryCanceled, match="canceling statement due to user request"):
            connection.execute(
                "do $$ begin perform aws_lambda.invoke('echo', '{}'::json); exception when others then null; end $$"
            )
        other.join()
    assert connection.execute("select 1").fetchone() == (1,)


def test_terminated_session_ends_in_the_middle_of_a_call(
    connection: psycopg.Connection[Any], database: Database
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        direct(connection, f"http://127.0.0.1:{silent.getsockname()[1]}")
        connection.execute("set aws_lambda.request_timeout_ms = 60000")
        pid = connection.info.backend_pid

        def terminate_when_connected() -> None:
            accepted, _ = silent.accept()
            with accepted, database.connect() as other:
                other.execute("select pg_terminate_backend(%s)", (pid,))

        other = threading.Thread(target=terminate_when_connected)
        other.start()
        assert isinstance(failure(connection, "'echo', '{}'::json"), psycopg.errors.AdminShutdown)
        other.join()


# Roles


@pytest.fixture
def app(server: Server, database: Database, lambda_service: LambdaService) -> Iterator[psycopg.Connection[Any]]:
    """An ordinary role's connection."""
    dsn = make_conninfo(server.cluster.add_role("app"), dbname=database.name)
    with psycopg.connect(dsn, autocommit=True) as app:
        direct(app, lambda_service.endpoint)
        yield app


def test_role_needs_usage_on_the_schema_and_execute_on_the_function_and_nothing_else(
    connection: psycopg.Connection[Any], app: psycopg.Connection[Any]
) -> None:
    by_text: LiteralString = "'echo', '{}'::json"
    by_type: LiteralString = "aws_commons.create_lambda_function_arn('echo'), '{}'::jsonb"
    assert failure(app, by_text).diag.message_primary == "permission denied for schema aws_lambda"
    connection.execute("grant usage on schema aws_lambda to app")
    assert failure(app, by_text).diag.message_primary == "permission denied for function invoke"
    connection.execute(
        "grant execute on function aws_lambda.invoke(text, json, text, text, text, json, varchar) to app"
    )
    assert invoke(app, by_text).status_code == 200

    assert failure(app, by_type).diag.message_primary == "permission denied for schema aws_commons"
    connection.execute("grant usage on schema aws_commons to app")
    connection.execute(
        "grant execute on function aws_commons.create_lambda_function_arn, "
        "aws_lambda.invoke(aws_commons._lambda_function_arn_1, jsonb, text, text, jsonb, varchar) to app"
    )
    assert invoke(app, by_type).status_code == 200


def test_grants_on_all_functions_are_enough_too(
    connection: psycopg.Connection[Any], app: psycopg.Connection[Any]
) -> None:
    connection.execute("grant usage on schema aws_lambda, aws_commons to app")
    connection.execute("grant execute on all functions in schema aws_lambda, aws_commons to app")
    assert invoke(app, "aws_commons.create_lambda_function_arn('echo'), '{}'::json").status_code == 200


def test_callers_search_path_and_temporary_objects_change_nothing(
    connection: psycopg.Connection[Any], app: psycopg.Connection[Any]
) -> None:
    connection.execute("grant usage on schema aws_lambda to app")
    connection.execute("grant execute on all functions in schema aws_lambda to app")
    app.execute(
        "create function pg_temp.current_setting(text, boolean) returns text language sql as $$ select 'mine' $$"
    )
    app.execute("set search_path = pg_temp, pg_catalog")
    assert invoke(app, "'echo', '{}'::json").status_code == 200


# Installing and uninstalling


def things(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    rows = connection.execute(
        """select 'schema', nspname::text from pg_namespace where nspname !~ '^pg_(toast_)?temp'
           union all select 'type', oid::regtype::text from pg_type
           union all select 'routine', oid::regprocedure::text from pg_proc
           union all select 'relation', oid::regclass::text from pg_class
           union all select 'language', lanname::text from pg_language
           union all select 'extension', extname::text from pg_extension"""
    ).fetchall()
    return set(rows)


def test_uninstalling_leaves_nothing(database: Database) -> None:
    with database.connect() as connection:
        before = things(connection)
        install_aws_lambda(connection)
        assert things(connection) > before
        uninstall_aws_lambda(connection)
        assert things(connection) == before
        uninstall_aws_lambda(connection)
        assert things(connection) == before


def test_language_that_was_there_before_stays(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create extension plpython3u")
        before = things(connection)
        install_aws_lambda(connection)
        install_aws_lambda(connection)
        uninstall_aws_lambda(connection)
        assert things(connection) == before


def test_language_that_somebody_uses_by_now_stays(database: Database) -> None:
    with database.connect() as connection:
        install_aws_lambda(connection)
        connection.execute("create function mine() returns int language plpython3u as 'return 1'")
        uninstall_aws_lambda(connection)
        assert connection.execute("select mine()").fetchone() == (1,)
        assert ("schema", "aws_lambda") not in things(connection)


def test_installing_twice_is_installing_once_and_keeps_grants(
    connection: psycopg.Connection[Any], app: psycopg.Connection[Any]
) -> None:
    connection.execute("grant usage on schema aws_lambda to app")
    connection.execute("grant execute on all functions in schema aws_lambda to app")
    before = things(connection)
    install_aws_lambda(connection)
    assert things(connection) == before
    assert invoke(app, "'echo', '1'::json").payload == 1
    uninstall_aws_lambda(connection)
    assert ("extension", "plpython3u") not in things(connection)


def test_installing_works_inside_a_transaction_and_goes_when_that_is_rolled_back(database: Database) -> None:
    with psycopg.connect(database.dsn) as connection:
        before = things(connection)
        install_aws_lambda(connection)
        connection.rollback()
        assert things(connection) == before


def test_two_installs_at_once_both_succeed(database: Database) -> None:
    with psycopg.connect(database.dsn) as first, database.connect() as second:
        first.execute("select 1")  # so that a transaction is open, and stays open
        install_aws_lambda(first)
        other = threading.Thread(target=install_aws_lambda, args=(second,))
        other.start()
        waiting = "select from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
        with database.connect() as third:
            wait_until(
                lambda: third.execute(waiting, (second.info.backend_pid,)).fetchone() is not None, "the second waits"
            )
        first.commit()
        other.join()
        assert ("schema", "aws_lambda") in things(second)


@pytest.mark.parametrize("schema", ["aws_lambda", "aws_commons"])
def test_schema_of_somebody_else_is_left_alone(database: Database, schema: str) -> None:
    with database.connect() as connection:
        connection.execute(f"create schema {schema}".encode())
        before = things(connection)
        with pytest.raises(InstallRefused, match=f"schema {schema} in .* was not made by partwarden"):
            install_aws_lambda(connection)
        with pytest.raises(InstallRefused, match=f"schema {schema} in .* was not made by partwarden"):
            uninstall_aws_lambda(connection)
        assert things(connection) == before


def test_what_a_user_built_on_it_stops_uninstalling(connection: psycopg.Connection[Any]) -> None:
    connection.execute("create table mine (target aws_commons._lambda_function_arn_1)")
    before = things(connection)
    with pytest.raises(InstallRefused, match=r"column target of table mine depends on"):
        uninstall_aws_lambda(connection)
    assert things(connection) == before


def test_ordinary_role_can_not_install(server: Server, database: Database) -> None:
    dsn = make_conninfo(server.cluster.add_role("app"), dbname=database.name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for attempt in (install_aws_lambda, uninstall_aws_lambda):
            with pytest.raises(InstallRefused, match="app is not a superuser"):
                attempt(connection)


def test_server_whose_python_lacks_botocore_is_told_what_to_install(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create extension plpython3u")
        before = things(connection)
        # as if it were not there, for this connection's Python
        connection.execute("do $$\nimport sys\nsys.modules['botocore'] = None\n$$ language plpython3u")
        with pytest.raises(NotInstalled, match="apt-get install python3-boto3"):
            install_aws_lambda(connection)
        assert things(connection) == before


def test_providers_own_extension_is_left_alone(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            """insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
               values (16000, 'aws_lambda', 10, 'public'::regnamespace, false, '1.0')"""
        )
        for attempt in (install_aws_lambda, uninstall_aws_lambda):
            with pytest.raises(InstallRefused, match="the provider's own extension aws_lambda is installed"):
                attempt(connection)


def test_server_that_offers_the_providers_extension_is_asked_for_that(server: Server, database: Database) -> None:
    if server.major < 18:
        pytest.skip("the folder of extensions can be chosen since PostgreSQL 18")
    folder = server.cluster.folder / "share" / "extension"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "aws_lambda.control").write_text("default_version = '1.0'\n")
    inside = server.cluster.installation.inside(folder.parent)
    with database.connect() as connection:
        connection.execute("select set_config('extension_control_path', %s, false)", (f"{inside}:$system",))
        with pytest.raises(InstallRefused, match="create extension aws_lambda cascade"):
            install_aws_lambda(connection)
