"""The role and the security group on a database server: added to what it carries, and taken off again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from partwarden.aws.account import Account, ClientError, aws_errors, error_code
from partwarden.aws.cluster import LAMBDA, Cluster, again
from partwarden.errors import AwsFailed

_POLL_SECONDS = 5.0
_SECONDS = 900
_AT_REST = frozenset({"available", "storage-optimization"})


def attach_role(account: Account, cluster: Cluster, role: str) -> None:
    """Let the database take on the role for aws_lambda, and wait until it can. Nothing happens where it can already.

    Raises AwsFailed when the place is taken by another role, of which RDS keeps one for each feature.
    """
    attempt = f"could not attach role {role} to {cluster}"
    cluster = _wait_until_at_rest(account, cluster, attempt)
    there = cluster.lambda_role
    if there is not None and there.arn != role:
        raise AwsFailed(
            f"{attempt}: it has {there.arn} for aws_lambda already, and RDS keeps one role for that",
            remedy=f"take that off (aws rds remove-role-from-db-{'cluster' if cluster.is_cluster else 'instance'}), or say "
            "--use-attached-role and let that role invoke the function",
        )
    if there is None:
        client = account.client("rds")
        with aws_errors(attempt):
            if cluster.is_cluster:
                client.add_role_to_db_cluster(DBClusterIdentifier=cluster.name, RoleArn=role, FeatureName=LAMBDA)
            else:
                client.add_role_to_db_instance(DBInstanceIdentifier=cluster.name, RoleArn=role, FeatureName=LAMBDA)

    def is_active(now: Cluster) -> bool:
        found = now.lambda_role
        if found is not None and found.status == "INVALID":
            raise AwsFailed(
                f"{attempt}: RDS can't take it on (INVALID)",
                remedy=f"see that {role} is there and trusts rds.amazonaws.com for {cluster.arn}",
            )
        return found is not None and found.arn == role and found.status == "ACTIVE"

    _wait_until(account, cluster, is_active, f"{attempt}: it was added, and is not active")


def detach_role(account: Account, cluster: Cluster, role: str) -> bool:
    """Take this role off, and wait until it is gone. False where it was not there; other roles are left alone."""
    attempt = f"could not take role {role} off {cluster}"
    if role not in {each.arn for each in cluster.roles}:
        return False
    cluster = _wait_until_at_rest(account, cluster, attempt)
    client = account.client("rds")
    with aws_errors(attempt):
        try:
            if cluster.is_cluster:
                client.remove_role_from_db_cluster(DBClusterIdentifier=cluster.name, RoleArn=role, FeatureName=LAMBDA)
            else:
                client.remove_role_from_db_instance(DBInstanceIdentifier=cluster.name, RoleArn=role, FeatureName=LAMBDA)
        except ClientError as error:
            if "RoleNotFound" not in error_code(error):
                raise
    _wait_until(
        account,
        cluster,
        lambda now: role not in {each.arn for each in now.roles},
        f"{attempt}: it was removed, and is still there",
    )
    return True


def attach_group(account: Account, cluster: Cluster, group: str) -> None:
    """Add the security group to those that the database carries, and wait until it counts."""
    attempt = f"could not add security group {group} to {cluster}"
    cluster = _wait_until_at_rest(account, cluster, attempt)
    if cluster.group_status(group) is None:
        _set_groups(account, cluster, [*_ids(cluster), group], attempt)
    _wait_until(
        account,
        cluster,
        lambda now: now.group_status(group) == "active",
        f"{attempt}: it was added, and is not active",
    )


def detach_group(account: Account, cluster: Cluster, group: str) -> bool:
    """Take this security group off, and wait until it is gone. False where it was not there; others are left alone.

    Raises AwsFailed when it is the only one: RDS would not let a database be without.
    """
    attempt = f"could not take security group {group} off {cluster}"
    if cluster.group_status(group) is None:
        return False
    cluster = _wait_until_at_rest(account, cluster, attempt)
    others = [each for each in _ids(cluster) if each != group]
    if not others:
        raise AwsFailed(
            f"{attempt}: it is the only one that it has", remedy="give the database another security group first"
        )
    _set_groups(account, cluster, others, attempt)
    _wait_until(
        account,
        cluster,
        lambda now: now.group_status(group) is None,
        f"{attempt}: it was removed, and is still there",
    )
    return True


def _ids(cluster: Cluster) -> list[str]:
    return [group for group, status in cluster.security_groups if status != "removing"]


def _set_groups(account: Account, cluster: Cluster, groups: Iterable[str], attempt: str) -> None:
    """RDS takes the whole list, and drops what is not on it."""
    client = account.client("rds")
    wanted = list(groups)
    with aws_errors(attempt):
        if cluster.is_cluster:
            client.modify_db_cluster(
                DBClusterIdentifier=cluster.name, VpcSecurityGroupIds=wanted, ApplyImmediately=True
            )
        else:
            client.modify_db_instance(
                DBInstanceIdentifier=cluster.name, VpcSecurityGroupIds=wanted, ApplyImmediately=True
            )


def _wait_until_at_rest(account: Account, cluster: Cluster, attempt: str) -> Cluster:
    """RDS changes a database that is available, and no other."""

    def is_at_rest(now: Cluster) -> bool:
        if now.status in {"stopped", "stopping"} or "fail" in now.status or now.status.startswith("in"):
            start = f"aws rds start-db-{'cluster' if now.is_cluster else 'instance'}"
            raise AwsFailed(
                f"{attempt}: it is {now.status}",
                remedy=f"start it ({start}), then run the same command again"
                if now.status.startswith("stop")
                else "see the RDS console for what is wrong with it, then run the same command again",
            )
        return now.status in _AT_REST

    return _wait_until(account, cluster, is_at_rest, f"{attempt}: it is not available")


def _wait_until(account: Account, cluster: Cluster, condition: Callable[[Cluster], bool], problem: str) -> Cluster:
    deadline = time.monotonic() + _SECONDS
    while True:
        now = again(account, cluster)
        if condition(now):
            return now
        if time.monotonic() > deadline:
            raise AwsFailed(
                f"{problem} after {_SECONDS // 60} minutes (status {now.status})",
                remedy="see its events in the RDS console, then run the same command again",
            )
        time.sleep(_POLL_SECONDS)
