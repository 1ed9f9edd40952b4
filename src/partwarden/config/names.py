"""Names of tables as the file has them: written as SQL writes them, but never folded to lower case; and patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

_PART = re.compile(r'"(?:[^"]|"")+"|[^".]+')
_GLOB = re.compile(r"[*?\[]")
_LONGEST = 63
_BARE = re.compile(r"[a-zA-Z_\u0080-\uffff][a-zA-Z0-9_$\u0080-\uffff]*")


@dataclass(frozen=True, order=True)
class QualifiedName:
    """A table, a function or a template by its schema and its name, both without quotes."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{written(self.schema)}.{written(self.name)}"

    @property
    def bare(self) -> str:
        """Both without quotes, as pg_partman keeps the name."""
        return f"{self.schema}.{self.name}"


def written(name: str) -> str:
    """A name as the file has it: in quotes where it takes some."""
    if _BARE.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def simple_name(text: str) -> str:
    """The name of a column, schema or role. Raises ValueError for what is none."""
    parts = _parts(text)
    if len(parts) != 1:
        raise ValueError("this is one name too many: it takes quotes when the dot belongs to the name")
    return _name(parts[0])


def qualified_name(text: str) -> QualifiedName:
    """Schema and name. Raises ValueError for what is no ``schema.name``."""
    schema, name = divided(text)
    return QualifiedName(_name(schema), _name(name))


def divided(text: str) -> tuple[str, str]:
    """Schema and name as they are written. Raises ValueError for what is no ``schema.name``."""
    parts = _parts(text)
    if len(parts) == 1:
        raise ValueError(f"name its schema, too: public.{text}")
    if len(parts) > 2:
        raise ValueError('this is not schema.name; a name with a dot takes quotes, as in public."a.b"')
    return parts[0], parts[1]


def is_pattern(text: str) -> bool:
    """Whether a table is named by a pattern, rather than by its name."""
    return any(_GLOB.search(part) for part in _PART.findall(text) if not part.startswith('"'))


def matches(pattern: str, table: QualifiedName) -> bool:
    """Whether a name or pattern means this table: each part for itself, so no ``*`` reaches beyond a dot."""
    if not is_pattern(pattern):
        return qualified_name(pattern) == table
    return all(
        (_name(part) == name) if part.startswith('"') else fnmatchcase(name, part)
        for part, name in zip(divided(pattern), (table.schema, table.name), strict=True)
    )


def _parts(text: str) -> list[str]:
    parts = []
    position = 0
    while True:
        found = _PART.match(text, position)
        if found is None:
            raise ValueError("this is not a name: a name that holds a quote or a dot is put into quotes, as in SQL")
        parts.append(found.group())
        position = found.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            raise ValueError('quotes belong around a whole name, and are doubled inside, as in a."b ""c"""')
        position += 1


def _name(part: str) -> str:
    name = part[1:-1].replace('""', '"') if part.startswith('"') else part
    if name != name.strip() and not part.startswith('"'):
        raise ValueError("a name that begins or ends with a space takes quotes")
    if "\0" in name:
        raise ValueError("no name has a zero byte")
    if len(name.encode(errors="replace")) > _LONGEST:
        raise ValueError(f"PostgreSQL cuts names to {_LONGEST} bytes, and this one has {len(name.encode())}")
    return name
