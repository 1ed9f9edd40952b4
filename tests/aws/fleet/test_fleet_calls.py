"""Every call of the API that the commands for a fleet make is on the page that says so.

After a change that is meant: PARTWARDEN_WRITE_CALLS=1 pytest tests/aws/fleet/test_fleet_calls.py, and read the difference.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from partwarden.aws.account import Account
from partwarden.aws.fleet import store
from partwarden.aws.fleet.deploy import Deploy
from partwarden.aws.fleet.destroy import destroy
from partwarden.aws.fleet.member import Member
from partwarden.aws.fleet.status import look
from partwarden.aws.fleet.wish import Wish
from partwarden.aws.stacks import find
from tests.aws.fleet.home import NAME, SMALL, Home
from tests.aws.fleet.local_fleet import speak_http

PAGE = Path(__file__).parents[3] / "docs" / "fleet-calls.md"

HEAD = """\
# What the commands for a fleet do to an account

Every call that `partwarden aws fleet deploy`, `status` and `destroy` make of AWS, with its parameters, as recorded by a test
that fails when one is added, left out or changed. What CloudFormation then makes is in the templates, `fleet.yaml` and
`fleet-bucket.yaml`. Names in capitals stand for ids. What is asked again while something is waited for is shown once.

What the functions do, once they are there, is in [their rights](fleet.md#rights).
"""


def test_every_call_is_on_the_page(ministack_account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    speak_http(monkeypatch)
    home = Home.make(ministack_account)
    home.list_members([Member("shop", "shop.example.com")])
    account = Account.of()  # with clients that have not been made yet
    calls: list[tuple[str, dict[str, Any]]] = []
    account.session.events.register(
        "provide-client-params.*.*",
        lambda params, model, **_: calls.append((f"{model.service_model.endpoint_prefix}:{model.name}", params)),
    )
    page = HEAD
    for title, lines in recorded(home, account, calls):
        page += "\n".join(["", f"## {title}", "", "```", *lines, "```", ""])
    if os.environ.get("PARTWARDEN_WRITE_CALLS"):
        PAGE.write_text(page)
    assert page == PAGE.read_text()


def recorded(home: Home, account: Account, calls: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, list[str]]]:
    site = Home(account, home.vpc, home.subnets).site
    names: dict[str, str] = {}

    def deploy() -> None:
        work = Deploy(site, Wish(emails=("dba@example.com",)), lambda _: None, lambda _: SMALL)
        if not work.plan().is_done:
            work.run()

    def learn() -> None:
        """What stands for an id that is another one each time."""
        for name in (NAME, store.stack_name(NAME)):
            stack = find(home.account, name)
            assert stack is not None
            names[stack.arn] = f"ARN-OF-{name}"
            names.update({value: f"OUTPUT-{key}" for key, value in stack.outputs.items()})
        names[home.vpc] = "VPC"
        names.update({subnet: f"SUBNET-{number}" for number, subnet in enumerate(home.subnets, 1)})
        tables = home.account.client("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [home.vpc]}])
        names[tables["RouteTables"][0]["RouteTableId"]] = "ROUTE-TABLE"

    for title, command in (
        ("deploy", deploy),
        ("deploy, again", deploy),
        ("status", lambda: look(account, NAME, datetime.now(UTC))),
        ("destroy", lambda: destroy(account, NAME, lambda _: None)),
    ):
        calls.clear()
        command()
        if title != "destroy":
            learn()
        yield title, list(shown(calls, names))


def shown(calls: list[tuple[str, dict[str, Any]]], names: dict[str, str]) -> Iterator[str]:
    last = ""
    for action, parameters in calls:
        written = {
            name: {"TemplateBody": "(the template)", "Body": "(the package)"}.get(name, value)
            for name, value in parameters.items()
        }
        text = json.dumps(written, default=str)
        for identity, name in sorted(names.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(identity, name)
        text = re.sub(r"arn:aws:cloudformation:[^\"]*:changeSet/[^\"]*", "ARN-OF-THE-CHANGE-SET", text)
        text = re.sub(r"partwarden-[0-9a-f]{16}", "CHANGE-SET", text)
        text = re.sub(r"\b[0-9a-f]{64}\b", "HASH-OF-THE-PACKAGE", text)
        if (line := f"{action} {text}") != last:
            yield line
        last = line
