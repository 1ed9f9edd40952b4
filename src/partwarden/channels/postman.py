"""Carries the notifications of one database to the channels, as long as the agent lives, through outages of either side."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from partwarden import agent_schedule
from partwarden.channels import outbox
from partwarden.channels.message import one_line
from partwarden.channels.outbox import Delivery, State
from partwarden.channels.senders import Senders
from partwarden.channels.session import STATEMENT_SECONDS, connected
from partwarden.channels.tally import Tally, in_words
from partwarden.channels.timekeeper import Timekeeper
from partwarden.channels.watchdog import Watchdog
from partwarden.config import Database, Monitor
from partwarden.database import Connection
from partwarden.errors import AgentFailed, ChannelFailed, PartwardenError
from partwarden.schedule import NoCron, jobs_of, open_cron

_LONGEST_PAUSE = 60.0
_RENEWED_AFTER = 5.0
_LAST_WAIT_SECONDS = 60.0
_RENEWED_TIMES = 10
"""For how many times its patience a channel is waited for before somebody else may try."""


@dataclass(frozen=True)
class Sending:
    """A delivery that is on its way."""

    delivery: Delivery
    future: Future[None]
    since: float


class Postman:
    """``poll`` is for how many seconds at most nothing is asked; ``tell`` is told of what happens, a line each."""

    def __init__(
        self,
        name: str,
        dsn: str,
        described: Database | None,
        senders: Senders,
        tell: Callable[[str], None],
        *,
        poll: float,
    ) -> None:
        self.name = name
        self.tally = Tally(name)
        self._dsn = dsn
        self._described = described
        self._senders = senders
        self._tell = tell
        self._poll = poll
        self._stopping = threading.Event()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self._sending: dict[tuple[int, str], Sending] = {}
        self._renewed_at = 0.0
        self._patience = 25.0
        self._has_heard = False
        self._is_once = False
        self._failing: set[str] = set()
        self._said: str | None = None
        self._was_connected = False
        self._told_of: set[str] = set()
        self._watchdog = Watchdog()
        self._timekeeper = Timekeeper(dsn, tell, self.wake)

    def run(self) -> None:
        """Work until ``stop`` is called: look, send, wait; and connect again whenever that breaks."""
        pause = 1.0
        while not self._stopping.is_set():
            try:
                with connected(self._dsn) as connection, self._watchdog.over(connection):
                    with self._watchdog.at_work():
                        self._begin(connection)
                        quiet = self._round(connection)
                    # Only now: what fails in its first round fails in the next one, too.
                    self._say("connected again" if self._was_connected or self._said is not None else "connected")
                    self._was_connected = True
                    pause = 1.0
                    while not self._stopping.is_set():
                        self._sleep(connection, quiet)
                        with self._watchdog.at_work():
                            quiet = self._round(connection)
                    self._end(connection)
            except Exception as failure:  # noqa: BLE001 - one database's trouble must not end the others' service
                self._say(f"{in_words(failure)}; it is tried again")
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        self._timekeeper.stop()
        if self._sending:  # the connection broke at the end, and what has been sent is not written down yet
            with (
                suppress(PartwardenError, psycopg.Error),
                connected(self._dsn) as connection,
                self._watchdog.over(connection),
            ):
                self._end(connection)

    def run_once(self) -> Tally:
        """Do what is due now, and send what is due until nothing is; a channel that fails is not asked again."""
        self._is_once = True
        try:
            with connected(self._dsn) as connection:
                self._begin(connection)
                if self._keeps_schedule:
                    self.tally.problems = tuple(self._timekeeper.run_due(self._look(connection).jobs))
                while not self._stopping.is_set():
                    self._collect(connection)
                    is_moving = self._deliver(connection, self._look(connection))
                    if not self._sending and not is_moving:
                        break
                    self._sleep(connection, _RENEWED_AFTER if self._sending else 0)
                self._end(connection)
                self.tally.waiting = outbox.waiting(connection)
        except (PartwardenError, psycopg.Error) as failure:
            self.tally.error = in_words(failure)
            self._say(self.tally.error)
        self._timekeeper.stop()
        return self.tally

    def stop(self) -> None:
        """Begin nothing more, and come to an end when what is being sent is sent."""
        self._stopping.set()
        self.wake()

    def cut(self, seconds: float) -> bool:
        """End the session if its server has not answered for so long; whether that was so. For any other thread."""
        return self._watchdog.cut(seconds)

    def wake(self) -> None:
        """End a pause."""
        with suppress(BlockingIOError):
            os.write(self._wake, b".")

    def _begin(self, connection: Connection) -> None:
        if not outbox.knows_agents(connection):
            raise AgentFailed(
                f"database {connection.info.dbname} has no partwarden, or an older one, that knows of no agents",
                remedy="partwarden apply, or partwarden install",
            )
        connection.add_notify_handler(lambda _: self._hear())
        connection.execute("listen partwarden")
        self._patience = outbox.patience(connection)
        self._adopt_schedule(connection)
        for channel, number in outbox.orphans(connection, list(self._senders.channels)).items():
            self._tell_once(
                f"orphan {channel}",
                f"{number} notifications wait for channel {channel}, which is not in the file; to give them up: "
                f"select partwarden.give_up_deliveries('{channel}');",
            )
        if not self._is_once and not self._was_connected:
            outbox.retry_refused(connection, list(self._senders.channels))

    def _adopt_schedule(self, connection: Connection) -> None:
        described = self._described
        if described is None or described.scheduler == "pg_cron" or not (described.maintenance or described.monitor):
            return
        if not agent_schedule.missing_jobs(connection, described) or self._is_kept_elsewhere(connection, described):
            return
        for job in agent_schedule.adopt(connection, described):
            self._tell(f"keeps the schedule of {job.kind} from now on ({job.schedule})")

    def _is_kept_elsewhere(self, connection: Connection, described: Database) -> bool:
        """Whether pg_cron keeps the schedule: it is there, or where the file says that an agent does, has jobs of ours."""
        name = connection.info.dbname
        by_agent = described.scheduler == "agent"
        try:
            with open_cron(self._dsn, name, described.cron_database, STATEMENT_SECONDS) as cron:
                jobs = jobs_of(cron, name)
        except NoCron:
            return False
        except PartwardenError:
            return not by_agent  # it can't be told: so nothing is done twice
        if by_agent and jobs:
            self._tell_once(
                "jobs",
                f"pg_cron still keeps the schedule of {' and '.join(job.kind for job in jobs)}, so it is not kept from here; "
                "partwarden apply takes it over",
            )
        return bool(jobs) or not by_agent

    def _round(self, connection: Connection) -> float:
        """Do what there is to do now; for how many seconds there is nothing more."""
        self._has_heard = False
        self._collect(connection)
        state = self._look(connection)
        is_moving = self._deliver(connection, state)
        pause = min(self._poll, self._timekeeper.look(state.jobs if self._keeps_schedule else (), state.now))
        if state.next_at is not None:
            pause = min(pause, (state.next_at - state.now).total_seconds())
        if self._sending:
            pause = min(pause, _RENEWED_AFTER)
        return 0.0 if self._has_heard or (is_moving and not self._sending) else max(pause, 0.0)

    @property
    def _keeps_schedule(self) -> bool:
        return self._described is None or self._described.scheduler != "pg_cron"

    def _look(self, connection: Connection) -> State:
        return outbox.look(connection, list(self._senders.channels))

    def _deliver(self, connection: Connection, state: State) -> bool:
        """Choose channels for what is new, and begin to send what is due; whether there was any of that."""
        self._renew(connection)
        if not state.delivers:
            if self._senders.channels and not self._is_told_otherwise:
                self._say("nothing is delivered from here as long as its `monitor.channel` is not agent or both")
            return False
        if state.has_new and not self._senders.channels:
            self._say("notifications wait, and nothing can be delivered from here: the file has no channels")
        chosen = self._route(connection) if state.has_new and self._senders.channels else {}
        busy = {channel for _, channel in self._sending} | (self._failing if self._is_once else set())
        due = {*state.due, *(channel for channels in chosen.values() for channel in channels)}
        free = [channel for channel in self._senders.channels if channel in due and channel not in busy]
        claimed = outbox.claim(connection, free) if free else []
        for delivery in claimed:
            future = self._senders.send(delivery.channel, delivery.message, timeout=self._patience)
            self._sending[delivery.number, delivery.channel] = Sending(delivery, future, time.monotonic())
            future.add_done_callback(lambda _: self.wake())
        return bool(chosen or claimed)

    @property
    def _is_told_otherwise(self) -> bool:
        """Whether the file says that no agent is to deliver."""
        monitor = self._described.monitor if self._described is not None else None
        if not isinstance(monitor, Monitor):
            return False
        return monitor.channel in ("aws_lambda", "none") or (monitor.channel is None and monitor.lambda_arn is not None)

    def _route(self, connection: Connection) -> Mapping[int, Sequence[str]]:
        channels = [channel.described for channel in self._senders.channels.values()]
        chosen = outbox.route(connection, self.name, channels)
        for number, names in chosen.items():
            if not names:
                self._tell(f"notification {number} is for no channel of the file")
        return chosen

    def _renew(self, connection: Connection) -> None:
        if time.monotonic() - self._renewed_at < _RENEWED_AFTER:
            return
        self._renewed_at = time.monotonic()
        for each in self._sending.values():
            if self._renewed_at - each.since < _RENEWED_TIMES * self._patience:
                outbox.renew(connection, each.delivery)

    def _collect(self, connection: Connection) -> None:
        """Note what has been sent. It is forgotten here only when that is written down, whatever becomes of the connection."""
        for key, each in list(self._sending.items()):
            if not each.future.done():
                continue
            if each.future.cancelled():
                outbox.release(connection, each.delivery)
            else:
                self._note(connection, each.delivery, each.future.exception())
            del self._sending[key]

    def _note(self, connection: Connection, delivery: Delivery, failure: BaseException | None) -> None:
        subject = one_line(delivery.message.subject.removeprefix("[partwarden] "), 200)
        self._failing.discard(delivery.channel)
        if failure is None:
            outbox.finish(connection, delivery, None, lasts=False, pause=0)
            self.tally.told += 1
            again = f" (attempt {delivery.attempt})" if delivery.attempt > 1 else ""
            self._tell(f"told {delivery.channel}{again}: {subject}")
            return
        if not isinstance(failure, PartwardenError):
            failure = ChannelFailed(f"this is a bug of partwarden: {type(failure).__name__}", remedy="please report it")
        lasts = failure.lasts if isinstance(failure, ChannelFailed) else False
        pause = failure.pause if isinstance(failure, ChannelFailed) else 0.0
        outbox.finish(connection, delivery, failure.problem, lasts=lasts, pause=pause)
        self.tally.failed += 1
        self._failing.add(delivery.channel)
        said = f"could not tell {delivery.channel} (attempt {delivery.attempt}): {failure.problem}"
        self._tell(f"{said}; {failure.remedy}" if lasts else said)

    def _sleep(self, connection: Connection, seconds: float) -> None:
        """Until something happens: a notification is written, something is sent, the time is over, the agent is to stop."""
        watch = select.poll()  # select() knows no more than 1,024 of them
        watch.register(self._woken, select.POLLIN)
        watch.register(connection.fileno(), select.POLLIN)
        ready = {descriptor for descriptor, _ in watch.poll(0 if self._stopping.is_set() else 1000 * seconds)}
        if self._woken in ready:
            with suppress(BlockingIOError):
                os.read(self._woken, 65_536)
        if connection.fileno() in ready:
            connection.pgconn.consume_input()  # raises where the server has gone
            while connection.pgconn.notifies() is not None:
                pass

    def _hear(self) -> None:
        self._has_heard = True

    def _end(self, connection: Connection) -> None:
        """Wait for what is being sent, and give back what has not been begun."""
        for each in self._sending.values():
            each.future.cancel()
        deadline = time.monotonic() + _LAST_WAIT_SECONDS
        while self._sending and time.monotonic() < deadline:
            wait([each.future for each in self._sending.values()], timeout=_RENEWED_AFTER)
            with self._watchdog.at_work():
                self._collect(connection)
                self._renew(connection)

    def _tell_once(self, about: str, text: str) -> None:
        """Tell of what stays as it is, once."""
        if about not in self._told_of:
            self._told_of.add(about)
            self._tell(text)

    def _say(self, text: str) -> None:
        """Tell of a state, once as long as it lasts."""
        if text != self._said:
            self._tell(text)
        self._said = text
