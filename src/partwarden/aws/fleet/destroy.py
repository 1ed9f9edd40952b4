"""Takes a fleet away: its stack with all that it knows, then the package and its bucket; clusters are left as they are."""

from __future__ import annotations

from dataclasses import dataclass

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.fleet import store
from partwarden.aws.fleet.deploy import refuse_others
from partwarden.aws.stacks import Tell


@dataclass(frozen=True)
class Remains:
    """What is there to be taken away; None where it is gone."""

    stack: str | None
    bucket_stack: str | None
    group: str | None


def look(account: Account, name: str) -> Remains:
    """What there is. Raises AwsFailed where the stack is not a fleet of ours."""
    stack = stacks.find(account, name)
    if stack is not None and not stack.is_left_over and stack.status != "REVIEW_IN_PROGRESS":
        refuse_others(stack)
    bucket = stacks.find(account, store.stack_name(name))
    return Remains(
        stack=stack.name if stack is not None else None,
        bucket_stack=bucket.name if bucket is not None else None,
        group=stack.outputs.get("WorkerSecurityGroupId") if stack is not None else None,
    )


def destroy(account: Account, name: str, tell: Tell) -> tuple[bool, bool]:
    """Take it away; whether there was a stack, and whether there was a bucket. Again is as good as once."""
    look(account, name)
    return stacks.delete(account, name, tell), store.destroy(account, name, tell)
