"""Every call of the API that deploy, status and destroy make is on the page that says so, and the policy allows it.

After a change that is meant: PARTWARDEN_WRITE_CALLS=1 pytest tests/aws/test_calls.py, and read the difference.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from partwarden.aws import stacks
from partwarden.aws.account import Account
from partwarden.aws.alert_stack import Wish
from partwarden.aws.deploy import Deploy
from partwarden.aws.destroy import Destroy
from partwarden.aws.site import Site
from partwarden.aws.status import status
from partwarden.cli.aws.options import Place, find_site
from tests.aws.world import ADDRESS, CLUSTER, Call, Told, World, add_cluster, add_instance, make_world

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = DOCS / "aws-calls.md"
POLICY = DOCS / "aws-deploy-policy.json"
STACK = f"partwarden-{CLUSTER}"

HEAD = """\
# What the commands do to an account

Every call that `partwarden aws deploy`, `status` and `destroy` make of AWS, with its parameters, as recorded by a test
that fails when one is added, left out or changed. What CloudFormation then makes is in [the template](aws-stack.md).
Names in capitals stand for ids. Reading calls that are repeated while something is waited for are shown once.
[aws-deploy-policy.json](aws-deploy-policy.json) allows these calls, and what CloudFormation does in the caller's name.
"""


@pytest.fixture
def world(moto_account: Account, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(moto_account)
    monkeypatch.setattr(Account, "of", lambda *_: made.account)
    return made


def site(kind: str) -> Site:
    """Found as a command finds it."""
    return find_site(Place(cluster=CLUSTER) if kind == "cluster" else Place(instance=CLUSTER), None, must_exist=False)


def recorded(world: World, kind: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with its calls."""
    add_cluster(world) if kind == "cluster" else add_instance(world)
    names: dict[str, str] = {}

    def deploy() -> None:
        work = Deploy(site(kind), Wish(emails=(ADDRESS,)), Told(), wait_seconds=0)
        work.plan()
        work.run()
        made = len(world.calls)
        names.update(known(world))
        del world.calls[made:]  # those were ours

    def look() -> None:
        status(site(kind))

    def destroy() -> None:
        Destroy(site(kind), Told()).run()

    for title, command in (("deploy", deploy), ("deploy, again", deploy), ("status", look), ("destroy", destroy)):
        world.calls.clear()
        command()
        calls = list(world.calls)
        yield title, list(lines(calls, names))


def known(world: World) -> dict[str, str]:
    """What stands for an id that is another one each time."""
    stack = stacks.find(world.account, STACK)
    assert stack is not None
    names = {world.vpc: "VPC", world.group: "GROUP-OF-THE-DATABASE", stack.arn: "STACK-ARN"}
    names |= {subnet: f"SUBNET-{number}" for number, subnet in enumerate(world.subnets, 1)}
    names |= {value: f"OUTPUT-{name}" for name, value in stack.outputs.items()}
    endpoints = world.account.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    marks = {group["GroupId"] for each in endpoints for group in each["Groups"]}
    names |= dict.fromkeys(sorted(marks), "GROUP-OF-AN-ENDPOINT")
    return names


def lines(calls: list[Call], names: dict[str, str]) -> Iterator[str]:
    last = ""
    for call in calls:
        parameters: dict[str, Any] = {
            name: "(the template)" if name == "TemplateBody" else value for name, value in call.parameters.items()
        }
        text = json.dumps(parameters, default=str)
        for identity, name in sorted(names.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(identity, name)
        text = re.sub(r"arn:aws:cloudformation:[^\"]*:changeSet/[^\"]*", "CHANGE-SET-ARN", text)
        text = re.sub(r"partwarden-[0-9a-f]{16}", "CHANGE-SET", text)
        text = re.sub(r'(?<="GroupIds": \[)[^]]*', lambda found: ", ".join(sorted(found[0].split(", "))), text)
        line = f"{call.action} {text}"
        if line != last:
            yield line
        last = line


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_every_call_is_on_the_page_and_allowed_by_the_policy(world: World, kind: str) -> None:
    allowed = [action for statement in json.loads(POLICY.read_text())["Statement"] for action in statement["Action"]]
    section = [f"## For {'a cluster' if kind == 'cluster' else 'an instance'}", ""]
    for title, calls in recorded(world, kind):
        section += [f"### {title}: {kind}", "", "```", *calls, "```", ""]
        for call in calls:
            action = call.partition(" ")[0]
            assert any(fnmatch.fnmatchcase(action, each) for each in allowed), action
    wanted = "\n".join(section)
    if os.environ.get("PARTWARDEN_WRITE_CALLS"):
        page = PAGE.read_text() if kind == "instance" and PAGE.exists() else HEAD
        PAGE.write_text(f"{page}\n{wanted}".rstrip() + "\n")
    assert wanted.rstrip() in PAGE.read_text()
