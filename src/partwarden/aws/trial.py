"""A trial environment: a VPC, an Aurora PostgreSQL with pg_cron, and a way in, made as one stack and removed as one."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from partwarden.aws import stacks
from partwarden.aws.account import Account, aws_errors
from partwarden.aws.prices import Price, of_trial
from partwarden.aws.stacks import ChangeSet, Stack, Tell
from partwarden.errors import AwsFailed, BadOption

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef

DEFAULT_NAME = "partwarden-trial"
TUNNEL_PORT = 15432

_TAGS = {"partwarden": "trial"}
_HOST_TYPE = "t4g.nano"
_CLUSTER_CLASS = "db.serverless"
_LONGEST_NAME = 50  # its writer, NAME-writer, may have 63


@dataclass(frozen=True)
class Wish:
    """What a trial environment should be like; None leaves it to what is there already, or to the default."""

    name: str = DEFAULT_NAME
    engine_version: str | None = None
    database: str | None = None
    least_acu: Decimal | None = None
    most_acu: Decimal | None = None
    vpc_cidr: str | None = None


@dataclass(frozen=True)
class Plan:
    """What would be done. ``change_set`` is None when all is there already; else it has to be executed or discarded."""

    name: str
    parameters: Mapping[str, str]
    prices: tuple[Price, ...]
    change_set: ChangeSet | None


@dataclass(frozen=True)
class Trial:
    """A trial environment that stands."""

    cluster: str
    endpoint: str
    database: str
    host: str
    region: str
    profile: str | None

    @property
    def dsn(self) -> str:
        """A connection string for every command, through a tunnel on this machine; nothing in it is secret."""
        options = {"region": self.region, "profile": self.profile, "tunnel": str(TUNNEL_PORT)}
        said = urlencode({name: value for name, value in options.items() if value})
        return f"aws-secret:cluster:{self.cluster}/{self.database}?{said}"

    @property
    def tunnel_command(self) -> str:
        """How to open that tunnel: the AWS CLI with its Session Manager plugin."""
        parameters = {"host": [self.endpoint], "portNumber": ["5432"], "localPortNumber": [str(TUNNEL_PORT)]}
        return (
            f"aws ssm start-session{_where(self.region, self.profile)} --target {self.host} "
            "--document-name AWS-StartPortForwardingSessionToRemoteHost "
            f"--parameters {shlex.quote(json.dumps(parameters))}"
        )

    def command(self, what: str) -> str:
        """Another command for this very trial environment, as it is typed."""
        return _command(what, self.cluster, self.region, self.profile)

    def aws_command(self, what: str) -> str:
        """A command of ``partwarden aws`` for the cluster, through the tunnel."""
        where = _where(self.region, self.profile)
        return f"partwarden aws {what} --cluster {self.cluster} -d {shlex.quote(self.dsn)}{where}"


@dataclass(frozen=True)
class Leaving:
    """What would be removed."""

    stack: Stack
    left: tuple[str, ...]


def template() -> str:
    """The CloudFormation template, as text."""
    return resources.files(__package__).joinpath("trial.yaml").read_text(encoding="utf-8")


def plan(account: Account, wish: Wish, tell: Tell) -> Plan:
    """Find out what there is, which version and which zones are to be had, and have CloudFormation work out the rest.

    Where CloudFormation is still at work, after an interrupted command, it is waited for first.

    Raises AwsFailed when AWS has not what it takes, or the stack is in a state in which it can only be removed.
    """
    _refuse_name(wish.name)
    found = stacks.settle(account, wish.name, tell)
    given = {name: value for name, value in _given(wish).items() if value is not None}
    if found is not None and found.status != "REVIEW_IN_PROGRESS":
        _refuse_anothers(found)
        if found.is_left_over:
            raise AwsFailed(
                f"stack {wish.name} could not be made, or not be removed ({found.status}): it can only be removed",
                remedy=f"{_command('down', wish.name, account.region, _profile(account))}, then the same command again",
            )
        # What was chosen when it was made stays, or a newer default would replace the database.
        parameters = {**found.parameters, **given}
        if not parameters.get("HostImage", "/").startswith("/"):
            del parameters["HostImage"]  # the image itself, where the parameter is the name that leads to it
    else:
        version = given.get("EngineVersion") or _offered_version(account)
        first, second = _zones(account, version)
        parameters = {"EngineVersion": version, "FirstZone": first, "SecondZone": second, **given}
    defaults = {"MinCapacity": "0.5", "MaxCapacity": "2"} | parameters
    least, most = Decimal(defaults["MinCapacity"]), Decimal(defaults["MaxCapacity"])
    if least > most:
        raise BadOption(f"at least {least} ACU and at most {most}: that can't be", remedy="--most-acu may not be less")
    return Plan(
        wish.name, parameters, of_trial(least, most), stacks.propose(account, wish.name, template(), parameters, _TAGS)
    )


def up(account: Account, planned: Plan, tell: Tell) -> Trial:
    """Make it so. Interrupted, CloudFormation goes on; the same command waits for it, and goes on too."""
    if planned.change_set is not None:
        stacks.execute(account, planned.change_set, tell)
    trial = look(account, planned.name)
    assert trial is not None
    return trial


def discard(account: Account, planned: Plan) -> None:
    """Leave all as it is."""
    if planned.change_set is not None:
        stacks.discard(account, planned.change_set)


def look(account: Account, name: str) -> Trial | None:
    """The trial environment of that name; None where there is none."""
    stack = stacks.find(account, name)
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return None
    _refuse_anothers(stack)
    return _trial(account, stack)


def _trial(account: Account, stack: Stack) -> Trial:
    return Trial(
        cluster=stack.output("ClusterIdentifier"),
        endpoint=stack.output("ClusterEndpoint"),
        database=stack.output("DatabaseName"),
        host=stack.output("HostId"),
        region=account.region,
        profile=_profile(account),
    )


def plan_down(account: Account, name: str) -> Leaving | None:
    """What would be removed; None when there is nothing. Raises AwsFailed when something else still uses it."""
    stack = stacks.find(account, name)
    if stack is None:
        return None
    _refuse_anothers(stack)
    _refuse_attached(account, stack)
    return Leaving(stack, tuple(leftovers(account, name)))


def down(account: Account, name: str, tell: Tell) -> tuple[str, ...]:
    """Remove it with all its data; again is as good as once. What is left, in words: what was never the stack's."""
    stacks.delete(account, name, tell)
    return tuple(leftovers(account, name))


def leftovers(account: Account, name: str) -> Iterator[str]:
    """What goes by this trial's name and is no part of its stack: snapshots and logs that somebody wanted kept."""
    rds = account.client("rds")
    with aws_errors(f"could not look for snapshots of cluster {name}"):
        for page in rds.get_paginator("describe_db_cluster_snapshots").paginate(
            DBClusterIdentifier=name, SnapshotType="manual"
        ):
            for snapshot in page["DBClusterSnapshots"]:
                yield f"snapshot {snapshot['DBClusterSnapshotIdentifier']}, which was made by hand"
    with aws_errors(f"could not look for logs of cluster {name}"):
        found = account.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/rds/cluster/{name}/")["logGroups"]
    if stacks.find(account, name) is None:
        yield from (f"log group {each['logGroupName']}" for each in found)


def _given(wish: Wish) -> dict[str, str | None]:
    return {
        "EngineVersion": wish.engine_version,
        "DatabaseName": wish.database,
        "MinCapacity": None if wish.least_acu is None else f"{wish.least_acu:f}",
        "MaxCapacity": None if wish.most_acu is None else f"{wish.most_acu:f}",
        "VpcCidr": wish.vpc_cidr,
    }


def _refuse_name(name: str) -> None:
    # RDS takes lower case only, and no two hyphens in a row.
    if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) is None or len(name) > _LONGEST_NAME:
        raise BadOption(
            f"--name {name}: this can't be the name of a cluster",
            remedy=f"lower-case letters, digits and single hyphens, {_LONGEST_NAME} at most, as {DEFAULT_NAME}",
        )


def _refuse_anothers(stack: Stack) -> None:
    if stack.status != "REVIEW_IN_PROGRESS" and any(stack.tags.get(name) != value for name, value in _TAGS.items()):
        raise AwsFailed(
            f"stack {stack.name} is not a trial environment of partwarden's", remedy="choose another name with --name"
        )


def _refuse_attached(account: Account, stack: Stack) -> None:
    """A stack that lies in our VPC, or a database that another stack has attached itself to, has to go first."""
    vpc = stack.resources.get("Vpc")
    network = {each.physical_id for each in stack.resources.values() if each.type.startswith("AWS::EC2::")}
    if vpc is None or stack.is_left_over:
        return  # what is left of it is for CloudFormation to say
    # A stack that is still being made has no outputs.
    detach = _trial(account, stack).aws_command("destroy") if stack.outputs else "partwarden aws destroy"
    with aws_errors(f"could not look for what uses {vpc.physical_id}"):
        for page in account.client("cloudformation").get_paginator("describe_stacks").paginate():
            for other in page["Stacks"]:
                said = " ".join(each.get("ParameterValue", "") for each in other.get("Parameters", []))
                is_in_it = any(each in said for each in network)
                if is_in_it and other["StackId"] != stack.arn and other["StackStatus"] != "DELETE_COMPLETE":
                    raise AwsFailed(
                        f"stack {other['StackName']} still uses the network of {stack.name}",
                        remedy=f"{detach}, if it is partwarden's; else delete it; then the same command again",
                    )
        cluster = stack.resources.get("Cluster")
        found = [] if cluster is None else _clusters(account, cluster.physical_id)
    for each in found:
        if any(role.get("FeatureName") == "Lambda" for role in each.get("AssociatedRoles", [])):
            raise AwsFailed(
                f"a role to call Lambda is still attached to cluster {stack.name}",
                remedy=f"{detach}; then the same command again",
            )


def _clusters(account: Account, name: str) -> list[DBClusterTypeDef]:
    rds = account.client("rds")
    try:
        return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    except rds.exceptions.DBClusterNotFoundFault:
        return []


def _offered_version(account: Account) -> str:
    """The version that Aurora takes when none is named."""
    attempt = "could not find out which version of Aurora PostgreSQL is offered"
    with aws_errors(attempt):
        found = account.client("rds").describe_db_engine_versions(Engine="aurora-postgresql", DefaultOnly=True)
    versions = [each["EngineVersion"] for each in found["DBEngineVersions"]]
    if not versions:
        raise AwsFailed(f"{attempt} in {account.region}: none is", remedy="choose another region with --region")
    return versions[0]


def _zones(account: Account, version: str) -> tuple[str, str]:
    """Two zones that have all of it: the host's type, Session Manager and what "aws deploy" adds, and the database.

    Not every zone has everything; where no two have, the first has the host and its endpoints.
    """
    with aws_errors(f"could not find out which zones of {account.region} have what a trial takes"):
        ec2 = account.client("ec2")
        offered = (
            account.client("rds")
            .get_paginator("describe_orderable_db_instance_options")
            .paginate(Engine="aurora-postgresql", EngineVersion=version, DBInstanceClass=_CLUSTER_CLASS)
        )
        database = {
            zone["Name"]
            for page in offered
            for option in page["OrderableDBInstanceOptions"]
            for zone in option["AvailabilityZones"]
        }
        host = {
            each["Location"]
            for each in ec2.describe_instance_type_offerings(
                LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [_HOST_TYPE]}]
            )["InstanceTypeOfferings"]
        }
        services = {
            each["ServiceName"].rpartition(".")[2]: set(each["AvailabilityZones"])
            for each in ec2.describe_vpc_endpoint_services(
                ServiceNames=[
                    f"com.amazonaws.{account.region}.{name}" for name in ("ssm", "ssmmessages", "sns", "lambda")
                ]
            )["ServiceDetails"]
        }
    if not database:
        raise AwsFailed(
            f"Aurora PostgreSQL {version} is not offered as {_CLUSTER_CLASS} in {account.region}",
            remedy=f"aws rds describe-db-engine-versions --engine aurora-postgresql --region {account.region} "
            "shows what is; name one with --engine-version",
        )
    ways_in = host & services["ssm"] & services["ssmmessages"]
    alerting = services["sns"] & services["lambda"]
    first = sorted(database & ways_in & alerting) or sorted(database & ways_in)
    second = sorted((database & alerting) - set(first[:1])) or sorted(database - set(first[:1]))
    if not first or not second:
        raise AwsFailed(
            f"no two zones of {account.region} have Aurora, {_HOST_TYPE} and the endpoints of Session Manager",
            remedy="choose another region with --region",
        )
    return first[0], second[0]


def _command(what: str, name: str, region: str, profile: str | None) -> str:
    return f"partwarden aws trial {what}{'' if name == DEFAULT_NAME else f' --name {name}'}{_where(region, profile)}"


def _where(region: str, profile: str | None) -> str:
    return f" --region {region}" + (f" --profile {shlex.quote(profile)}" if profile else "")


def _profile(account: Account) -> str | None:
    """The profile that a command has to be told; the default one goes without saying."""
    name = account.session.profile_name
    return None if name == "default" else name
