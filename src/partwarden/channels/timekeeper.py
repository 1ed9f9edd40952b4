"""Keeps the schedule of one database where pg_cron does not: calls what is due, one agent at a time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

import psycopg

from partwarden.channels.outbox import AgentJob
from partwarden.channels.session import notice_silence
from partwarden.database import Connection, connect, problem_of
from partwarden.errors import PartwardenError

_SECONDS = re.compile(r"\s*(\d+)\s+seconds?\s*", re.IGNORECASE)
_LEAST = 1.0
_JOINED_SECONDS = 10.0


class Timekeeper:
    """Runs the jobs of one database, each in a thread and a session of its own while it lasts."""

    def __init__(self, dsn: str, tell: Callable[[str], None], ended: Callable[[], None]) -> None:
        self._dsn = dsn
        self._tell = tell
        self._ended = ended
        self._tried: dict[str, float] = {}
        self._asked: dict[str, datetime] = {}
        self._running: dict[str, threading.Thread] = {}
        self._sessions: dict[str, tuple[ExitStack, Connection]] = {}
        self._failing: dict[str, str] = {}
        self._is_over = False

    def look(self, jobs: Sequence[AgentJob], now: datetime) -> float:
        """Start what is due at ``now``; for how many seconds nothing more will be."""
        pauses = [60.0]
        for job in jobs:
            pause = self._seconds_to(job, now)
            running = self._running.get(job.kind)
            if running is not None and running.is_alive():
                continue
            if pause <= 0 and not self._is_over:
                self._start(job, now)
                pause = max(_LEAST, _every(job) or 60.0 - now.second)
            pauses.append(pause)
        return min(pauses)

    def run_due(self, jobs: Sequence[AgentJob]) -> list[str]:
        """Run what is due, one after the other, maintenance first; what went wrong."""
        return [
            problem for job in sorted(jobs, key=lambda job: job.kind) if (problem := self._run(job.kind)) is not None
        ]

    def stop(self) -> None:
        """Cancel what is running, and wait for it: it is whole at any moment, and the next time goes on."""
        self._is_over = True
        for _, session in list(self._sessions.values()):
            with suppress(psycopg.Error):
                session.cancel_safe(timeout=_JOINED_SECONDS / 2)
        for thread in list(self._running.values()):
            thread.join(_JOINED_SECONDS)
        for kind in list(self._sessions):
            self._close(kind)

    def _seconds_to(self, job: AgentJob, now: datetime) -> float:
        """How long it is certainly not due. A schedule of minutes is looked at once a minute, by the database."""
        every = _every(job)
        if every is not None:
            # Another agent may be at it: then it is not asked for more often than it runs.
            waited = time.monotonic() - self._tried.get(job.kind, -every)
            return max((job.last_started_at + timedelta(seconds=every) - now).total_seconds(), every - waited)
        minute = now.replace(second=0, microsecond=0)
        if self._asked.get(job.kind) != minute:
            return 0.0
        return (minute + timedelta(minutes=1) - now).total_seconds()

    def _start(self, job: AgentJob, now: datetime) -> None:
        self._tried[job.kind] = time.monotonic()
        self._asked[job.kind] = now.replace(second=0, microsecond=0)
        thread = threading.Thread(target=self._run_and_close, args=(job,), name=job.kind, daemon=True)
        self._running[job.kind] = thread
        thread.start()

    def _run_and_close(self, job: AgentJob) -> None:
        self._run(job.kind)
        if _every(job) is None:
            self._close(job.kind)
        self._ended()

    def _run(self, kind: str) -> str | None:
        """Run it, if it is due and nobody else is at it; what went wrong."""
        try:
            problem = self._called(self._session(kind), kind)
        except (PartwardenError, psycopg.Error) as failure:
            self._close(kind)
            problem = problem_of(failure)
        if self._is_over:
            return None
        if problem is not None and self._failing.get(kind) != problem:
            self._tell(f"{kind}: {problem}")
        elif problem is None and kind in self._failing:
            self._tell(f"{kind}: it is well again")
        if problem is None:
            self._failing.pop(kind, None)
        else:
            self._failing[kind] = problem
        return problem

    def _called(self, session: Connection, kind: str) -> str | None:
        # Held until it has ended, or the session has: so a killed agent leaves nothing behind.
        lock = f"partwarden agent {kind}"
        if session.execute("select pg_try_advisory_lock(hashtext(%s))", (lock,)).fetchone() != (True,):
            return None
        try:
            row = session.execute("select partwarden.begin_job(%s)", (kind,)).fetchone()
            if row is None or row[0] is None:
                return None
            problem = None
            try:
                session.execute(str(row[0]).encode())
            except psycopg.Error as failure:
                if session.closed:
                    raise
                problem = problem_of(failure)
            if problem is not None and self._is_over:
                return None  # it was cancelled, has no end, and is done by whoever comes next
            session.execute("select partwarden.end_job(%s, %s)", (kind, problem))
            if problem is None and kind == "maintain":
                self._tell("maintained the partition sets")
            return problem
        finally:
            if not session.closed:
                session.execute("select pg_advisory_unlock(hashtext(%s))", (lock,))

    def _session(self, kind: str) -> Connection:
        if kind in self._sessions:
            _, session = self._sessions[kind]
            if not session.closed:
                return session
            self._close(kind)
        stack = ExitStack()
        session = stack.enter_context(connect(self._dsn))
        session.autocommit = True
        notice_silence(session)
        self._sessions[kind] = (stack, session)
        return session

    def _close(self, kind: str) -> None:
        found = self._sessions.pop(kind, None)
        if found is not None:
            with suppress(psycopg.Error):
                found[0].close()


def _every(job: AgentJob) -> float | None:
    found = _SECONDS.fullmatch(job.schedule)
    return float(found[1]) if found else None
