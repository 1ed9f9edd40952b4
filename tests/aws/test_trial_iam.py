"""A trial environment where rights bite, as far as ministack goes: it makes no hosts, and keeps no master user's secret."""

from __future__ import annotations

import re

import pytest

from partwarden.aws import stacks, trial
from partwarden.aws.account import Account
from partwarden.aws.stacks import ResourceEvent
from partwarden.aws.trial import Wish
from partwarden.errors import AwsFailed

NAME = "partwarden-trial"


def without(*names: str) -> str:
    """The template but for some resources and outputs; ministack makes no hosts."""
    text = trial.template().replace("Value: !Ref Host\n", "Value: i-0123456789abcdef0\n")
    for name in names:
        text, found = re.subn(rf"^  {name}:\n(?:    .*\n|\n)+", "", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


def test_all_but_the_host_is_made_told_of_and_removed(
    ministack_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[ResourceEvent] = []
    parameters = {"EngineVersion": "17.7", "HostImage": "/trial/image"}
    ministack_account.client("ssm").put_parameter(Name="/trial/image", Value="ami-0123456789abcdef0", Type="String")
    change_set = stacks.propose(
        ministack_account, NAME, without("Host", "SecretArn"), parameters, {"partwarden": "trial"}
    )
    assert change_set is not None
    stack = stacks.execute(ministack_account, change_set, told.append)
    assert {"Cluster", "Writer", "Vpc", "DatabaseGroup"} <= {event.logical_id for event in told}
    assert stack.outputs["ClusterIdentifier"] == NAME
    leaving = trial.plan_down(ministack_account, NAME)
    assert leaving is not None
    assert trial.down(ministack_account, NAME, told.append) == ()
    assert any(event.status == "DELETE_COMPLETE" for event in told)
    assert ministack_account.client("rds").describe_db_clusters()["DBClusters"] == []


def test_one_that_could_not_be_made_is_named_and_removed(ministack_account: Account) -> None:
    """An output that this emulator can't give fails the stack, and CloudFormation takes the rest back."""
    ministack_account.client("ssm").put_parameter(Name="/trial/image", Value="ami-0123456789abcdef0", Type="String")
    parameters = {"EngineVersion": "17.7", "HostImage": "/trial/image"}
    change_set = stacks.propose(ministack_account, NAME, without("Host"), parameters, {"partwarden": "trial"})
    assert change_set is not None
    with pytest.raises(AwsFailed, match=r"MasterUserSecret"):
        stacks.execute(ministack_account, change_set, lambda _: None)
    with pytest.raises(AwsFailed, match="it can only be removed") as refused:
        trial.plan(ministack_account, Wish(), lambda _: None)
    assert "partwarden aws trial down --region us-east-1" in (refused.value.remedy or "")
    assert trial.plan_down(ministack_account, NAME) is not None
    assert trial.down(ministack_account, NAME, lambda _: None) == ()
    assert stacks.find(ministack_account, NAME) is None
