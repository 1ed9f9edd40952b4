"""The reference says what the program does: it is written from it, with ``PARTWARDEN_WRITE_PAGES=1``."""

from __future__ import annotations

import pytest

from partwarden.install import install
from tests.docs import commands_page, json_page, metrics_page, sql_page
from tests.docs.json_shapes import shapes
from tests.docs.world import World
from tests.docs.written import is_up_to_date
from tests.servers import Database


def test_the_page_of_commands_is_up_to_date() -> None:
    assert is_up_to_date(commands_page.NAME, commands_page.page())


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert is_up_to_date(metrics_page.NAME, metrics_page.page())


@pytest.mark.parametrize("server", [18], ids=["pg18"], indirect=True)
def test_the_page_of_json_is_up_to_date(page_world: World) -> None:
    assert is_up_to_date(json_page.NAME, json_page.page(shapes(page_world)))


@pytest.mark.parametrize("server", [18], ids=["pg18"], indirect=True)
def test_the_page_of_sql_is_up_to_date(database: Database) -> None:
    with database.connect_owner() as connection:
        install(connection)
        assert is_up_to_date(sql_page.NAME, sql_page.page(connection))


def test_every_command_has_help_and_so_has_each_of_its_options() -> None:
    for command in commands_page.commands():
        assert command.app.help, command.name
        for argument in command.arguments:
            assert argument.parameter.help, f"{command.name} {argument.name}"
