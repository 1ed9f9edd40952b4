"""What the statements of ``bundle`` stand on in one database: what is given to them, and which of their needs are met."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from partwarden import bundle
from partwarden.database import Connection, Server, explained, quoted
from partwarden.errors import BadOption
from partwarden.findings import Skipped
from partwarden.given import gather


@dataclass(frozen=True)
class Ground:
    """``facts`` are what the relation ``given`` holds, ``select`` is that relation.

    ``unmet`` are the needs that are not met: name, why, and what that means for a check (``not``, ``partly``, ``pointless``).
    """

    facts: Mapping[str, Any]
    select: str
    unmet: tuple[tuple[str, str, str], ...]
    partman_schema: str | None

    def statement(self, wanted: Sequence[bundle.Check]) -> str:
        """All the wanted checks as one SELECT."""
        return bundle.statement(
            tuple(wanted),
            given=self.select,
            met=frozenset({"pg_partman"} - {name for name, _, _ in self.unmet}),
            partman_schema=self.partman_schema,
        )

    def doable(self, wanted: Sequence[bundle.Check]) -> tuple[list[bundle.Check], list[Skipped]]:
        """The checks that can be done here, and those that can't, or only for what is seen. Pointless ones are neither."""
        todo, skipped = [], []
        for check in wanted:
            lacking = [(reason, done) for name, reason, done in self.unmet if name in check.needs]
            if any(done == "pointless" for _, done in lacking):
                continue
            partly = all(done == "partly" for _, done in lacking)
            if lacking:
                reasons = "; ".join(sorted({reason.rstrip(";") for reason, _ in lacking}))
                skipped.append(Skipped(check.id, reasons, partly=partly))
            if partly:
                todo.append(check)
        return todo, skipped


def find_ground(
    connection: Connection, dsn: str, server: Server, thresholds: Mapping[str, str | int | bool], *, timeout: float
) -> Ground:
    """Look at what there is. Raises BadOption for a threshold that the server can't read."""
    facts = gather(connection, dsn, server, thresholds, timeout=timeout)
    select = sql.SQL("select {}::jsonb as fact").format(json.dumps(facts)).as_string(connection)
    if thresholds:
        with explained("a threshold can't be read", BadOption):
            rows_of(connection, bundle.query("setting", given=select))
    partman = server.extensions.get("pg_partman")
    return Ground(
        facts=facts,
        select=select,
        unmet=tuple((name, why, done) for name, why, done in rows_of(connection, bundle.query("need", given=select))),
        partman_schema=quoted(partman.schema) if partman else None,
    )


def rows_of(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    """What a statement returns that is composed of our own files and of literals that psycopg has quoted."""
    return connection.execute(statement.encode()).fetchall()
