-- aws_lambda for a plain PostgreSQL: the schemas, types, functions and settings that RDS and Aurora have under the
-- same names, so that a procedure written for them runs unchanged on a server of one's own.
-- https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL-Lambda-functions.html
--
-- Run by a superuser, in one transaction, as often as one likes. Three layers:
--   aws_lambda.invoke      four overloads, the provider's interface; SQL, so that json stays json and jsonb jsonb
--   aws_lambda._invoke     PL/pgSQL: reads arguments and settings, raises (an error that PL/Python raises would
--                          read "plpy.Error: ..." and carry a traceback)
--   aws_lambda._request    PL/Python: credentials, signature, HTTP; returns an error as data

create schema if not exists aws_commons;
create schema if not exists aws_lambda;

comment on schema aws_commons is 'partwarden: aws_lambda for a plain PostgreSQL';

do $$
begin
    if not exists (select from pg_catalog.pg_extension where extname = 'plpython3u') then
        create extension plpython3u;
        -- remembered, so that uninstalling removes what installing brought
        comment on schema aws_lambda is 'partwarden: aws_lambda for a plain PostgreSQL; plpython3u came with it';
    elsif pg_catalog.obj_description('aws_lambda'::pg_catalog.regnamespace, 'pg_namespace') is null then
        comment on schema aws_lambda is 'partwarden: aws_lambda for a plain PostgreSQL';
    end if;
    if pg_catalog.to_regtype('aws_commons._lambda_function_arn_1') is null then
        create type aws_commons._lambda_function_arn_1 as (function_name text, region text);
    end if;
end
$$;


create or replace function aws_commons.create_lambda_function_arn(function_name text, region text default null)
    returns aws_commons._lambda_function_arn_1
    language sql immutable parallel safe
    set search_path = pg_catalog, pg_temp
as $$
    select row(create_lambda_function_arn.function_name, create_lambda_function_arn.region)
        ::aws_commons._lambda_function_arn_1
$$;

comment on function aws_commons.create_lambda_function_arn(text, text) is
    'A function''s name or ARN, and its region, as one value for aws_lambda.invoke.';


create or replace function aws_lambda._request(
    base_url           text,
    function_name      text,
    payload            text,
    region             text,
    invocation_type    text,
    log_type           text,
    context            text,
    qualifier          text,
    connect_timeout_ms int,
    request_timeout_ms int,
    out status_code      int,
    out result           text,
    out executed_version text,
    out log_result       text,
    out function_error   text,
    out message          text,
    out detail           text,
    out hint             text,
    out error_code       text
)
    language plpython3u
    set search_path = pg_catalog, pg_temp
as $python$
import base64
import http.client
import io
import json
import os
import select
import socket
import ssl
import time
from urllib.parse import quote, urlsplit

# No boto3 client: building one reads the models of the whole service, 350 ms in a fresh backend instead of 160.
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError

CANCEL_CHECK_SECONDS = 0.1


class Failure(Exception):
    """What the caller is to see as an error."""

    def __init__(self, message, detail=None, hint=None, error_code="39000"):
        super().__init__(message)
        self.columns = {"message": message, "detail": detail, "hint": hint, "error_code": error_code}


def api_failed(reason, hint=None):
    return Failure("invoke API failed", f"AWS Lambda client returned '{reason}'.", hint)


class Connection:
    """A non-blocking connection with a deadline for the whole exchange, which notices that the query is cancelled."""

    def __init__(self, url, seconds):
        self.deadline = time.monotonic() + seconds
        host, port = url.hostname, url.port or (443 if url.scheme == "https" else 80)
        refused = None
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            self.socket = socket.socket(family, kind, protocol)
            self.socket.setblocking(False)
            try:
                self.connect(address)
                break
            except OSError as error:
                self.close()
                refused = error
        else:
            raise refused
        if url.scheme == "https":
            trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
            self.socket = trusted.wrap_socket(self.socket, server_hostname=host, do_handshake_on_connect=False)
            self.attempt(self.socket.do_handshake, select.POLLIN)

    def connect(self, address):
        try:
            self.socket.connect(address)
        except BlockingIOError:
            self.wait(select.POLLOUT)
            if code := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, os.strerror(code)) from None

    def close(self):
        self.socket.close()

    def attempt(self, operation, event):
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                self.wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self.wait(select.POLLOUT)
            except BlockingIOError:
                self.wait(event)

    def wait(self, event):
        poll = select.poll()
        poll.register(self.socket, event)
        while (left := self.deadline - time.monotonic()) > 0:
            if poll.poll(1000 * min(left, CANCEL_CHECK_SECONDS)):
                return
            plpy.execute("select 1")  # raises when the query has been cancelled; Python alone would not notice
        raise TimeoutError

    # What http.client needs of a socket:

    def sendall(self, data):
        rest = memoryview(data)
        while rest:
            rest = rest[self.attempt(lambda: self.socket.send(rest), select.POLLOUT):]

    def makefile(self, mode):
        return io.BufferedReader(Reader(self))


class Reader(io.RawIOBase):
    def __init__(self, connection):
        self.connection = connection

    def readable(self):
        return True

    def readinto(self, buffer):
        if time.monotonic() > self.connection.deadline:  # a trickle is always ready to be read
            raise TimeoutError
        return self.connection.attempt(lambda: self.connection.socket.recv_into(buffer), select.POLLIN)


def find_credentials():
    """The keys to sign with, from botocore's standard chain."""
    credentials = SD.get("credentials")
    try:
        if credentials is None:
            credentials = botocore.session.Session().get_credentials()
            # Keys with an end renew themselves; others are looked up at every call, lest they be out of date.
            if isinstance(credentials, RefreshableCredentials):
                SD["credentials"] = credentials
        keys = credentials and credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise api_failed(f"Unable to load credentials: {error}") from None
    if not keys or not keys.access_key or not keys.secret_key:
        raise api_failed(
            "Unable to locate credentials",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE, in the environment that "
            "the PostgreSQL server is started in.",
        )
    # http.client would quote a header that it can't send, and a header holds the session token.
    if not all(each is None or (each.isascii() and each.isprintable()) for each in keys):
        raise api_failed("Unable to load credentials: they contain a character that does not belong into a key")
    return keys


def signed(url, keys, signing_region):
    headers = {
        "Host": url.netloc,
        "Content-Type": "application/json",
        "X-Amz-Invocation-Type": invocation_type,
        "X-Amz-Log-Type": log_type,
    }
    if context is not None:
        headers["X-Amz-Client-Context"] = base64.b64encode(context.encode()).decode()
    request = AWSRequest(method="POST", url=url.geturl(), headers=headers, data=payload.encode())
    SigV4Auth(keys, "lambda", signing_region).add_auth(request)
    return dict(request.headers.items())


def exchange(url, headers):
    """The answer to the request: status, headers, body."""
    try:
        connection = Connection(url, connect_timeout_ms / 1000)
    except TimeoutError:
        raise api_failed(
            "Unable to connect to endpoint",
            f"{url.netloc} did not answer within aws_lambda.connect_timeout_ms = {connect_timeout_ms}.",
        ) from None
    except OSError as error:
        raise api_failed("Unable to connect to endpoint", f"{url.netloc}: {error.strerror or error}") from None
    connection.deadline = time.monotonic() + request_timeout_ms / 1000
    try:
        client = http.client.HTTPConnection(url.hostname)
        client.sock = connection
        client.request("POST", url.path + (f"?{url.query}" if url.query else ""), payload.encode(), headers)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        return response.status, response.headers, response.read()
    except TimeoutError:
        raise api_failed(
            "curlCode: 28, Timeout was reached",
            f"No answer within aws_lambda.request_timeout_ms = {request_timeout_ms}; the function may still be running.",
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise api_failed(f"the connection broke: {type(error).__name__} {error}".rstrip()) from None
    finally:
        connection.close()


def service_error(status, headers, body):
    """The one line in an error of the service, whose bodies differ in shape."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    kind = headers.get("X-Amzn-ErrorType") or answer.get("__type") or answer.get("Type") or ""
    return answer.get("message") or answer.get("Message") or f"{str(kind).split(':')[0]} HTTP status {status}".lstrip()


def without(keys, text):
    """The text with nothing secret in it: a service repeats the request's headers when a signature is wrong."""
    for each in (keys.secret_key, keys.token, keys.access_key):
        if each and len(each) >= 16:  # shorter ones are made up: "test", or an account's number, as in every ARN
            text = text.replace(each, "***")
    return text.replace("\0", "")


def invoke():
    signing_region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not signing_region:
        raise Failure(
            "no region given for the Lambda function",
            hint="Name it as an argument or in the function's ARN, or set AWS_REGION in the environment that the "
            "PostgreSQL server is started in.",
            error_code="22023",
        )
    suffix = "amazonaws.com.cn" if signing_region.startswith("cn-") else "amazonaws.com"
    url = urlsplit(
        (base_url or f"https://lambda.{signing_region}.{suffix}").rstrip("/")
        + f"/2015-03-31/functions/{quote(function_name, safe='')}/invocations"
        + (f"?Qualifier={quote(qualifier, safe='')}" if qualifier is not None else "")
    )
    keys = find_credentials()
    status, headers, body = exchange(url, signed(url, keys, signing_region))
    if not 200 <= status < 300:
        raise api_failed(without(keys, service_error(status, headers, body)))
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise api_failed("the answer is not UTF-8") from None
    if failed := headers.get("X-Amz-Function-Error"):
        text = without(keys, text)
    return {
        "status_code": status,
        "result": text or None,
        "executed_version": headers.get("X-Amz-Executed-Version"),
        "log_result": headers.get("X-Amz-Log-Result"),
        "function_error": failed,
    }


columns = dict.fromkeys(
    ("status_code", "result", "executed_version", "log_result", "function_error")
    + ("message", "detail", "hint", "error_code")
)
try:
    return {**columns, **invoke()}
except Failure as failure:
    return {**columns, **failure.columns}
except plpy.SPIError as interrupted:
    return {**columns, "message": str(interrupted), "error_code": interrupted.sqlstate}
$python$;

comment on function aws_lambda._request(text, text, text, text, text, text, text, text, int, int) is
    'One signed request to Lambda''s Invoke; an error comes back in columns.';


create or replace function aws_lambda._invoke(
    function_name   text,
    payload         text,
    region          text,
    invocation_type text,
    log_type        text,
    context         text,
    qualifier       text,
    out status_code      int,
    out result           text,
    out executed_version text,
    out log_result       text
)
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    -- name, account:function:name or ARN, each with or without :version or :alias
    name_pattern constant text := '^(?:arn:aws[a-z-]*:lambda:([a-z0-9-]+):(?=[0-9]{12}:function:))?'
        '(?:[0-9]{12}:function:)?([A-Za-z0-9_.-]+)(?::(\$LATEST|[A-Za-z0-9_-]+))?$';
    endpoint        text := nullif(current_setting('aws_lambda.endpoint_override', true), '');
    connect_timeout text := coalesce(nullif(current_setting('aws_lambda.connect_timeout_ms', true), ''), '1000');
    request_timeout text := coalesce(nullif(current_setting('aws_lambda.request_timeout_ms', true), ''), '3000');
    parts  text[];
    given  aws_commons._lambda_function_arn_1;
    answer record;
begin
    -- psql's \gset makes text of what create_lambda_function_arn returned; the provider's own examples do that.
    if function_name like '(%)' then
        given := function_name::aws_commons._lambda_function_arn_1;
        if region <> given.region then
            raise exception 'region "%" conflicts with "%", which the function is given with', region, given.region
                using errcode = 'invalid_parameter_value';
        end if;
        function_name := given.function_name;
        region := coalesce(region, given.region);
    end if;

    if function_name is null then
        raise exception 'function_name must not be null' using errcode = 'null_value_not_allowed';
    elsif payload is null then
        raise exception 'payload must not be null' using errcode = 'null_value_not_allowed';
    elsif invocation_type is null or invocation_type not in ('RequestResponse', 'Event', 'DryRun') then
        raise exception 'invalid invocation_type %', coalesce(quote_literal(invocation_type), 'null')
            using errcode = 'invalid_parameter_value', hint = 'It is RequestResponse, Event or DryRun, spelled so.';
    elsif log_type is null or log_type not in ('None', 'Tail') then
        raise exception 'invalid log_type %', coalesce(quote_literal(log_type), 'null')
            using errcode = 'invalid_parameter_value', hint = 'It is None or Tail, spelled so.';
    elsif region !~ '^[a-z0-9-]+$' then
        raise exception 'invalid region "%"', region using errcode = 'invalid_parameter_value';
    end if;

    parts := regexp_match(function_name, name_pattern);
    if parts is null then
        raise exception 'invalid function name "%"', function_name
            using errcode = 'invalid_parameter_value', hint = 'Give the name of a Lambda function, or its ARN.';
    elsif region <> parts[1] then
        raise exception 'region "%" conflicts with the ARN "%"', region, function_name
            using errcode = 'invalid_parameter_value';
    elsif qualifier <> parts[3] then
        raise exception 'qualifier "%" conflicts with the ARN "%"', qualifier, function_name
            using errcode = 'invalid_parameter_value';
    end if;

    if endpoint !~ '^https?://[^/?#@]+(/[^?#]*)?$' then
        raise exception 'invalid value for parameter "aws_lambda.endpoint_override": "%"', endpoint
            using errcode = 'invalid_parameter_value', hint = 'It is a URL, such as http://127.0.0.1:4566.';
    elsif connect_timeout !~ '^[1-9][0-9]{0,8}$' then
        raise exception 'invalid value for parameter "aws_lambda.connect_timeout_ms": "%"', connect_timeout
            using errcode = 'invalid_parameter_value', hint = 'It is a number of milliseconds.';
    elsif request_timeout !~ '^[1-9][0-9]{0,8}$' then
        raise exception 'invalid value for parameter "aws_lambda.request_timeout_ms": "%"', request_timeout
            using errcode = 'invalid_parameter_value', hint = 'It is a number of milliseconds.';
    end if;

    answer := aws_lambda._request(
        endpoint,
        case when parts[3] is null then function_name else left(function_name, -1 - length(parts[3])) end,
        payload,
        coalesce(region, parts[1]),
        invocation_type,
        log_type,
        context,
        coalesce(qualifier, parts[3]),
        connect_timeout::int,
        request_timeout::int
    );
    if answer.function_error is not null then
        raise exception 'lambda invocation failed'
            using errcode = 'external_routine_exception',
                detail = format(
                    '"%s" returned error "%s", details: "%s".', function_name, answer.function_error, answer.result
                );
    elsif answer.hint is not null and answer.detail is not null then
        raise exception '%', answer.message
            using errcode = answer.error_code, detail = answer.detail, hint = answer.hint;
    elsif answer.hint is not null then
        raise exception '%', answer.message using errcode = answer.error_code, hint = answer.hint;
    elsif answer.detail is not null then
        raise exception '%', answer.message using errcode = answer.error_code, detail = answer.detail;
    elsif answer.message is not null then
        raise exception '%', answer.message using errcode = answer.error_code;
    end if;

    status_code := answer.status_code;
    result := answer.result;
    executed_version := answer.executed_version;
    log_result := answer.log_result;
end
$$;

comment on function aws_lambda._invoke(text, text, text, text, text, text, text) is
    'What the overloads of aws_lambda.invoke share.';


-- The overloads run as their owner, so that EXECUTE on them and USAGE on the schemas is all that a role needs.
create or replace function aws_lambda.invoke(
    function_name   text,
    payload         json,
    region          text default null,
    invocation_type text default 'RequestResponse',
    log_type        text default 'None',
    context         json default null,
    qualifier       varchar(128) default null,
    out status_code      int,
    out payload          json,
    out executed_version text,
    out log_result       text
)
    language sql security definer
    set search_path = pg_catalog, pg_temp
as $$
    select answer.status_code, answer.result::json, answer.executed_version, answer.log_result
    from aws_lambda._invoke(
        invoke.function_name, invoke.payload::text, invoke.region, invoke.invocation_type, invoke.log_type,
        invoke.context::text, invoke.qualifier
    ) as answer
$$;

create or replace function aws_lambda.invoke(
    function_name   text,
    payload         jsonb,
    region          text default null,
    invocation_type text default 'RequestResponse',
    log_type        text default 'None',
    context         jsonb default null,
    qualifier       varchar(128) default null,
    out status_code      int,
    out payload          jsonb,
    out executed_version text,
    out log_result       text
)
    language sql security definer
    set search_path = pg_catalog, pg_temp
as $$
    select answer.status_code, answer.result::jsonb, answer.executed_version, answer.log_result
    from aws_lambda._invoke(
        invoke.function_name, invoke.payload::text, invoke.region, invoke.invocation_type, invoke.log_type,
        invoke.context::text, invoke.qualifier
    ) as answer
$$;

create or replace function aws_lambda.invoke(
    function_name   aws_commons._lambda_function_arn_1,
    payload         json,
    invocation_type text default 'RequestResponse',
    log_type        text default 'None',
    context         json default null,
    qualifier       varchar(128) default null,
    out status_code      int,
    out payload          json,
    out executed_version text,
    out log_result       text
)
    language sql security definer
    set search_path = pg_catalog, pg_temp
as $$
    select answer.status_code, answer.result::json, answer.executed_version, answer.log_result
    from aws_lambda._invoke(
        (invoke.function_name).function_name, invoke.payload::text, (invoke.function_name).region,
        invoke.invocation_type, invoke.log_type, invoke.context::text, invoke.qualifier
    ) as answer
$$;

create or replace function aws_lambda.invoke(
    function_name   aws_commons._lambda_function_arn_1,
    payload         jsonb,
    invocation_type text default 'RequestResponse',
    log_type        text default 'None',
    context         jsonb default null,
    qualifier       varchar(128) default null,
    out status_code      int,
    out payload          jsonb,
    out executed_version text,
    out log_result       text
)
    language sql security definer
    set search_path = pg_catalog, pg_temp
as $$
    select answer.status_code, answer.result::jsonb, answer.executed_version, answer.log_result
    from aws_lambda._invoke(
        (invoke.function_name).function_name, invoke.payload::text, (invoke.function_name).region,
        invoke.invocation_type, invoke.log_type, invoke.context::text, invoke.qualifier
    ) as answer
$$;

revoke all on all routines in schema aws_commons, aws_lambda from public;
