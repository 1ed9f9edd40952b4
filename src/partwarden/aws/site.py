"""Where a deploy works: the account, the database server, its alert stack, and the login to the database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.cluster import Cluster, Role, again
from partwarden.aws.stacks import Stack
from partwarden.errors import AwsFailed

_LONGEST_STACK_NAME = 58  # the function is called after it, with six letters more, of 64

TAG = "partwarden"
"""The tag that a stack of ours bears; its value says which kind it is."""


@dataclass
class Site:
    """What is looked up once, and again after ``forget``, since every step changes something of it."""

    account: Account
    stack_name: str
    _cluster: Cluster | None  # None where it is gone
    dsn: str | None = field(default=None, repr=False)
    _fresh: bool = True
    _stack: Stack | None = None
    _stack_known: bool = False

    def cluster(self) -> Cluster:
        """The database server as it is. Raises AwsFailed where there is none, or none any more."""
        if self._cluster is None:
            raise AwsFailed(
                f"the database of stack {self.stack_name} is not there", remedy="name it with --cluster or --instance"
            )
        if not self._fresh:
            self._cluster = again(self.account, self._cluster)
            self._fresh = True
        return self._cluster

    @property
    def has_cluster(self) -> bool:
        """Whether there is a database server; it may be gone when its stack is to go, too."""
        return self._cluster is not None

    def stack(self) -> Stack | None:
        """The alert stack as it is; None where there is none, or nothing but a proposal of one."""
        if not self._stack_known:
            found = stacks.find(self.account, self.stack_name)
            self._stack = None if found is not None and found.status == "REVIEW_IN_PROGRESS" else found
            self._stack_known = True
        return self._stack

    def standing_stack(self) -> Stack:
        """The alert stack. Raises AwsFailed where there is none."""
        stack = self.stack()
        if stack is None:
            raise AwsFailed(f"there is no stack {self.stack_name} in {self.account}", remedy="partwarden aws deploy")
        return stack

    def login(self) -> str:
        """The connection string, to be handed to ``database.connect`` and to nobody else."""
        assert self.dsn is not None
        return self.dsn

    def forget(self) -> None:
        """Something has been changed: look again."""
        self._fresh = False
        self._stack_known = False


def stack_name_for(name: str) -> str:
    """What the alert stack of a database server is called, unless somebody says otherwise."""
    wanted = f"partwarden-{name}"
    if len(wanted) <= _LONGEST_STACK_NAME:
        return wanted
    return f"{wanted[: _LONGEST_STACK_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def client_group(stack: Stack) -> str | None:
    """The security group of the stack that its database carries; None where the stack has it no more."""
    made = stack.resources.get("ClientSecurityGroup")
    return stack.outputs.get("ClientSecurityGroupId") or (made.physical_id if made is not None else None) or None


def role_on(cluster: Cluster, stack: Stack) -> Role | None:
    """The role of this stack among those that the database has; found by its name where a broken stack has no outputs."""
    made = stack.resources.get("DatabaseRole")
    for role in cluster.roles:
        if role.arn == stack.outputs.get("DatabaseRoleArn"):
            return role
        if made is not None and made.physical_id and role.arn.endswith(f":role/{made.physical_id}"):
            return role
    return None
