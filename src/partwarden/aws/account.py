"""The AWS account and region that a command works in, and what AWS's errors mean to a person."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from partwarden import __version__
from partwarden.errors import AwsFailed, NotInstalled

try:
    import boto3
    from botocore import exceptions as botocore_errors
    from botocore import parsers as botocore_parsers
    from botocore.config import Config
except ImportError as missing:
    raise NotInstalled(
        f"partwarden aws needs {missing.name}, which is not installed", remedy="pip install 'partwarden[aws]'"
    ) from missing

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

ClientError = botocore_errors.ClientError  # from here, so that whoever lacks botocore is told by the above

_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_ATTEMPTS = 6

_NOT_ALLOWED = re.compile(r"AccessDenied|Unauthorized(Operation|Access)|AuthorizationError|AccessDeniedException")
_BAD_KEY = re.compile(
    r"InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|AuthFailure|IncompleteSignature"
)
_EXPIRED = re.compile(r"Expired|InvalidToken")
_TOO_MANY = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown")
_MISSING_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z*]+)(?: on resource: (\S+))?")

_OTHERWISE = "correct what AWS refuses, then the same command again, which goes on from there"
_LOG_IN = "log in again (aws sso login, aws login), or set AWS_PROFILE, or name one with --profile"


@dataclass(frozen=True)
class Account:
    """Whose account, which region, and a client for each service, made when it is first asked for."""

    id: str
    region: str
    partition: str
    identity: str
    session: boto3.session.Session = field(repr=False, compare=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, region: str | None = None, profile: str | None = None) -> Account:
        """The account that the user's credentials lead to, found as the AWS tools find them; asks STS once.

        Raises AwsFailed without credentials, with bad or expired ones, and without a region.
        """
        with aws_errors("could not find out which AWS account to work in"):
            # boto3 itself knows AWS_DEFAULT_REGION only.
            region = region or os.environ.get("AWS_REGION")
            return cls.in_session(boto3.session.Session(region_name=region, profile_name=profile))

    @classmethod
    def in_session(cls, session: boto3.session.Session) -> Account:
        """The same, of a session that is there already."""
        with aws_errors("could not find out which AWS account to work in"):
            if session.region_name is None:
                raise AwsFailed(
                    "no AWS region is set", remedy="name one with --region, or set AWS_REGION or the profile's region"
                )
            caller = _client(session, "sts", session.region_name).get_caller_identity()
        return cls(
            id=caller["Account"],
            region=session.region_name,
            partition=caller["Arn"].split(":")[1],
            identity=caller["Arn"],
            session=session,
        )

    @overload
    def client(self, service: Literal["cloudformation"]) -> CloudFormationClient: ...
    @overload
    def client(self, service: Literal["cloudwatch"]) -> CloudWatchClient: ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["ec2"]) -> EC2Client: ...
    @overload
    def client(self, service: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["logs"]) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service: Literal["rds"]) -> RDSClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["scheduler"]) -> EventBridgeSchedulerClient: ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sns"]) -> SNSClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["ssm"]) -> SSMClient: ...
    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    def client(self, service: str) -> Any:
        """The service's client in this region; one for all callers."""
        if service not in self._clients:
            self._clients[service] = _client(self.session, service, self.region)
        return self._clients[service]

    def __str__(self) -> str:
        return f"account {self.id}, {self.region}"


@contextmanager
def aws_errors(attempt: str) -> Iterator[None]:
    """Turn what boto3 raises inside the block into AwsFailed, which says what was attempted, why not, and what next.

    For a right that is missing the remedy names the action, and the resource where AWS tells it.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(attempt, error) from error
    except botocore_errors.ParamValidationError as error:
        # Its text quotes the values that were sent.
        names = re.findall(r"parameter (?:in input: )?\"?([\w.\[\]]+)", str(error))
        raise AwsFailed(
            f"{attempt}: a parameter is not valid: {', '.join(names) or 'unnamed'}",
            remedy="correct what was said on the command line",
        ) from None
    except botocore_errors.NoRegionError as error:
        raise AwsFailed(
            f"{attempt}: no AWS region is set", remedy="name one with --region, or set AWS_REGION"
        ) from error
    except botocore_errors.ProfileNotFound as error:
        raise AwsFailed(f"{attempt}: {error}", remedy="aws configure list-profiles shows those there are") from error
    except (
        botocore_errors.NoCredentialsError,
        botocore_errors.PartialCredentialsError,
        botocore_errors.CredentialRetrievalError,
        botocore_errors.TokenRetrievalError,
        botocore_errors.SSOError,
    ) as error:
        raise AwsFailed(f"{attempt}: there are no AWS credentials to be had: {error}", remedy=_LOG_IN) from error
    except (botocore_errors.ConnectionError, botocore_errors.HTTPClientError) as error:
        raise AwsFailed(
            f"{attempt}: AWS could not be reached: {error}",
            remedy="see that the region's name is right and that the network, a proxy or a VPC endpoint leads there",
        ) from error
    except botocore_parsers.ResponseParserError:
        # Its text quotes what came.
        raise AwsFailed(
            f"{attempt}: what came back is no answer of AWS's",
            remedy="see that the region's name is right, and that no proxy and no AWS_ENDPOINT_URL leads elsewhere",
        ) from None
    except (botocore_errors.BotoCoreError, boto3.exceptions.Boto3Error) as error:
        raise AwsFailed(
            f"{attempt}: {error}", remedy="the same command with --debug shows which call it was"
        ) from error


def error_code(error: ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """AWS's sentence on what went wrong."""
    return str(error.response.get("Error", {}).get("Message", ""))


def _client(session: boto3.session.Session, service: Any, region: str) -> Any:
    return session.client(
        service,
        region_name=region,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            user_agent_extra=f"partwarden/{__version__}",  # so that CloudTrail tells who it was
        ),
    )


def _refused(attempt: str, error: ClientError) -> AwsFailed:
    code, message = error_code(error), error_message(error)
    problem = f"{attempt}: {code}: {message}" if message else f"{attempt}: {code}"
    return AwsFailed(problem, remedy=_remedy(code, message, error.operation_name) or _OTHERWISE)


def _remedy(code: str, message: str, operation: str) -> str | None:
    if _NOT_ALLOWED.search(code):
        found = _MISSING_ACTION.search(message)
        action = found[1] if found else f"the action of {operation}"
        resource = f" on {found[2].rstrip('.,')}" if found and found[2] else ""
        return f"have {action} allowed{resource}; docs/aws.md has the whole policy that a deploy needs"
    if _EXPIRED.search(code):
        return f"the credentials have expired: {_LOG_IN}"
    if _BAD_KEY.search(code):
        return f"AWS does not know these credentials: {_LOG_IN}"
    if _TOO_MANY.search(code):
        return "AWS is asked too often just now: try again in a minute"
    return None
