"""Two steps of a deploy: the database server carries the role and the security group of its alert stack."""

from __future__ import annotations

from partwarden.aws.attachment import attach_group, attach_role
from partwarden.aws.site import Site
from partwarden.aws.steps import Tell


class RoleAttached:
    """The database may take on the role that invokes the function; or one that it has already, if that shall do."""

    name = "role"

    def __init__(self, site: Site, tell: Tell, *, use_attached: bool) -> None:
        self._site = site
        self._tell = tell
        self._use_attached = use_attached

    def found(self) -> str | None:
        """That it carries it."""
        there = self._site.cluster().lambda_role
        if there is None or there.status != "ACTIVE":
            return None
        if self._use_attached:
            return f"{self._site.cluster()} keeps {there.arn}, which has to be allowed to invoke the function"
        stack = self._site.stack()
        if stack is None or stack.outputs.get("DatabaseRoleArn") != there.arn:
            return None
        return f"{self._site.cluster()} has {there.arn}"

    def intent(self) -> str:
        """What would be done."""
        return f"attach the stack's role to {self._site.cluster()} for aws_lambda; other roles stay"

    def do(self) -> str:
        """Attach it."""
        role = self._site.standing_stack().output("DatabaseRoleArn")
        self._tell.waits(f"attaching the role to {self._site.cluster()}; this takes RDS a minute or two")
        try:
            attach_role(self._site.account, self._site.cluster(), role)
        finally:
            self._site.forget()
        return f"{self._site.cluster()} has {role} now"


class GroupAttached:
    """The database carries the security group that leads to Lambda's endpoint, beside those that it has."""

    name = "security group"

    def __init__(self, site: Site, tell: Tell) -> None:
        self._site = site
        self._tell = tell

    def found(self) -> str | None:
        """That it carries it."""
        stack = self._site.stack()
        group = stack.outputs.get("ClientSecurityGroupId") if stack is not None else None
        if group is None or self._site.cluster().group_status(group) != "active":
            return None
        return f"{self._site.cluster()} has {group}"

    def intent(self) -> str:
        """What would be done."""
        groups = ", ".join(group for group, _ in self._site.cluster().security_groups) or "none"
        return f"add the stack's security group to those of {self._site.cluster()} ({groups})"

    def do(self) -> str:
        """Add it."""
        group = self._site.standing_stack().output("ClientSecurityGroupId")
        self._tell.waits(f"adding the security group to {self._site.cluster()}")
        try:
            attach_group(self._site.account, self._site.cluster(), group)
        finally:
            self._site.forget()
        return f"{self._site.cluster()} has {', '.join(each for each, _ in self._site.cluster().security_groups)} now"
