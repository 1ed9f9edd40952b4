"""All that lives in a database: migrations, and code composed from the files below ``sql/``.

A relation (``sql/relations``) is a SELECT that several checks stand on; a file that names one in its header's
``uses`` finds it as a common table expression. All checks of one run are one statement, so that each relation is
worked out once. The same files run inside the database and are sent from outside; what differs is the relation
``given``: what the checks can't read for themselves, as one JSON object.

Checks and relations are kept in the database as text, routines are taken as they are, and all code is replaced whole
at every install.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

SCHEMA = "partwarden"

ARTICLE_DOORS = ("send_cron_job_failures", "send_cron_job_failures_multi_record")

_HEADER_LINE = re.compile(r"^-- (?P<key>[a-z]+): (?P<value>.*)$")
_CONTINUATION = re.compile(r"^--  +(?P<value>.*)$")
_WITH = re.compile(r"\{\{with (?P<names>[a-z_, ]+?)(?:; (?P<name>[a-z_]+): (?P<select>[^}]+))?\}\}")
_CALLED = re.compile(r"\bpartwarden\.([a-z_]+)\b")
_SOURCE = re.compile(r"\{\{source (?P<name>[a-z_]+)\}\}")
PARTMAN = "{{pg_partman}}"


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
class Relation:
    """A SELECT that checks stand on; ``empty`` is what stands in for it where ``needs`` is not met."""

    name: str
    uses: tuple[str, ...]
    needs: str | None
    empty: str | None
    select: str


@dataclass(frozen=True)
class Check:
    """One check: a SELECT that returns findings, and its header.

    ``needs`` names what it can't do without, as the relation ``need`` calls it. Without some it is skipped, without
    others it is done for what can be seen.
    """

    id: str
    severity: str
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    why: str
    select: str


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
    return tuple(_read_checks("checks", "check"))


@cache
def upgrade_questions() -> tuple[Check, ...]:
    """What is asked of a database that goes to another version of pg_partman, by id.

    Columns: since, severity, object, what, before, after, as ``upgrading.Concern`` has them.
    """
    return tuple(_read_checks("upgrading", "concern"))


@cache
def relations() -> tuple[Relation, ...]:
    """All relations, each after those that it uses."""
    ordered: dict[str, Relation] = {}

    def add(name: str) -> None:
        if name not in ordered:
            relation = _relation(name)
            for needed in relation.uses:
                add(needed)
            ordered[name] = relation

    for file_name, _ in _sql_files("relations"):
        add(file_name.removesuffix(".sql"))
    return tuple(ordered.values())


def closure(uses: tuple[str, ...], instead: Collection[str] = ()) -> tuple[str, ...]:
    """The named relations and all that they stand on, each after its needs.

    What only those in ``instead`` stand on is left out: they are replaced.
    """
    wanted = {_relation(name).name for name in uses}
    for relation in reversed(relations()):
        if relation.name in wanted and relation.name not in instead:
            wanted.update(relation.uses)
    return tuple(relation.name for relation in relations() if relation.name in wanted)


def statement(wanted: tuple[Check, ...], *, given: str, met: frozenset[str], partman_schema: str | None) -> str:
    """All the wanted checks as one SELECT: columns check_id, severity, object, summary, detail, remedy, since.

    ``given`` is a SELECT of the relation of that name, ``met`` the needs that are met, ``partman_schema`` a quoted
    name.
    """
    uses = tuple(name for check in wanted for name in check.uses)
    parts = [
        f"select {_literal(check.id)}::text as check_id, found.* from (\n{check.select}\n) found" for check in wanted
    ]
    return _with(uses, given=given, met=met, partman_schema=partman_schema) + "\nunion all\n".join(parts)


def view(name: str, values: Mapping[str, int]) -> Check:
    """A SELECT of ``sql/views``, in the form of a check, so that it goes into one statement with them.

    Its rows have the severity ``view``, and all their columns in ``detail``. ``values`` stand in for the placeholders of
    these names.
    """
    text = (files(__package__) / "sql" / "views" / f"{name}.sql").read_text(encoding="utf-8")
    header, select = _split_header(text)
    for placeholder, value in values.items():
        select = select.replace(f"{{{{{placeholder}}}}}", str(value))
    shown = (
        "select 'view' as severity, null::text as object, null::text as summary, to_jsonb(viewed) as detail, "
        f"null::text as remedy, null::timestamptz as since from (\n{select}\n) viewed"
    )
    return Check(header["view"], "view", (), _names(header["uses"]), header["why"], shown)


def query(relation: str, *, given: str, met: frozenset[str] = frozenset(), partman_schema: str | None = None) -> str:
    """A SELECT of everything in one relation; the arguments are those of ``statement``."""
    return _with((relation,), given=given, met=met, partman_schema=partman_schema) + f"select * from {relation}"


def source(name: str) -> str:
    """The SELECT of ``sql/sources`` that reads something as JSON: for the relation ``given``, or for whoever looks."""
    text = (files(__package__) / "sql" / "sources" / f"{name}.sql").read_text(encoding="utf-8")
    return _split_header(text)[1]


def page(check_id: str) -> str:
    """What the documentation says of a check: what it finds, why that hurts, how it comes about, how to mend it."""
    inside = Path(__file__).parent / "docs" / "checks"  # in the wheel; a checkout has it beside the source
    folder = inside if inside.is_dir() else Path(__file__).parents[2] / "docs" / "checks"
    return (folder / f"{check_id}.md").read_text(encoding="utf-8")


def code() -> str:
    """The SQL that creates every routine of the schema, which must hold none of them yet."""
    # Routines call each other, in whatever order they are made.
    statements = ["set local check_function_bodies = off;\n"]
    statements += [_compose_routine(text) for _, text in _sql_files("routines")]
    statements += [_check_list(), _relation_list()]
    statements.append(f"revoke all on all routines in schema {SCHEMA} from public;\n")
    return "\n".join(statements)


def session_code(routines: Collection[str]) -> str:
    """The SQL that creates, in the session's own temporary schema, what works from outside: nothing has to be installed.

    These are the routines of ``sql/session`` and ``sql/routines`` that are named, and whatever they call; ``partwarden.``
    before a name stands for ``pg_temp.`` there.
    """
    known = {name.removesuffix(".sql"): text for folder in ("routines", "session") for name, text in _sql_files(folder)}
    taken = set(routines)
    wanted = [known[name] for name in sorted(taken)]
    for text in wanted:  # it grows meanwhile
        called = {name for name in _CALLED.findall(text) if name in known} - taken
        taken |= called
        wanted += [known[name] for name in sorted(called)]
    statements = ["set local check_function_bodies = off;\n", *map(_compose_routine, wanted)]
    return _CALLED.sub(r"pg_temp.\1", "\n".join(statements))


def session_routines(*, beginning: str = "", but: str | None = None) -> tuple[str, ...]:
    """The routines of ``sql/session`` whose names begin like that, without those that begin with ``but``."""
    names = [name.removesuffix(".sql") for name, _ in _sql_files("session")]
    return tuple(name for name in names if name.startswith(beginning) and not (but and name.startswith(but)))


def article_doors(schema: str) -> str:
    """The SQL that creates the article's two procedures in ``schema``, given as a quoted identifier."""
    door = (files(__package__) / "sql" / "article_door.sql").read_text(encoding="utf-8")
    return "\n".join(door.replace("{{schema}}", schema).replace("{{name}}", name) for name in ARTICLE_DOORS)


def code_hash() -> str:
    """What tells one release's code from another's; the doors are part of it."""
    return hashlib.sha256((code() + article_doors("public")).encode()).hexdigest()


def with_clause(uses: tuple[str, ...], instead: Mapping[str, str]) -> str:
    """``with a as (…), b as (…)`` for a routine, with other SELECTs in the place of some relations.

    A routine looks at one set only, so those that nobody manages are left out, and pg_partman's configuration has
    to be given.
    """
    selects = _selects(uses, {"unmanaged_parent": _relation("unmanaged_parent").empty or "", **instead})
    return _ctes("as materialized", selects)


def _with(uses: tuple[str, ...], *, given: str, met: frozenset[str], partman_schema: str | None) -> str:
    unmet = {each.name: each.empty or "" for each in relations() if each.needs is not None and each.needs not in met}
    selects = _selects(uses, {"given": given, **unmet})
    if partman_schema is not None:  # what is given may hold the placeholder as data
        selects = {
            name: select if name == "given" else select.replace(PARTMAN, partman_schema)
            for name, select in selects.items()
        }
    return _ctes("as materialized", selects)


def _selects(uses: tuple[str, ...], instead: Mapping[str, str]) -> dict[str, str]:
    return {name: instead.get(name, _relation(name).select) for name in closure(uses, instead)}


def _ctes(kind: str, selects: Mapping[str, str]) -> str:
    return (
        "with " + ",\n".join(f"{name} {kind} (\n{select}\n)" for name, select in selects.items()) + "\n"
        if selects
        else ""
    )


def _compose_routine(text: str) -> str:
    def compose(match: re.Match[str]) -> str:
        return with_clause(_names(match["names"]), {match["name"]: match["select"]} if match["name"] else {})

    return _WITH.sub(compose, _SOURCE.sub(lambda match: source(match["name"]), text))


def _check_list() -> str:
    rows = ",\n    ".join(
        f"({_literal(each.id)}, {_literal(each.severity)}, {_array(each.needs)}, {_array(closure(each.uses))}, "
        f"{_literal(each.why)}, {_dollar(each.select)})"
        for each in checks()
    )
    return (
        f"create function {SCHEMA}.checks()\n"
        "returns table (check_id text, severity text, needs text[], uses text[], why text, statement text)\n"
        "language sql immutable\n"
        "set search_path = pg_catalog, pg_temp\n"
        f"as $list$\nvalues\n    {rows}\n$list$;\n"
        f"comment on function {SCHEMA}.checks() is 'Every check that the monitor runs.';\n"
    )


def _relation_list() -> str:
    rows = ",\n    ".join(
        f"({number}, {_literal(each.name)}, {_literal(each.needs) if each.needs else 'null'}, "
        f"{_dollar(each.empty) if each.empty else 'null'}, {_dollar(each.select)})"
        for number, each in enumerate(relations(), 1)
    )
    return (
        f"create function {SCHEMA}.relations()\n"
        "returns table (number integer, name text, needs text, instead text, statement text)\n"
        "language sql immutable\n"
        "set search_path = pg_catalog, pg_temp\n"
        f"as $list$\nvalues\n    {rows}\n$list$;\n"
        f"comment on function {SCHEMA}.relations() is 'What the checks stand on, each after what it stands on.';\n"
    )


@cache
def _relation(name: str) -> Relation:
    text = (files(__package__) / "sql" / "relations" / f"{name}.sql").read_text(encoding="utf-8")
    header, select = _split_header(text)
    if header["relation"] != name:
        raise ValueError(f"sql/relations/{name}.sql calls itself {header['relation']!r} in its header")
    return Relation(name, _names(header["uses"]), header.get("needs"), header.get("empty"), select)


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


def _array(names: tuple[str, ...]) -> str:
    return "array[" + ", ".join(map(_literal, names)) + "]::text[]"


def _dollar(text: str) -> str:
    return f"$sql$\n{text}\n$sql$"


def _read_checks(folder: str, named: str) -> Iterator[Check]:
    for name, text in _sql_files(folder):
        header, select = _split_header(text)
        if header[named] != name.removesuffix(".sql"):
            raise ValueError(f"sql/{folder}/{name} calls itself {header[named]!r} in its header")
        yield Check(
            id=header[named],
            severity=header.get("severity", ""),
            needs=_names(header.get("needs", "-")),
            uses=_names(header["uses"]),
            why=header["why"],
            select=select,
        )


def _sql_files(folder: str) -> list[tuple[str, str]]:
    place: Traversable = files(__package__) / "sql" / folder
    return sorted(
        (each.name, each.read_text(encoding="utf-8")) for each in place.iterdir() if each.name.endswith(".sql")
    )
