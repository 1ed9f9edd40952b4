"""Applying a file to a test's database."""

from __future__ import annotations

from pathlib import Path

from partwarden.config import Config, read_config
from partwarden.database import Connection
from partwarden.planning import Step, apply, plan
from tests.servers import Database


class Nobody:
    """Is told, and does not listen."""

    def begins(self, database: str, step: Step) -> None: ...

    def ends(self, database: str, step: Step) -> None: ...


def written(folder: Path, database: Database, text: str) -> Config:
    """The file's text for one database, read."""
    file = folder / "partwarden.yaml"
    file.write_text(f"databases:\n  - name: app\n    dsn: {database.owner_dsn}\n" + text)
    return read_config(file)


def applied(config: Config, *, allow_destroy: bool = False) -> list[Step]:
    """Apply the file; it has to come to its end, and then nothing is left to do."""
    (result,) = apply(config, plan(config), Nobody(), allow_destroy=allow_destroy)
    assert result.error is None, result
    again = plan(config)
    assert again.databases[0].error is None
    assert again.databases[0].obstacles == ()
    assert list(again.steps) == []
    return list(result.done)


def make_table(owner: Connection, name: str, *, by: str = "created_at") -> None:
    owner.execute("create schema if not exists app")
    owner.execute(
        f"create table app.{name} (id bigint not null, created_at timestamptz not null, note text, "
        f"primary key (id, created_at)) partition by range ({by})"
    )
