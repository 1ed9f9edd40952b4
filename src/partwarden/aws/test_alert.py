"""A test alert, on the very way of a real one: outbox, pg_cron's monitor, Lambda, SNS, and who gets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from psycopg.types.json import Jsonb

from partwarden.aws.hops import Hop
from partwarden.aws.site import Site
from partwarden.aws.subscriptions import subscriptions
from partwarden.database import Connection, connect, explained
from partwarden.errors import PartwardenError

_POLL_SECONDS = 0.5
PATIENCE_SECONDS = 150
"""A monitor runs once a minute at the least, and waits for maintenance for a quarter of that."""


class AlertFailed(PartwardenError):
    """A test alert could not even be written."""


def try_alert(site: Site, waits: Callable[[str], None], *, patience: float = PATIENCE_SECONDS) -> Iterator[Hop]:
    """Write a test alert into the database's outbox and follow it, hop by hop; ends with the first that is broken.

    It is written like any other notification and delivered by the scheduled monitor, so that pg_cron, aws_lambda, role,
    network, function and topic are all proved at once. Undelivered, it stays in the outbox and goes out when the way is
    open; the next test then follows the same one.
    """
    stack = site.standing_stack()
    topic = stack.output("TopicArn")
    with connect(site.login()) as connection, explained("could not follow a test alert", AlertFailed):
        connection.autocommit = True
        number = _write(connection, site.cluster().name, stack.output("FunctionArn"))
        before = _count_before(connection, number)
        yield Hop(
            "outbox",
            "ok",
            f"notification {number} is written in database {connection.info.dbname}"
            + (f"; {before} before it have not been delivered yet" if before else ""),
        )
        waits("waiting for pg_cron to run the monitor")
        row = _follow(connection, number, patience)
    if row["attempts"] == 0 and row["delivered_at"] is None:
        yield Hop("pg_cron", "broken", f"the monitor has not taken it within {patience:.0f} s", _WHY_NOT_TAKEN)
        return
    yield Hop("pg_cron", "ok", "the monitor has taken it")
    if row["delivered_at"] is None:
        yield Hop("Lambda", "broken", _said(row["last_error"]), _remedy(row["last_error"] or "", site))
        return
    receipt = row["receipt"] or {}
    yield Hop("Lambda", "ok", f"the function has answered ({receipt.get('status_code')})")
    yield Hop("SNS", "ok", f"{topic.split(':')[-1]} has taken it, message {_message_id(receipt)}")
    yield _addressees(site, topic)


_MESSAGE = """\
cluster   {cluster}
database  {database}

Somebody has asked for a test alert. It has come on the way of a real one: pg_cron, partwarden's monitor, Lambda, SNS.
Nothing is wrong, and there is nothing to do."""

_WHY_NOT_TAKEN = (
    "partwarden aws status says how the job stands; in the database of pg_cron: "
    "select * from cron.job_run_details order by runid desc limit 5;"
)


def _write(connection: Connection, cluster: str, function: str) -> int:
    """Put it into the outbox, or find the one that still waits there; what waits before it is due at once, too."""
    connection.execute(
        """
        update partwarden.notification set next_attempt_at = clock_timestamp(), attempts = 0, last_error = null
        where delivered_at is null
        """
    )
    waiting = connection.execute(
        "select min(number) from partwarden.notification where delivered_at is null and payload ? 'test'"
    ).fetchone()
    if waiting is not None and waiting[0] is not None:
        return int(waiting[0])
    database = connection.info.dbname
    row = connection.execute(
        """
        insert into partwarden.notification (created_at, subject, message, payload, next_attempt_at)
        values (clock_timestamp(), %s, %s, %s, clock_timestamp())
        returning number
        """,
        (
            f"[partwarden] TEST {cluster}/{database}: alerts arrive",
            _MESSAGE.format(cluster=cluster, database=database),
            Jsonb({"cluster": cluster, "database": database, "incident_count": 0, "incidents": [], "test": function}),
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def _count_before(connection: Connection, number: int) -> int:
    row = connection.execute(
        "select count(*) from partwarden.notification where delivered_at is null and number < %s", (number,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _follow(connection: Connection, number: int, patience: float) -> dict[str, Any]:
    """The notification as soon as it is delivered, or an attempt has failed; at the latest after ``patience``."""
    deadline = time.monotonic() + patience
    while True:
        found = connection.execute(
            """
            select to_jsonb(notification) from partwarden.notification
            where number = %s or (number < %s and delivered_at is null and last_error is not null)
            order by number limit 1
            """,
            (number, number),
        ).fetchone()
        assert found is not None
        row: dict[str, Any] = found[0]
        if row["delivered_at"] is not None or row["last_error"] is not None or time.monotonic() > deadline:
            return row
        time.sleep(_POLL_SECONDS)


def _said(error: str | None) -> str:
    return f"the function could not be invoked: {error}" if error else "the attempt has not ended"


def _remedy(error: str, site: Site) -> str:
    again = "then: partwarden aws test-alert; partwarden aws status looks at every hop"
    known = (
        ("SNS refused", "the function may not publish: see its role, and the topic's policy and key"),
        ("SNS could not be asked", "the function does not reach SNS: see the endpoint for SNS, or the NAT gateway"),
        ("not installed", "create extension aws_lambda cascade;"),
        ("permission denied", "grant aws_lambda to the job's role: partwarden aws deploy does"),
        ("credential", f"the role is not attached to {site.cluster()}, or not active yet: partwarden aws deploy"),
        ("not authorized", "the role that the database has may not invoke the function: partwarden aws deploy"),
        ("AccessDenied", "the role that the database has may not invoke the function: partwarden aws deploy"),
        ("imeout", "the database does not reach Lambda's endpoint: see security groups and endpoint"),
        ("imed out", "the database does not reach Lambda's endpoint: see security groups and endpoint"),
        ("connect", "the database does not reach Lambda's endpoint: see security groups and endpoint"),
    )
    advice = next((remedy for word, remedy in known if word.lower() in error.lower()), None)
    return f"{advice}; {again}" if advice else again


def _message_id(receipt: dict[str, Any]) -> str:
    payload = receipt.get("payload")
    return str(payload.get("message_id", "unknown")) if isinstance(payload, dict) else "unknown"


def _addressees(site: Site, topic: str) -> Hop:
    there = subscriptions(site.account, topic)
    confirmed = [each.endpoint for each in there if each.is_confirmed]
    waiting = [each.endpoint for each in there if not each.is_confirmed]
    if not there:
        return Hop("subscribers", "broken", "nobody is subscribed to the topic", "partwarden aws deploy --email …")
    if waiting:
        sent = f"sent to {', '.join(confirmed)}; " if confirmed else ""
        return Hop(
            "subscribers",
            "waiting",
            f"{sent}not to {', '.join(waiting)}, who must confirm first",
            "the link is in the message 'AWS Notification - Subscription Confirmation'; SNS forgets it after 2 days",
        )
    return Hop("subscribers", "ok", f"sent to {', '.join(confirmed)}: see that it is there")
