"""Stacks through change sets, on both emulators: proposed, executed, repeated, failed, discarded, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.stacks import ResourceEvent
from partwarden.errors import AwsFailed

NAME = "a-stack"


def template(*topics: str, **resources: Any) -> str:
    """A topic for each name given, and an output for each."""
    made = {
        f"{name}Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Display"}}}
        for name in topics
    }
    return json.dumps(
        {
            "Parameters": {"Display": {"Type": "String", "Default": "a topic"}},
            "Resources": {**made, **resources},
            "Outputs": {f"{name}Arn": {"Value": {"Ref": f"{name}Topic"}} for name in topics},
        }
    )


REFUSED = {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": "not-there"}}


@pytest.fixture(params=["moto_account", "ministack_account"])
def account(request: pytest.FixtureRequest) -> Account:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Account)
    return found


def deploy(account: Account, body: str, **parameters: str) -> tuple[stacks.Stack, list[ResourceEvent]]:
    told: list[ResourceEvent] = []
    changes = stacks.propose(account, NAME, body, parameters, {"made-by": "a test"})
    assert changes is not None
    return stacks.execute(account, changes, told.append), told


def test_new_stack_is_proposed_then_made_and_told_of(account: Account) -> None:
    changes = stacks.propose(account, NAME, template("One"), {"Display": "x"}, {"made-by": "a test"})
    assert changes is not None
    assert changes.is_new
    assert [(each.action, each.logical_id, each.type) for each in changes.changes] == [
        ("Add", "OneTopic", "AWS::SNS::Topic")
    ]
    assert account.client("sns").list_topics()["Topics"] == []
    told: list[ResourceEvent] = []
    stack = stacks.execute(account, changes, told.append)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.is_healthy
    (topic,) = account.client("sns").list_topics()["Topics"]
    assert stack.output("OneArn") == topic["TopicArn"] == stack.resources["OneTopic"].physical_id
    assert stack.parameters == {"Display": "x"}
    assert stack.tags == {"made-by": "a test"}
    assert told[-1].status == "CREATE_COMPLETE"
    assert told[-1].logical_id == NAME
    assert stacks.find(account, NAME) == stack


def test_same_again_is_no_change_and_leaves_no_change_set(account: Account) -> None:
    deploy(account, template("One"), Display="x")
    assert stacks.propose(account, NAME, template("One"), {"Display": "x"}, {"made-by": "a test"}) is None
    left = account.client("cloudformation").list_change_sets(StackName=NAME)["Summaries"]
    assert [each for each in left if each["ExecutionStatus"] != "EXECUTE_COMPLETE"] == []


def test_update_adds_and_removes(account: Account) -> None:
    deploy(account, template("One", "Two"))
    changes = stacks.propose(account, NAME, template("Two", "Three"), {}, {})
    assert changes is not None
    assert not changes.is_new
    assert {(each.action, each.logical_id) for each in changes.changes} >= {
        ("Remove", "OneTopic"),
        ("Add", "ThreeTopic"),
    }
    told: list[ResourceEvent] = []
    stack = stacks.execute(account, changes, told.append)
    assert set(stack.resources) == {"TwoTopic", "ThreeTopic"}
    assert set(stack.outputs) == {"TwoArn", "ThreeArn"}
    assert "UPDATE_COMPLETE" in {each.status for each in told}
    assert "CREATE_COMPLETE" not in {each.status for each in told if each.logical_id == NAME}


def test_discarded_proposal_leaves_nothing(account: Account) -> None:
    changes = stacks.propose(account, NAME, template("One"), {}, {})
    assert changes is not None
    stacks.discard(account, changes)
    assert stacks.find(account, NAME) is None
    assert account.client("sns").list_topics()["Topics"] == []


def test_proposal_that_was_left_behind_is_no_obstacle(ministack_account: Account) -> None:
    # moto makes a second stack of the same name.
    account = ministack_account
    stacks.propose(account, NAME, template("One"), {}, {})
    left = stacks.find(account, NAME)
    assert left is not None
    assert left.status == "REVIEW_IN_PROGRESS"
    assert not left.is_busy
    stack, _ = deploy(account, template("One"))
    assert stack.status == "CREATE_COMPLETE"


def test_deleted_stack_is_gone_and_deleting_it_again_is_no_error(account: Account) -> None:
    deploy(account, template("One"))
    told: list[ResourceEvent] = []
    assert stacks.delete(account, NAME, told.append)
    assert stacks.find(account, NAME) is None
    assert account.client("sns").list_topics()["Topics"] == []
    assert "DELETE_COMPLETE" in {each.status for each in told}
    assert not stacks.delete(account, NAME, told.append)


def test_failure_is_told_with_its_cause_and_what_is_left_can_be_deleted(ministack_account: Account) -> None:
    # moto never rolls back.
    account = ministack_account
    with pytest.raises(
        AwsFailed, match=r"could not create stack a-stack: RefusedStream \(AWS::Logs::LogStream\)"
    ) as failure:
        deploy(account, template("One", RefusedStream=REFUSED))
    assert "ROLLBACK_COMPLETE now" in failure.value.problem
    assert failure.value.remedy
    left = stacks.find(account, NAME)
    assert left is not None
    assert left.is_left_over
    with pytest.raises(AwsFailed, match="can only be deleted"):
        stacks.propose(account, NAME, template("One"), {}, {})
    assert stacks.delete(account, NAME, lambda _: None)
    assert deploy(account, template("One"))[0].is_healthy


def test_failed_update_goes_back_and_says_why(ministack_account: Account) -> None:
    account = ministack_account
    deploy(account, template("One"))
    with pytest.raises(AwsFailed, match="could not update stack a-stack: RefusedStream"):
        deploy(account, template("One", "Two", RefusedStream=REFUSED))
    stack = stacks.find(account, NAME)
    assert stack is not None
    assert (stack.status, set(stack.resources)) == ("UPDATE_ROLLBACK_COMPLETE", {"OneTopic"})
    assert stack.is_healthy
    assert set(deploy(account, template("One", "Two"))[0].resources) == {"OneTopic", "TwoTopic"}


def test_template_that_is_refused_says_so_and_leaves_no_stack(ministack_account: Account) -> None:
    with pytest.raises(AwsFailed, match="could not work out the changes of stack a-stack"):
        stacks.propose(ministack_account, NAME, '{"Resources": {"X": {"Type": "AWS::Nope::Nope"}}}', {}, {})
    assert stacks.find(ministack_account, NAME) is None


def test_template_that_is_too_large_is_refused_before_it_is_sent(moto_account: Account) -> None:
    with pytest.raises(AwsFailed, match="CloudFormation takes 51200"):
        stacks.propose(moto_account, NAME, " " * 51_201, {}, {})
