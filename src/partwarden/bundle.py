"""All that lives in a database: migrations, and code composed from the files below ``sql/``.

A relation (``sql/relations``) is a SELECT that several checks stand on; a file that names one in its header's
``uses`` finds it as a common table expression. Relations that depend on where the SQL runs come as
``NAME.inside.sql``: inside a database that has partwarden's schema. Checks are wrapped into functions, routines
are taken as they are, and all code is replaced whole at every install.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

SCHEMA = "partwarden"

ARTICLE_DOORS = ("send_cron_job_failures", "send_cron_job_failures_multi_record")

_HEADER_LINE = re.compile(r"^-- (?P<key>[a-z]+): (?P<value>.*)$")
_CONTINUATION = re.compile(r"^--  +(?P<value>.*)$")
_WITH = re.compile(r"\{\{with (?P<names>[a-z_, ]+?)(?:; part_config: (?P<part_config>[^}]+))?\}\}")


@dataclass(frozen=True)
class Migration:
    """One numbered step of the tables; never edited once released."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, to notice that a released migration was edited."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Check:
    """One check: a SELECT that returns findings, and its header.

    ``needs`` names the extension without which it is skipped, or is None.
    """

    id: str
    severity: str
    needs: str | None
    uses: tuple[str, ...]
    why: str
    select: str

    @property
    def function(self) -> str:
        """The name of the function that holds it inside the database, without its schema."""
        return "check_" + self.id.replace("-", "_")


def migrations() -> list[Migration]:
    """All migrations in their order."""
    found = []
    for name, text in _sql_files("schema"):
        number, _, words = name.removesuffix(".sql").partition("_")
        found.append(Migration(int(number), words, text))
    return found


@cache
def checks() -> tuple[Check, ...]:
    """All checks, by id."""
    found = []
    for name, text in _sql_files("checks"):
        header, select = _split_header(text)
        if header["check"] != name.removesuffix(".sql"):
            raise ValueError(f"sql/checks/{name} calls itself {header['check']!r} in its header")
        found.append(
            Check(
                id=header["check"],
                severity=header["severity"],
                needs=None if header["needs"] == "-" else header["needs"],
                uses=_names(header["uses"]),
                why=header["why"],
                select=select,
            )
        )
    return tuple(found)


def code() -> str:
    """The SQL that creates every routine of the schema, which must hold none of them yet."""
    # Routines call each other, in whatever order they are made.
    statements = ["set local check_function_bodies = off;\n"]
    statements += [_compose_routine(text) for _, text in _sql_files("routines")]
    statements += [_check_function(check) for check in checks()]
    statements.append(_check_list())
    statements.append(f"revoke all on all routines in schema {SCHEMA} from public;\n")
    return "\n".join(statements)


def article_doors(schema: str) -> str:
    """The SQL that creates the article's two procedures in ``schema``, given as a quoted identifier."""
    door = (files(__package__) / "sql" / "article_door.sql").read_text(encoding="utf-8")
    return "\n".join(door.replace("{{schema}}", schema).replace("{{name}}", name) for name in ARTICLE_DOORS)


def code_hash() -> str:
    """What tells one release's code from another's; the doors are part of it."""
    return hashlib.sha256((code() + article_doors("public")).encode()).hexdigest()


def with_clause(uses: tuple[str, ...], *, part_config: str | None = None) -> str:
    """``with a as (…), b as (…)`` for the named relations and all that they stand on, each after its needs.

    ``part_config`` is a function call to read pg_partman's configuration from instead, for one set only.
    """
    ordered: dict[str, str] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        header, select = _split_header(_relation(name))
        for needed in _names(header["uses"]):
            add(needed)
        if name == "part_config" and part_config is not None:
            select = f"select config from {part_config} as listed (config)"
        ordered[name] = select

    for name in uses:
        add(name)
    if not ordered:
        return ""
    return "with " + ",\n".join(f"{name} as (\n{select}\n)" for name, select in ordered.items()) + "\n"


def _compose_routine(text: str) -> str:
    return _WITH.sub(lambda match: with_clause(_names(match["names"]), part_config=match["part_config"]), text)


def _check_function(check: Check) -> str:
    body = with_clause(check.uses) + check.select
    return (
        f"create function {SCHEMA}.{check.function}()\n"
        "returns table (severity text, object text, summary text, detail jsonb, remedy text, since timestamptz)\n"
        "language sql stable\n"
        "set search_path = pg_catalog, pg_temp\n"
        f"as $check$\n{body}\n$check$;\n"
        f"comment on function {SCHEMA}.{check.function}() is {_literal(check.why)};\n"
    )


def _check_list() -> str:
    rows = ",\n    ".join(
        f"({_literal(each.id)}, {_literal(each.function)}, {_literal(each.severity)}, "
        f"{'null' if each.needs is None else _literal(each.needs)}, {_literal(each.why)})"
        for each in checks()
    )
    return (
        f"create function {SCHEMA}.checks()\n"
        "returns table (check_id text, function_name text, severity text, needs text, why text)\n"
        "language sql immutable\n"
        "set search_path = pg_catalog, pg_temp\n"
        f"as $list$\nvalues\n    {rows}\n$list$;\n"
        f"comment on function {SCHEMA}.checks() is 'Every check that the monitor runs.';\n"
    )


@cache
def _relation(name: str) -> str:
    folder = files(__package__) / "sql" / "relations"
    for candidate in (folder / f"{name}.sql", folder / f"{name}.inside.sql"):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    raise ValueError(f"no relation {name!r} in sql/relations")


def _split_header(text: str) -> tuple[Mapping[str, str], str]:
    header: dict[str, str] = {}
    key = ""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if match := _HEADER_LINE.match(line):
            key = match["key"]
            header[key] = match["value"].strip()
        elif match := _CONTINUATION.match(line):
            header[key] += " " + match["value"].strip()
        else:
            return header, "\n".join(lines[index:]).strip()
    raise ValueError("a file of sql/ has a header and nothing else")


def _names(listed: str) -> tuple[str, ...]:
    return () if listed == "-" else tuple(name.strip() for name in listed.split(","))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sql_files(folder: str) -> list[tuple[str, str]]:
    place: Traversable = files(__package__) / "sql" / folder
    return sorted(
        (each.name, each.read_text(encoding="utf-8")) for each in place.iterdir() if each.name.endswith(".sql")
    )
