"""One server for the pages, and a world for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.command_server import serving
from tests.docs.world import World, prepared, world
from tests.servers import Server


@pytest.fixture(scope="package")
def programs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of programs that the pages' shell finds first; the pages' database is prepared meanwhile."""
    with serving(tmp_path_factory.mktemp("docs")) as folder, prepared(server, folder):
        yield folder


@pytest.fixture
def page_world(server: Server, programs: Path, tmp_path: Path) -> Iterator[World]:
    """A world as it is at the top of a page."""
    with world(server, programs, tmp_path) as made:
        yield made
