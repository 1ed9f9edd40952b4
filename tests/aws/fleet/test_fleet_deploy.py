"""A fleet's stacks: made, repeated, changed, interrupted, taken away."""

from __future__ import annotations

from typing import Any

import pytest

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.fleet import deploy as deploying
from partwarden.aws.fleet import store
from partwarden.aws.fleet.deploy import Deploy, Plan
from partwarden.aws.fleet.destroy import destroy
from partwarden.aws.fleet.member import Member
from partwarden.aws.fleet.package import Package
from partwarden.aws.fleet.wish import Wish
from partwarden.errors import AwsFailed, BadOption
from tests.aws.fleet.home import NAME, SMALL, Home
from tests.aws.fleet.inventory import inventory

WISH = Wish(emails=("dba@example.com",))
TOPIC = "arn:aws:sns:us-east-1:000000000000:shop-dbas"
MEMBERS = [Member("orders", "orders.example.com"), Member("shop", "shop.example.com", topic_arn=TOPIC)]


@pytest.fixture
def home(ministack_account: Account) -> Home:
    made = Home.make(ministack_account)
    made.list_members(MEMBERS)
    return made


def planned(home: Home, wish: Wish = WISH, package: Package = SMALL) -> tuple[Deploy, Plan]:
    work = Deploy(home.site, wish, lambda _: None, lambda _: package)
    return work, work.plan()


def test_dry_run_shows_everything_and_leaves_nothing(home: Home) -> None:
    before = inventory(home.account)
    work, plan = planned(home)
    assert not plan.is_done
    assert plan.bucket_changes is not None
    assert plan.changes is not None
    assert {"Worker", "Dispatcher", "Queue", "Table", "SnsEndpoint", "DynamoDbEndpoint"} <= {
        each.logical_id for each in plan.changes.changes
    }
    assert [member.name for member in plan.roster.members] == ["orders", "shop"]
    work.discard()
    assert inventory(home.account) == before


def test_deploy_is_repeated_changed_and_taken_away_again(home: Home) -> None:
    before = inventory(home.account)
    stack, told = home.deploy(WISH)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.parameters["MemberTopicArns"] == TOPIC
    assert stack.parameters["DatabaseNetwork"] == "10.7.0.0/16"
    assert {"Worker", "Bucket"} <= {event.logical_id for event in told}
    work, plan = planned(home, Wish())
    work.discard()
    assert plan.is_done
    changed = Package({**SMALL.contents, "more": b"of it"})
    stack, _ = home.deploy(Wish(every_minutes=1, architecture="x86_64"), changed)
    assert stack.status == "UPDATE_COMPLETE"
    assert stack.parameters["EveryMinutes"] == "1"
    assert stack.parameters["NotificationEmail"] == "dba@example.com"
    bucket = store.bucket_of(home.account, NAME)
    assert bucket is not None
    listed = home.account.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [each["Key"] for each in listed] == [f"{changed.hash}-x86_64.zip"]
    assert destroy(home.account, NAME, lambda _: None) == (True, True)
    assert inventory(home.account) == before
    assert destroy(home.account, NAME, lambda _: None) == (False, False)


@pytest.mark.parametrize(
    ("module", "name", "count", "goes_on"),
    [
        (stacks, "execute", 1, True),
        (store, "put", 1, False),
        (stacks, "propose", 3, True),
        (stacks, "execute", 2, False),
    ],
    ids=["bucket", "upload", "change set", "stack"],
)
def test_what_fails_half_way_is_gone_on_with_or_taken_away(
    home: Home, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, count: int, *, goes_on: bool
) -> None:
    before = inventory(home.account)
    with monkeypatch.context() as patch:
        fail_at(patch, module, name, count)
        work, _ = planned(home)
        with pytest.raises(AwsFailed, match="injected"):
            work.run()
    if goes_on:
        stack, _ = home.deploy(WISH)
        assert stack.is_healthy
    destroy(home.account, NAME, lambda _: None)
    assert inventory(home.account) == before


def fail_at(patch: pytest.MonkeyPatch, module: Any, name: str, count: int) -> None:
    """Let the call of that number fail, before it has done anything."""
    real, calls = getattr(module, name), 0

    def fail(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            raise AwsFailed("injected", remedy="none")
        return real(*arguments, **more)

    patch.setattr(module, name, fail)


def test_nobody_to_tell_and_nowhere_to_live_are_refused(home: Home) -> None:
    with pytest.raises(BadOption, match="nobody would be told"):
        planned(home, Wish())
    nowhere = Deploy(deploying.Site(home.account, NAME), WISH, lambda _: None, lambda _: SMALL)
    with pytest.raises(BadOption, match="where the workers are to live"):
        nowhere.plan()


def test_stack_of_others_is_left_alone(home: Home) -> None:
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    changes = stacks.propose(home.account, NAME, body, {}, {})
    assert changes is not None
    stacks.execute(home.account, changes, lambda _: None)
    with pytest.raises(AwsFailed, match="not a fleet of partwarden's"):
        planned(home)
    with pytest.raises(AwsFailed, match="not a fleet of partwarden's"):
        destroy(home.account, NAME, lambda _: None)
