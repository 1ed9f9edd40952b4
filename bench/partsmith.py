"""pg-partsmith (PyPI), the closest tool beside pg_partman: its backfill, in an environment of its own that is thrown away."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from bench.filled_set import FilledSet
from bench.measure import Run, run_process

VERSION = "1.10.0"

# Its flat form of a set by day. Only the backfill is run: nothing is made ahead, and nothing expires.
_DOCUMENT = """
version: 1
tables:
  - schema: app
    table_name: events
    partition_column: created_at
    granularity: day
"""


@dataclass(frozen=True)
class Partsmith:
    """Where it is installed; ``obstacle`` says why it is not, in its installer's last words."""

    folder: Path
    obstacle: str | None = None

    def backfill(self, filled: FilledSet, limit: float) -> Run:
        """Move everything out of the default partition in batches of its own choice, 10,000 rows each."""
        document = self.folder / "partitions.yaml"
        document.write_text(_DOCUMENT, encoding="utf-8")
        dsn = conninfo_to_dict(filled.database.owner_dsn)
        return run_process(
            [
                str(self.folder / "bin/pg-partsmith"), "backfill", "--config", str(document), "--output", "json", "--dsn",
                f"postgresql://{dsn['user']}@{dsn['host']}:{dsn['port']}/{dsn['dbname']}",
            ],
            limit=limit,
            environment={"PGPASSFILE": str(dsn["passfile"])},
        )  # fmt: skip


@contextmanager
def partsmith() -> Iterator[Partsmith]:
    """Install it, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for command in (
            (sys.executable, "-m", "venv", name),
            (f"{name}/bin/pip", "install", "--quiet", f"pg-partsmith[cli]=={VERSION}"),
        ):
            answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
            if answer.returncode != 0:
                lines = answer.stderr.strip().splitlines() or ["no reason given"]
                yield Partsmith(folder, f"could not be installed: {lines[-1]}")
                return
        yield Partsmith(folder)
