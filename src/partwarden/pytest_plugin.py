"""The fixture ``partwarden_server``, for the test suites of others: a server with pg_partman, pg_cron and aws_lambda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # no test suite pays for what it does not use
    from partwarden.local.serving import PartwardenServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which server, and what if there is none."""
    group = parser.getgroup("partwarden", "the server of the fixture partwarden_server")
    group.addoption(
        "--partwarden-postgres", type=int, metavar="MAJOR", help="its version of PostgreSQL: 17 [the newest here]"
    )
    group.addoption("--partwarden-bindir", type=Path, metavar="FOLDER", help="the bin folder of its PostgreSQL")
    group.addoption(
        "--partwarden-require", action="store_true", help="where there is no such server, fail instead of skipping"
    )


@pytest.fixture(scope="session")
def partwarden_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PartwardenServer]:
    """A private PostgreSQL that is there as long as the test session; ``new_database()`` makes a fresh database in it."""
    from partwarden.errors import PartwardenError
    from partwarden.local.installation import choose_installation
    from partwarden.local.serving import serving

    major = request.config.getoption("--partwarden-postgres")
    bindir = request.config.getoption("--partwarden-bindir")
    with ExitStack() as running:
        try:
            installation = choose_installation(major=major, bindir=bindir)
            server = running.enter_context(serving(installation, tmp_path_factory.mktemp("partwarden")))
        except PartwardenError as missing:
            if request.config.getoption("--partwarden-require"):
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))
        yield server
