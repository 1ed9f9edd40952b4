"""Taking times, memory and locks, and writing them down."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Run:
    """One run of a command: ``seconds`` of wall time, and the largest memory that the process itself had."""

    seconds: float
    peak_mb: float
    exit_code: int
    stdout: str
    stderr: str


def run_check(dsn: str, *options: str) -> Run:
    """``partwarden check`` as a person or a plugin runs it, a process of its own."""
    return run_process([sys.executable, "-m", "partwarden", "check", dsn, "--format", "json", *options])


def run_process(
    command: Sequence[str], *, limit: float | None = None, environment: Mapping[str, str] | None = None
) -> Run:
    """Run a command to its end, or kill it after ``limit`` seconds: its exit code is then that of the signal, negative.

    ``environment`` is added to this process's own. What it says on standard error is in the answer, too.
    """
    started = time.monotonic()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ, **(environment or {})}
        ) as process,
    ):
        assert process.stdout is not None
        timer = threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
        timer.daemon = True
        timer.start()
        stdout = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        stderr = said.read()
    return Run(seconds, usage.ru_maxrss / 1024, process.returncode, stdout, stderr)


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def what_it_said(error: psycopg.Error) -> str:
    """An error's message in one line; pg_partman's own go on with context and hints."""
    return (str(error.diag.message_primary or error).strip().splitlines() or [type(error).__name__])[0]


@dataclass
class Watched:
    """What was seen of one server process, looked at every few milliseconds: the most it had at a time."""

    relation_locks: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    private_mb: float = 0

    @property
    def modes_told(self) -> str:
        """The modes of the locks on relations."""
        return ", ".join(sorted(self.modes)) or "none"


@contextmanager
def watching(dsn: str, where: str) -> Iterator[Watched]:
    """Watch the server processes that ``where``, a condition on pg_stat_activity, holds for; ``dsn`` is a superuser's."""
    seen = Watched()
    done = threading.Event()

    def watch() -> None:
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=0) as connection:
            while not done.is_set():
                rows = connection.execute(
                    "select activity.pid, lock.mode, count(lock.mode)"
                    f" from (select pid from pg_stat_activity where {where} and pid <> pg_backend_pid()) activity"
                    " left join pg_locks lock on lock.pid = activity.pid and lock.locktype = 'relation'"
                    " group by activity.pid, lock.mode".encode()
                ).fetchall()
                seen.relation_locks = max(seen.relation_locks, sum(number for _, _, number in rows))
                seen.modes.update({mode: number for _, mode, number in rows if mode is not None})
                seen.private_mb = max([seen.private_mb, *(_private_mb(pid) for pid in {row[0] for row in rows})])
                done.wait(0.003)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown, the first column to the left and the others to the right."""
    cells = [list(header), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["| " + " | ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) + " |" for row in cells]
    rules = ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:]))
    rule = "| " + " | ".join(rules) + " |"
    return "\n".join((lines[0], rule, *lines[1:])) + "\n"


def joined(*parts: str) -> str:
    """Headings, lists and tables as one text in Markdown."""
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _private_mb(pid: int) -> float:
    """Memory of a process that it shares with nobody, as Linux tells a superuser; 0 where it does not."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)
