"""Servers, databases, and a local AWS, each made once and shared; every test gets a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import MAJORS, Database, Server, find_server, required_majors, running_server


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
