"""The page of a thousand databases with fifty people before it: how long they wait, and what it costs whom."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psycopg

from bench.browsers import FIRST, Crowd, Looks, look, percentile
from bench.many_databases import SETS, many_databases, written_down
from bench.measure import Run, joined, run_process, table
from bench.options import Options, tell
from bench.servers import describe
from partwarden.database import Connection
from partwarden.local.cluster import free_port

DATABASES = 1_000
PEOPLE = 50
WANDERERS = 10
SECONDS = 60.0

_TICKS = os.sysconf("SC_CLK_TCK")


def run(options: Options) -> Iterator[str]:
    """What fifty people get, and what it costs the page and the databases; then the same look by ``partwarden check``."""
    for major in options.majors:
        with many_databases(major, DATABASES) as (server, dsns), tempfile.TemporaryDirectory() as folder:
            file = written_down(dsns, Path(folder))
            with psycopg.connect(server.cluster.dsn(), autocommit=True) as superuser:
                yield measure(superuser, file, list(dsns))


def measure(superuser: Connection, file: Path, names: Sequence[str]) -> str:
    """All of it, as text; ``superuser`` counts what the databases are asked, ``file`` lists them."""
    with _before_others(), _served(file) as page:
        tell("people come, and the first round begins")
        first = _watched(page, superuser, names)
        tell("they stay")
        later = _watched(page, superuser, names)
        peak_mb = page.peak_mb
    tell("partwarden check of the same databases")
    check = run_process([sys.executable, "-m", "partwarden", "check", "-c", str(file), "--format", "json"])
    return _told(superuser, {"the first minute": first, "later": later}, peak_mb, check)


@dataclass(frozen=True)
class _Page:
    """``partwarden serve`` as a process of its own."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def peak_mb(self) -> float:
        """The most memory that it had."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


@contextmanager
def _before_others() -> Iterator[None]:
    """Let the page and the people have the processor before the databases, which stand for other machines.

    Linux shares it out by session; without the right to more than one's share nothing is changed.
    """
    share = Path("/proc/self/autogroup")
    with contextlib.suppress(OSError):
        share.write_text("-15")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            share.write_text("0")


@contextmanager
def _served(file: Path) -> Iterator[_Page]:
    port = free_port()
    command = [sys.executable, "-m", "partwarden", "serve", "-c", str(file), "--port", str(port), "--quiet"]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + 30
            while True:
                with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/healthz"):
                    break
                assert time.monotonic() < deadline, "the page did not come up"
                time.sleep(0.05)
            yield _Page(port, process)
        finally:
            process.terminate()


@dataclass(frozen=True)
class _Watched:
    """A minute with people before the page.

    ``asked`` is how often each database was meanwhile, ``round`` after how many seconds each had been asked at least once.
    """

    looks: Looks
    cpu: float
    asked: list[int]
    round: float | None


def _watched(page: _Page, superuser: Connection, names: Sequence[str]) -> _Watched:
    before, cpu = _sessions(superuser, names), page.cpu
    looks = Looks()

    async def both() -> float | None:
        _, taken = await asyncio.gather(
            look(page.port, Crowd(PEOPLE, WANDERERS, SECONDS), names, SETS, looks),
            asyncio.to_thread(_until_all_asked, superuser, names, before),
        )
        return taken

    taken = asyncio.run(both())
    after = _sessions(superuser, names)
    return _Watched(looks, page.cpu - cpu, sorted(after[name] - before[name] for name in names), taken)


def _until_all_asked(superuser: Connection, names: Sequence[str], before: dict[str, int]) -> float | None:
    started = time.monotonic()
    while (taken := time.monotonic() - started) < SECONDS:
        now = _sessions(superuser, names)
        if all(now[name] > before[name] for name in names):
            return taken
        time.sleep(0.5)
    return None


def _sessions(superuser: Connection, names: Sequence[str]) -> dict[str, int]:
    rows = superuser.execute(
        "select datname, sessions from pg_stat_database where datname = any (%s)", (list(names),)
    ).fetchall()
    return dict(rows)


def _told(superuser: Connection, minutes: dict[str, _Watched], peak_mb: float, check: Run) -> str:
    waits = []
    costs = []
    for when, minute in minutes.items():
        looks = minute.looks
        assert not looks.refused, looks.refused[:5]
        waits += [
            (when, kind, *_waits(looks.milliseconds(kind)), f"{looks.wire(kind) / 1000:,.1f}") for kind in looks.answers
        ]
        pages = [kind for kind in looks.answers if kind != FIRST]
        waits.append((when, "all pages", *_waits(looks.milliseconds(*pages)), ""))
        costs.append(
            (
                f"page, {PEOPLE} people, {when}", sum(len(looks.answers[kind]) for kind in pages), f"{looks.events:,}",
                f"{minute.cpu:.1f}", f"{minute.asked[0]} … {minute.asked[-1]}",
                "longer" if minute.round is None else f"{minute.round:.1f}", f"{peak_mb:.0f}",
            )
        )  # fmt: skip
    costs.append(
        ("partwarden check, 1 person, once", 1, "", "", "1 … 1", f"{check.seconds:.1f}", f"{check.peak_mb:.0f}")
    )
    return joined(
        f"## {DATABASES:,} databases, {PEOPLE} people",
        describe(superuser),
        table(("when", "what", "number", "p50 ms", "p95 ms", "max ms", "kB on the wire"), waits),
        table(("who looks", "looks", "events", "CPU s", "each asked", "all asked after s", "peak MB"), costs),
    )


def _waits(ordered: Sequence[float]) -> tuple[str, ...]:
    return (
        f"{len(ordered):,}", f"{percentile(ordered, 0.5):,.0f}", f"{percentile(ordered, 0.95):,.0f}", f"{ordered[-1]:,.0f}"
    )  # fmt: skip
