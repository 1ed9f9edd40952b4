"""The face that a program sees: the functions that the command line uses, loaded when they are asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import partwarden
from partwarden import draining, health, planning
from tests.partition_sets import daily_set, put_row_in_the_way
from tests.servers import Database

pytestmark = pytest.mark.one_server

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def test_it_is_what_the_command_line_uses() -> None:
    assert (partwarden.check, partwarden.plan, partwarden.drain) == (
        health.check_database,
        planning.plan,
        draining.drain,
    )
    assert set(partwarden.__all__) <= set(dir(partwarden))
    assert all(getattr(partwarden, name) for name in partwarden.__all__)
    with pytest.raises(AttributeError, match="module 'partwarden' has no attribute 'plann'"):
        partwarden.plann  # type: ignore[attr-defined]  # noqa: B018


def test_to_import_it_loads_nothing_else() -> None:
    asked = (
        "import partwarden, sys; print(sorted({each.partition('.')[0] for each in sys.modules} & set(sys.argv[1:])))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked, "psycopg", "pydantic", "rich", "cyclopts"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"


def test_the_example_of_the_page_works(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.connect_owner() as owner:
        owner.execute("create schema app")
        daily_set(owner, "app.events")
        put_row_in_the_way(owner, "app.events")
    monkeypatch.setenv("APP_DSN", database.owner_dsn)
    monkeypatch.chdir(tmp_path)
    Path("partwarden.yaml").write_text(
        "databases: [{name: app, dsn: 'env:APP_DSN', partition_sets: "
        "[{table: app.events, control: created_at, interval: 1 day, premake: 9}]}]"
    )
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, PAGE, "exec"), {})  # noqa: S102
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("warning app.events 1 row")
    assert said[1:] == ["1 rows moved into 1 partitions", "app.events ['premake']"]
