"""CloudFormation stacks: proposed as a change set, shown, executed with every step told, looked at, and deleted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partwarden.aws.account import Account, ClientError, aws_errors, error_message
from partwarden.errors import AwsFailed

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_POLL_SECONDS = 2.0
_CHANGE_SET_SECONDS = 300
_BEGIN_SECONDS = 60
_LARGEST_BODY = 51_200  # bytes; what is larger has to lie in a bucket

# Nothing can be done with a stack in these but to delete it; a stack that was rolled back has nothing left in it.
_ONLY_TO_DELETE = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})


@dataclass(frozen=True)
class Resource:
    """What a stack has made, under its name in the template and under its name in AWS."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class Stack:
    """A stack as it is. ``outputs``, ``parameters`` and ``tags`` by name, ``resources`` by their name in the template."""

    name: str
    arn: str
    status: str
    reason: str | None
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    resources: Mapping[str, Resource]

    @property
    def is_busy(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return _is_busy(self.status)

    @property
    def is_left_over(self) -> bool:
        """Whether nothing can be done with it but to delete it: its creation or its deletion has failed."""
        return self.status in _ONLY_TO_DELETE

    @property
    def is_healthy(self) -> bool:
        """Whether all of it is there, in its newest form or in the one before."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}

    def output(self, name: str) -> str:
        """An output's value. Raises AwsFailed where the stack has none of that name."""
        if name not in self.outputs:
            raise AwsFailed(
                f"stack {self.name} ({self.status}) has no output {name}",
                remedy=f"see that {self.name} is a stack of partwarden's; if it is, deploy again to bring it up to date",
            )
        return self.outputs[name]


@dataclass(frozen=True)
class Change:
    """What would happen to one resource; ``replacement`` is True, False, Conditional or None, as AWS says it."""

    action: str
    logical_id: str
    physical_id: str | None
    type: str
    replacement: str | None
    scope: tuple[str, ...]


@dataclass(frozen=True)
class ChangeSet:
    """Changes that wait to be executed or discarded. ``is_new``: there is no such stack yet."""

    stack: str
    arn: str
    is_new: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class ResourceEvent:
    """Something that happened to a resource, or to the stack itself, while CloudFormation was at work."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None

    @property
    def is_failure(self) -> bool:
        """Whether this is a cause, not something that was given up because of another."""
        return self.status.endswith("_FAILED") and "cancelled" not in (self.reason or "").lower()


Tell = Callable[[ResourceEvent], None]


def find(account: Account, name: str) -> Stack | None:
    """The stack of that name (or ARN) with everything in it; None where there is none, or none any more."""
    attempt = f"could not look at stack {name}"
    with aws_errors(attempt):
        found = _describe(account, name)
        if found is None or found["StackStatus"] == "DELETE_COMPLETE":
            return None
        pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        resources = [
            Resource(
                logical_id=each["LogicalResourceId"],
                physical_id=each.get("PhysicalResourceId", ""),
                type=each["ResourceType"],
                status=each["ResourceStatus"],
            )
            for page in pages
            for each in page["StackResourceSummaries"]
        ]
    return Stack(
        name=found["StackName"],
        arn=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason"),
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])},
        tags={each["Key"]: each["Value"] for each in found.get("Tags", [])},
        resources={each.logical_id: each for each in resources if each.status != "DELETE_COMPLETE"},
    )


def propose(
    account: Account, name: str, body: str, parameters: Mapping[str, str], tags: Mapping[str, str]
) -> ChangeSet | None:
    """Have CloudFormation work out what it would do to bring the stack to ``body``; None where that is nothing.

    Nothing is changed, but that a stack which is not there yet stands in the list as REVIEW_IN_PROGRESS until the
    change set is executed or discarded. A parameter that is left out has the template's default.

    Raises AwsFailed when the stack is busy, when it can only be deleted (``Stack.is_left_over``), and when the
    template or a parameter is refused.
    """
    attempt = f"could not work out the changes of stack {name}"
    if len(body.encode()) > _LARGEST_BODY:
        raise AwsFailed(
            f"{attempt}: its template has {len(body.encode())} bytes, CloudFormation takes {_LARGEST_BODY}",
            remedy="this is a bug of partwarden: please report it",
        )
    with aws_errors(attempt):
        found = _describe(account, name)
    status = "DELETE_COMPLETE" if found is None else found["StackStatus"]
    _refuse_unfit(attempt, name, status, None if found is None else found.get("StackStatusReason"))
    is_new = status in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
    with aws_errors(attempt):
        try:
            arn = account.client("cloudformation").create_change_set(
                StackName=name,
                ChangeSetName=f"partwarden-{uuid.uuid4().hex[:16]}",
                ChangeSetType="CREATE" if is_new else "UPDATE",
                TemplateBody=body,
                Parameters=[{"ParameterKey": key, "ParameterValue": parameters[key]} for key in sorted(parameters)],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
                Tags=[{"Key": key, "Value": tags[key]} for key in sorted(tags)],
                Description="made by partwarden",
            )["Id"]
        except ClientError as error:
            if _says_no_change(error_message(error)):
                return None
            raise
        changes, refusal = _wait_for_changes(account, name, arn)
    proposed = ChangeSet(name, arn, is_new, changes)
    if refusal is None:
        return proposed  # even where no resource is named: a change of outputs alone looks like that
    discard(account, proposed)
    if _says_no_change(refusal):
        return None
    raise AwsFailed(f"{attempt}: {refusal}", remedy="change what CloudFormation refuses, then the same command again")


def execute(account: Account, change_set: ChangeSet, tell: Tell) -> Stack:
    """Do what was proposed, tell of each resource as it comes and goes, and wait until the stack stands.

    Raises AwsFailed with the resources that failed and why; CloudFormation has undone the rest by then.
    """
    attempt = f"could not {'create' if change_set.is_new else 'update'} stack {change_set.stack}"
    client = account.client("cloudformation")
    with aws_errors(attempt):
        before = _Events(account, change_set.stack)
        before.skip_those_before()
        client.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)
    stack = _wait(account, change_set.stack, before, tell, attempt)
    if stack is None or stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        status = "it is gone" if stack is None else f"it is {stack.status} now"
        raise AwsFailed(
            f"{attempt}: {before.causes() or (stack.reason if stack else None) or 'no reason was given'}; {status}",
            remedy="mend what is named there, then run the same command again",
        )
    return stack


def discard(account: Account, change_set: ChangeSet) -> None:
    """Forget a proposal, and the empty stack that stands for one which is not there yet."""
    client = account.client("cloudformation")
    with aws_errors(f"could not discard the proposed changes of stack {change_set.stack}"):
        client.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)
        if change_set.is_new:
            found = _describe(account, change_set.stack)
            if found is not None and found["StackStatus"] == "REVIEW_IN_PROGRESS":
                client.delete_stack(StackName=change_set.stack)


def settle(account: Account, name: str, tell: Tell) -> Stack | None:
    """Wait until CloudFormation is no longer at work on the stack, after an interrupted command, say; what is there."""
    attempt = f"could not wait for stack {name}"
    stack = find(account, name)
    if stack is None or not stack.is_busy:
        return stack
    events = _Events(account, stack.arn)
    with aws_errors(attempt):
        events.skip_those_before()
    return _wait(account, stack.arn, events, tell, attempt)


def delete(account: Account, name: str, tell: Tell) -> bool:
    """Delete the stack with all that it has made, and wait until it is gone. False when there was none.

    Raises AwsFailed naming what could not be deleted; again is as good as once.
    """
    attempt = f"could not delete stack {name}"
    stack = settle(account, name, tell)
    if stack is None:
        return False
    with aws_errors(attempt):
        # By its ARN: a deleted stack is not found by name.
        events = _Events(account, stack.arn)
        events.skip_those_before()
        account.client("cloudformation").delete_stack(StackName=stack.arn)
    left = _wait(account, stack.arn, events, tell, attempt)
    if left is not None:
        names = ", ".join(f"{each.logical_id} ({each.physical_id})" for each in left.resources.values())
        raise AwsFailed(
            f"{attempt}: {events.causes() or left.reason or 'no reason was given'}; still there: {names or 'the stack'}",
            remedy="see what still uses these, then run the same command again",
        )
    return True


class _Events:
    """The events of a stack, each handed out once, the oldest first."""

    def __init__(self, account: Account, stack: str) -> None:
        self._account = account
        self._stack = stack
        self._seen: set[str] = set()
        self._failures: list[ResourceEvent] = []

    def skip_those_before(self) -> None:
        """Take what has happened until now as told."""
        for _ in self.new():
            pass  # each is remembered as seen
        self._failures.clear()

    def new(self) -> Iterator[ResourceEvent]:
        """What has happened since the last time."""
        fresh: list[Any] = []
        pages = self._account.client("cloudformation").get_paginator("describe_stack_events")
        for page in pages.paginate(StackName=self._stack):
            unseen = [each for each in page["StackEvents"] if each["EventId"] not in self._seen]
            fresh += unseen
            if len(unseen) < len(page["StackEvents"]):
                break
        for each in reversed(fresh):
            self._seen.add(each["EventId"])
            event = ResourceEvent(
                logical_id=each.get("LogicalResourceId", ""),
                physical_id=each.get("PhysicalResourceId", ""),
                type=each.get("ResourceType", ""),
                status=each.get("ResourceStatus", ""),
                reason=each.get("ResourceStatusReason") or None,
            )
            if event.is_failure:
                self._failures.append(event)
            yield event

    def causes(self) -> str:
        """What failed first, in one line; nothing where nothing has."""
        return "; ".join(f"{each.logical_id} ({each.type}): {each.reason}" for each in self._failures[:3])


def _wait(account: Account, name: str, events: _Events, tell: Tell, attempt: str) -> Stack | None:
    """Tell of events until CloudFormation has done; the stack, or None when it is gone.

    A status alone may be the one from before: AWS answers that it has begun before the status says so. So an
    event of the stack itself has to have come, too, or a while has to have passed.
    """
    deadline = time.monotonic() + _BEGIN_SECONDS
    begun = False
    while True:
        with aws_errors(attempt):
            found = _describe(account, name)
            status = "DELETE_COMPLETE" if found is None else found["StackStatus"]
            # After the status: what came before it has been told when we leave.
            fresh = list(events.new()) if found is not None else []
        for event in fresh:
            begun = begun or event.type == "AWS::CloudFormation::Stack"
            tell(event)
        if status == "DELETE_COMPLETE":
            return None
        if not _is_busy(status) and (begun or time.monotonic() > deadline):
            return find(account, name)
        time.sleep(_POLL_SECONDS)


def _wait_for_changes(account: Account, name: str, arn: str) -> tuple[tuple[Change, ...], str | None]:
    """The changes once they are known, and why there are none, if the change set has failed."""
    client = account.client("cloudformation")
    deadline = time.monotonic() + _CHANGE_SET_SECONDS
    while True:
        answer = client.describe_change_set(ChangeSetName=arn, StackName=name)
        if answer["Status"] == "FAILED":
            return (), answer.get("StatusReason") or "no reason was given"
        if answer["Status"] == "CREATE_COMPLETE":
            break
        if time.monotonic() > deadline:
            return (), f"CloudFormation was still at it after {_CHANGE_SET_SECONDS} s"
        time.sleep(_POLL_SECONDS)
    found = list(answer.get("Changes", []))
    while token := answer.get("NextToken"):
        answer = client.describe_change_set(ChangeSetName=arn, StackName=name, NextToken=token)
        found += answer.get("Changes", [])
    changes = [each["ResourceChange"] for each in found if "ResourceChange" in each]
    return (
        tuple(
            Change(
                action=each.get("Action", ""),
                logical_id=each.get("LogicalResourceId", ""),
                physical_id=each.get("PhysicalResourceId") or None,
                type=each.get("ResourceType", ""),
                replacement=each.get("Replacement"),
                scope=tuple(each.get("Scope", [])),
            )
            for each in changes
        ),
        None,
    )


def _describe(account: Account, name: str) -> StackTypeDef | None:
    try:
        return account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error_message(error):
            return None
        raise


def _refuse_unfit(attempt: str, name: str, status: str, reason: str | None) -> None:
    said = f"{status}: {reason}" if reason else status
    if _is_busy(status):
        raise AwsFailed(
            f"{attempt}: CloudFormation is at work on it ({said})",
            remedy="wait until it has ended, then run the same command again",
        )
    if status in _ONLY_TO_DELETE:
        raise AwsFailed(
            f"{attempt}: it is {said}, and can only be deleted",
            remedy=f"delete stack {name}, then run the same command again",
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        raise AwsFailed(
            f"{attempt}: an update has failed, and undoing it too ({said})",
            remedy="in the CloudFormation console: Stack actions, Continue update rollback; "
            "then run the same command again",
        )


def _says_no_change(text: str) -> bool:
    return "didn't contain changes" in text or "No updates are to be performed" in text


def _is_busy(status: str) -> bool:
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
