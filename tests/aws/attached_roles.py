"""What ministack lacks of RDS: roles on a cluster. A role that is attached gives the database its rights, as in RDS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from partwarden.aws.account import Account

Credentials = Callable[[str, str], None]


class AttachedRoles:
    """Answers for AddRoleToDBCluster and RemoveRoleFromDBCluster, and shows the roles in DescribeDBClusters.

    The database server of the test gets a key whose rights are those of the role: the policies are copied, so what the
    role is refused, the database is refused too. ``give`` is handed the key, or two empty texts when the role is taken off.
    """

    def __init__(self, account: Account, give: Credentials) -> None:
        self._account = account
        self._give = give
        self._roles: dict[str, str] = {}
        events: Any = account.session.events  # its types don't know of handlers that answer
        events.register("before-call.rds.AddRoleToDBCluster", self._add)
        events.register("before-call.rds.RemoveRoleFromDBCluster", self._remove)
        events.register("after-call.rds.DescribeDBClusters", self._show)

    def _add(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        arn, feature = params["body"]["RoleArn"], params["body"]["FeatureName"]
        self._roles[arn] = feature
        self._give(*self._key_with_rights_of(arn.rpartition("/")[2]))
        return _done()

    def _remove(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        del self._roles[params["body"]["RoleArn"]]
        self._give("", "")
        return _done()

    def _show(self, parsed: dict[str, Any], **_: Any) -> None:
        for cluster in parsed.get("DBClusters", []):
            cluster["AssociatedRoles"] = [
                {"RoleArn": arn, "FeatureName": feature, "Status": "ACTIVE"} for arn, feature in self._roles.items()
            ]

    def _key_with_rights_of(self, role: str) -> tuple[str, str]:
        iam = Account.of().client("iam")
        user = f"{role}-in-the-database"
        iam.create_user(UserName=user)
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


class _Answer:
    status_code = 200


def _done() -> tuple[Any, dict[str, Any]]:
    return _Answer(), {"ResponseMetadata": {"HTTPStatusCode": 200}}
