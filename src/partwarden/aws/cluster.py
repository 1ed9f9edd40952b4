"""What an Aurora or Multi-AZ cluster, or an RDS instance, is: where it lives, what it carries, how one logs in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partwarden.aws.account import Account, ClientError, aws_errors, error_code
from partwarden.errors import AwsFailed

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef, DBInstanceTypeDef

LAMBDA = "Lambda"
"""The feature that RDS knows the role for aws_lambda by."""


@dataclass(frozen=True)
class Role:
    """A role that the database may take on. ``status``: ACTIVE, PENDING or INVALID."""

    arn: str
    feature: str
    status: str


@dataclass(frozen=True)
class Subnet:
    """A subnet of the database's subnet group."""

    id: str
    zone: str


@dataclass(frozen=True)
class Cluster:
    """An RDS database server: a cluster, or an instance that stands alone (``is_cluster`` is False).

    ``security_groups`` are ids with their status (``active``, ``adding``, ``removing``). ``managed_secret`` is the ARN
    of the secret in which RDS keeps the master user's password, where it does.
    """

    name: str
    arn: str
    is_cluster: bool
    engine: str
    engine_version: str
    status: str
    endpoint: str
    port: int
    master_user: str
    managed_secret: str | None
    has_iam_authentication: bool
    vpc: str
    subnets: tuple[Subnet, ...]
    security_groups: tuple[tuple[str, str], ...]
    roles: tuple[Role, ...]
    parameter_group: str | None

    def __str__(self) -> str:
        return f"{'cluster' if self.is_cluster else 'instance'} {self.name}"

    @property
    def option(self) -> str:
        """How a command names it."""
        return f"--{'cluster' if self.is_cluster else 'instance'} {self.name}"

    @property
    def lambda_role(self) -> Role | None:
        """The role that aws_lambda takes on; there is room for one."""
        return next((role for role in self.roles if role.feature.lower() == LAMBDA.lower()), None)

    def group_status(self, group: str) -> str | None:
        """The status of a security group that it carries; None where it does not."""
        return dict(self.security_groups).get(group)


def find_cluster(account: Account, name: str) -> Cluster:
    """The cluster of that name. Raises AwsFailed, with the names there are, when it is not there or not PostgreSQL."""
    attempt = f"could not find cluster {name} in {account}"
    client = account.client("rds")
    with aws_errors(attempt):
        try:
            found = client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        except ClientError as error:
            if not error_code(error).startswith("DBClusterNotFound"):
                raise
            there = [
                each["DBClusterIdentifier"]
                for page in client.get_paginator("describe_db_clusters").paginate()
                for each in page["DBClusters"]
            ]
            raise _missing("cluster", name, account, there, other="--instance") from None
        group = client.describe_db_subnet_groups(DBSubnetGroupName=found["DBSubnetGroup"])["DBSubnetGroups"][0]
    _refuse_other_engine("cluster", name, found["Engine"])
    return _cluster(found, group)


def find_instance(account: Account, name: str) -> Cluster:
    """The instance of that name, which must not belong to a cluster. Raises AwsFailed as ``find_cluster`` does."""
    attempt = f"could not find instance {name} in {account}"
    client = account.client("rds")
    with aws_errors(attempt):
        try:
            found = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        except ClientError as error:
            if not error_code(error).startswith("DBInstanceNotFound"):
                raise
            there = [
                each["DBInstanceIdentifier"]
                for page in client.get_paginator("describe_db_instances").paginate()
                for each in page["DBInstances"]
                if not each.get("DBClusterIdentifier")
            ]
            raise _missing("instance", name, account, there, other="--cluster") from None
    if of := found.get("DBClusterIdentifier"):
        raise AwsFailed(
            f"instance {name} belongs to cluster {of}, which carries the role and the security groups",
            remedy=f"name the cluster: --cluster {of}",
        )
    _refuse_other_engine("instance", name, found["Engine"])
    return _instance(found)


def again(account: Account, cluster: Cluster) -> Cluster:
    """The same, as it is now."""
    return (find_cluster if cluster.is_cluster else find_instance)(account, cluster.name)


def _cluster(found: DBClusterTypeDef, group: Any) -> Cluster:
    return _server(
        found,
        group,
        name=found["DBClusterIdentifier"],
        arn=found["DBClusterArn"],
        is_cluster=True,
        status=found["Status"],
        endpoint=found.get("Endpoint", ""),
        port=found.get("Port", 5432),
        parameter_group=found.get("DBClusterParameterGroup"),
    )


def _instance(found: DBInstanceTypeDef) -> Cluster:
    parameter_groups = found.get("DBParameterGroups", [])
    return _server(
        found,
        found["DBSubnetGroup"],
        name=found["DBInstanceIdentifier"],
        arn=found["DBInstanceArn"],
        is_cluster=False,
        status=found["DBInstanceStatus"],
        endpoint=found.get("Endpoint", {}).get("Address", ""),
        port=found.get("Endpoint", {}).get("Port", 5432),
        parameter_group=parameter_groups[0]["DBParameterGroupName"] if parameter_groups else None,
    )


def _server(
    found: DBClusterTypeDef | DBInstanceTypeDef,
    group: Any,
    *,
    name: str,
    arn: str,
    is_cluster: bool,
    status: str,
    endpoint: str,
    port: int,
    parameter_group: str | None,
) -> Cluster:
    """With what RDS says in the same way of both."""
    return Cluster(
        name=name,
        arn=arn,
        is_cluster=is_cluster,
        engine=found["Engine"],
        engine_version=found["EngineVersion"],
        status=status,
        endpoint=endpoint,
        port=port,
        master_user=found.get("MasterUsername", ""),
        managed_secret=found.get("MasterUserSecret", {}).get("SecretArn"),
        has_iam_authentication=found.get("IAMDatabaseAuthenticationEnabled", False),
        vpc=group["VpcId"],
        subnets=_subnets(group),
        security_groups=_groups(found.get("VpcSecurityGroups", [])),
        roles=_roles(found.get("AssociatedRoles", [])),
        parameter_group=parameter_group,
    )


def _subnets(group: Any) -> tuple[Subnet, ...]:
    return tuple(
        sorted(
            (
                Subnet(each["SubnetIdentifier"], each.get("SubnetAvailabilityZone", {}).get("Name", ""))
                for each in group["Subnets"]
            ),
            key=lambda subnet: (subnet.zone, subnet.id),
        )
    )


def _groups(found: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((each["VpcSecurityGroupId"], each.get("Status") or "active") for each in found)


def _roles(found: Sequence[Any]) -> tuple[Role, ...]:
    return tuple(
        Role(arn=each["RoleArn"], feature=each.get("FeatureName", ""), status=each.get("Status") or "ACTIVE")
        for each in found
    )


def _refuse_other_engine(what: str, name: str, engine: str) -> None:
    if engine not in {"aurora-postgresql", "postgres"}:
        raise AwsFailed(f"{what} {name} runs {engine}; partwarden is for PostgreSQL", remedy="name another")


def _missing(what: str, name: str, account: Account, there: Sequence[str], *, other: str) -> AwsFailed:
    return AwsFailed(
        f"there is no {what} {name} in {account}",
        remedy=f"there are: {', '.join(sorted(there))}"
        if there
        else f"there is none at all; see --region and --profile, or name it with {other}",
    )
