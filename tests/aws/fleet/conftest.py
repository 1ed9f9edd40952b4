"""A PostgreSQL server as RDS has them: TLS with a certificate of an authority of ours, and a user whose token is taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws.fleet.tls import Authority
from tests.aws.fleet.world import FleetServer, fleet_server
from tests.servers import MAJORS, find_server


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Whoever vouches for the servers."""
    return Authority()


@pytest.fixture(scope="session")
def cluster_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetServer]:
    """One server, of the oldest version that is here."""
    major = next((major for major in MAJORS if find_server(major) is not None), None)
    if major is None:
        pytest.skip("no PostgreSQL with pg_cron, pg_partman and PL/Python here")
    with fleet_server(major, tmp_path_factory.mktemp("fleet-secrets"), authority) as server:
        yield server
