"""Servers, databases, and a local AWS, each made once and shared; every test gets a database of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from partwarden.local.aws import AlertPath, LocalAws, provision
from partwarden.local.mailbox import Mailbox
from tests.docs.typed import counted
from tests.servers import MAJORS, Database, Server, find_server, required_majors, running_server

_MAJOR = re.compile(r"\[(?:pg)?(\d\d)\b")
"""The server's version, as it stands in the name of a test."""


def pytest_report_header() -> list[str]:
    """Which servers the tests run on, how to get the others, and how much of the documentation is run."""
    servers = [
        f"PostgreSQL {major}: {found.bindir if found.root is None else found.root}"
        if (found := find_server(major)) is not None
        else f"PostgreSQL {major}: not here, its tests are skipped (as root: scripts/build-server-roots.sh {major})"
        for major in MAJORS
    ]
    return [*servers, *counted()]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests stay together when several processes share them: those that share a server, or a page.

    Of a test in a module marked ``one_server`` the one on that server is kept whose turn it is: each server gets a third.
    """
    here = [str(major) for major in MAJORS if find_server(major) is not None or major in required_majors()]
    kept: list[pytest.Item] = []
    elsewhere: list[pytest.Item] = []
    for item in items:
        (kept if _has_its_turn(item, here) else elsewhere).append(item)
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = kept
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _has_its_turn(item: pytest.Item, here: list[str]) -> bool:
    major = _MAJOR.search(item.name)
    if major is None or not here or item.get_closest_marker("one_server") is None:
        return True
    without_server = item.name.replace(major[0], "[", 1)
    return major[1] == here[sum(without_server.encode()) % len(here)]


def _group(item: pytest.Item) -> str:
    folder, _, rest = item.nodeid.removeprefix("tests/").partition("/")
    major = _MAJOR.search(item.name)
    half = sum(rest.partition("::")[0].encode()) % 2 if folder == "integration" else 0
    return f"{folder}-{major[1]}-{half}" if major else folder


@pytest.fixture(scope="session", params=MAJORS, ids=lambda major: f"pg{major}")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server, once for each version; skipped, with the reason, where it is neither here nor required."""
    major: int = request.param
    if find_server(major) is None:
        reason = (
            f"no PostgreSQL {major} with pg_cron, pg_partman and PL/Python here (scripts/build-server-roots.sh {major})"
        )
        if major in required_majors():
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(major, tmp_path_factory.mktemp(f"pg{major}-secrets")) as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A database that only this test uses."""
    made = server.new_database()
    yield made
    server.drop_database(made)


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """An AWS on this machine, with IAM, Lambda and SNS."""
    aws = LocalAws(tmp_path_factory.mktemp("aws"))
    aws.start()
    yield aws
    aws.stop()


@pytest.fixture(scope="session")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """The mailbox of the one who is alerted."""
    with Mailbox(tmp_path_factory.mktemp("mails")) as box:
        yield box


@pytest.fixture(scope="session")
def alert_path(local_aws: LocalAws, mailbox: Mailbox) -> AlertPath:
    """Function, topic and subscription, and the identity that a database invokes the function with."""
    return provision(local_aws, mailbox_url=mailbox.url, name="delivery-tests")
