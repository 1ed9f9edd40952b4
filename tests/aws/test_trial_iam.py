"""A trial environment where rights bite, as far as ministack goes: it makes no hosts, and keeps no master user's secret."""

from __future__ import annotations

import re

import pytest

from partwarden.aws import stacks, trial
from partwarden.aws.account import Account
from partwarden.aws.stacks import ResourceEvent

NAME = "partwarden-trial"


def what_ministack_knows() -> str:
    """The template but for what ministack does not know: the host, and where the secret is."""
    text = trial.template()
    for name in ("Host", "HostId", "SecretArn"):
        text, found = re.subn(rf"^  {name}:\n(?:    .*\n|\n)+", "", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


def test_all_but_the_host_is_made_told_of_and_removed(
    ministack_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[ResourceEvent] = []
    parameters = {"EngineVersion": "17.7", "HostImage": "/trial/image"}
    ministack_account.client("ssm").put_parameter(Name="/trial/image", Value="ami-0123456789abcdef0", Type="String")
    change_set = stacks.propose(ministack_account, NAME, what_ministack_knows(), parameters, {"partwarden": "trial"})
    assert change_set is not None
    stack = stacks.execute(ministack_account, change_set, told.append)
    assert {"Cluster", "Writer", "Vpc", "DatabaseGroup"} <= {event.logical_id for event in told}
    assert stack.outputs["ClusterIdentifier"] == NAME
    leaving = trial.plan_down(ministack_account, NAME)
    assert leaving is not None
    assert trial.down(ministack_account, NAME, told.append) == ()
    assert any(event.status == "DELETE_COMPLETE" for event in told)
    assert ministack_account.client("rds").describe_db_clusters()["DBClusters"] == []
