"""The page docs/reference/sql.md: routines and tables of the schema partwarden, as a database has them after an install."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from partwarden.database import Connection

NAME = "reference/sql.md"

FOR_PEOPLE = (
    "maintain",
    "monitor",
    "drain",
    "run_checks",
    "acknowledge",
    "unacknowledge",
    "silence",
    "purge_job_runs",
    "given",
    "checks",
    "last_due",
    "give_up_deliveries",
)
"""The routines that people and jobs call; all others are what these are made of."""

_HEAD = """\
# SQL routines and tables

What `partwarden install` makes in the schema `partwarden`. Nobody but its owner may call or read any of it, unless it is
[granted](../how-it-works.md#privileges). What the routines do one after the other is under [how it works](../how-it-works.md).

Written from the comments in the database; a test fails when this page says otherwise.
"""
_DOORS = """\
Two more are in schema `public`, or the one named with `--article-schema`: `send_cron_job_failures(lambda_arn, topic_arn)` and
`send_cron_job_failures_multi_record(lambda_arn, topic_arn)`, [the article's
procedures](../comparison.md#coming-from-the-article), which lead to `partwarden.monitor`.
"""
_PARTS = """\
## What they are made of

They may change with any release. `partwarden drain` and `partwarden repair` bring those that they need along, as temporary
functions.
"""
_TABLES = """\
## Tables

Change [`setting`](settings.md) and `set_policy` by UPDATE and INSERT; the others are for reading.
"""
_SIGN = re.compile(r"([*<\[\]|])")


@dataclass(frozen=True)
class Routine:
    """A function or procedure, and what the comment at its head says."""

    name: str
    kind: str
    arguments: str
    result: str | None
    said: str


def page(connection: Connection) -> str:
    """The whole page, from a database that has partwarden."""
    routines = {each.name: each for each in _routines(connection)}
    parts = [_HEAD, "## For people and jobs\n"]
    parts += [_section(routines[name]) for name in FOR_PEOPLE]
    parts += [_DOORS, _PARTS, "| routine | |\n| --- | --- |"]
    parts += [_row(each) for name, each in sorted(routines.items()) if name not in FOR_PEOPLE]
    parts += ["", _TABLES, *_tables(connection)]
    return "\n".join(parts)


def _routines(connection: Connection) -> list[Routine]:
    rows = connection.execute(
        """
        select proname, case prokind when 'p' then 'call' else 'select' end, pg_get_function_arguments(oid),
            pg_get_function_result(oid), prosrc, obj_description(oid)
        from pg_proc where pronamespace = 'partwarden'::regnamespace
        """
    ).fetchall()
    return [
        Routine(
            name,
            kind,
            _plain(arguments),
            result and _plain(result),
            "\n\n".join(filter(None, (said, _head_comment(body)))),
        )
        for name, kind, arguments, result, body, said in rows
    ]


def _head_comment(body: str) -> str:
    """The comment that a routine's body opens with, each of its paragraphs on a line."""
    paragraphs = [""]
    for line in body.strip().splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        if text:
            paragraphs[-1] = f"{paragraphs[-1]} {text}".strip()
        else:
            paragraphs.append("")
    return "\n\n".join(filter(None, paragraphs))


def _plain(declared: str) -> str:
    """Arguments or columns as a person would write them."""
    return (
        re.sub(r"::[a-z ]+|\bIN ", "", declared).replace("DEFAULT NULL", "default null").replace("DEFAULT", "default")
    )


def _section(routine: Routine) -> str:
    result = f"\n-- returns {routine.result}" if routine.result and routine.kind == "select" else ""
    lines = textwrap.fill(
        f"{routine.kind} partwarden.{routine.name}({routine.arguments}){result}",
        110, subsequent_indent="    ", break_long_words=False, replace_whitespace=False,
    )  # fmt: skip
    return f"### {routine.name}\n\n```\n{lines}\n```\n\n{_text(routine.said)}\n"


def _row(routine: Routine) -> str:
    arguments = "…" if routine.arguments else ""
    first = re.split(r"(?<=[.:;])\s", routine.said.partition("\n")[0])[0].rstrip(".:;")
    return f"| `{routine.name}({arguments})` | {_text(first)} |"


def _tables(connection: Connection) -> list[str]:
    rows = connection.execute(
        """
        select relname, coalesce(obj_description(pg_class.oid, 'pg_class'), ''), attname, format_type(atttypid, atttypmod),
            coalesce(pg_get_expr(adbin, adrelid), ''),
            coalesce(col_description(pg_class.oid, attnum), '')
        from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        left join pg_attrdef on adrelid = pg_class.oid and adnum = attnum
        where relnamespace = 'partwarden'::regnamespace and relkind = 'r'
        order by relname, attnum
        """
    ).fetchall()
    parts: list[str] = []
    last = ""
    for table, said, column, kind, default, meaning in rows:
        if table != last:
            heading = f"\n### {table}" if last else f"### {table}"
            parts += [heading, f"\n{_text(said)}\n", "| column | type | default | |\n| --- | --- | --- | --- |"]
            last = table
        parts.append(f"| `{column}` | {kind} | {_default(default)} | {_text(meaning)} |")
    return [*parts, ""]


def _default(expression: str) -> str:
    """A default as a person would write it: no casts around it."""
    return f"`{re.sub(r'::[a-z ]+$', '', expression)}`" if expression else ""


def _text(said: str) -> str:
    return _SIGN.sub(r"\\\1", said)
