"""Agents for tests, in this process, and incidents for them to tell of."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from partwarden.channels.agent import Agent, Served
from partwarden.config import Config, read_config
from partwarden.database import Connection
from partwarden.install import install
from tests.servers import Database
from tests.waiting import wait_until


@dataclass
class Log:
    """What agents said."""

    lines: list[str] = field(default_factory=list)

    def tell(self, where: str, what: str) -> None:
        self.lines.append(f"{where}: {what}")
        print(self.lines[-1])  # noqa: T201 - pytest shows it where a test fails

    def wait_for(self, words: str) -> None:
        wait_until(lambda: any(words in line for line in self.lines), f"an agent said {words!r}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def told_by_agents(connection: Connection, *, patience: str = "5 seconds", retry_after: str = "0 seconds") -> None:
    """Install partwarden in the database, to be told by agents."""
    install(connection, cluster="prod-eu")
    connection.execute(
        "update partwarden.setting set delivered_by = 'agent', retry_after = %s, invoke_timeout = %s",
        (retry_after, patience),
    )


def config_of(folder: Path, channels: Sequence[Mapping[str, Any]], *databases: Database, **more: Any) -> Config:
    """A file with these channels; databases are called by their own names, and say ``more``."""
    file = folder / "partwarden.yaml"
    described = [{"name": each.name, "dsn": each.owner_dsn, **more} for each in databases]
    file.write_text(json.dumps({"channels": channels, "databases": described}))
    return read_config(file)


def served(config: Config) -> list[Served]:
    return [Served(each.name, each.conninfo, each) for each in config.databases]


def agent(config: Config, log: Log | None = None, *, poll: float = 0.2) -> Agent:
    return Agent(served(config), config.channels, (log or Log()).tell, poll=poll)


@contextmanager
def running(config: Config, log: Log | None = None, *, poll: float = 0.2) -> Iterator[Log]:
    """An agent at work as long as the block lasts, and then to its end."""
    said = log or Log()
    ended = threading.Event()
    thread = threading.Thread(target=agent(config, said, poll=poll).run, args=(ended,))
    thread.start()
    try:
        yield said
    finally:
        ended.set()
        thread.join()


def incident(
    connection: Connection,
    name: str = "app.a",
    *,
    check: str = "gap",
    severity: str = "critical",
    summary: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """An incident that is open, and that nobody has heard of; its number."""
    row = connection.execute(
        """
        insert into partwarden.incident
            (check_id, object, severity, summary, detail, remedy, since, opened_at, last_announced_at, told)
        values (%s, %s, %s, %s, %s, 'call partwarden.maintain();', now(), now(), now(), %s)
        returning id
        """,
        (
            check,
            name,
            severity,
            summary or f"{name} has a gap",
            json.dumps({"cause": "a test", **(detail or {})}),
            severity,
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def notify(connection: Connection, *incidents: int, event: str = "opened") -> int:
    """Write a notification of these, as the monitor does; its number."""
    if event == "resolved":
        connection.execute("update partwarden.incident set resolved_at = now() where id = any (%s)", (list(incidents),))
    events = json.dumps([{"incident": each, "event": event} for each in incidents])
    connection.execute("select partwarden.notify_of(%s, now())", (events,))
    row = connection.execute("select max(number) from partwarden.notification").fetchone()
    assert row is not None
    return int(row[0])


def pending(connection: Connection) -> int:
    """How many notifications somebody has still to hear of."""
    row = connection.execute("select count(*) from partwarden.notification where delivered_at is null").fetchone()
    assert row is not None
    return int(row[0])


def wait_for_delivery(connection: Connection) -> None:
    wait_until(lambda: pending(connection) == 0, "every notification was delivered")


def deliveries(connection: Connection) -> list[tuple[Any, ...]]:
    """Number, channel, attempts, whether it is delivered, whether it was refused, and the last error."""
    return connection.execute(
        "select notification_number, channel, attempts, delivered_at is not null, refused, last_error "
        "from partwarden.delivery order by 1, 2"
    ).fetchall()
