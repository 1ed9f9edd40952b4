"""What a word on the command line names: a database of the file, or one by its connection string."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from partwarden.errors import BadOption
from partwarden.nearest import nearest

if TYPE_CHECKING:
    from partwarden.config import Config, Database

log = logging.getLogger(__name__)

FILE_VARIABLE = "PARTWARDEN_CONFIG"
DEFAULT_FILE = Path("partwarden.yaml")

_SCHEMES = ("env:", "iam:", "aws-secret:")
_HARMLESS = re.compile(r"[\w.-]+")
"""What can hold no password, and may be repeated."""


@dataclass(frozen=True)
class Named:
    """A database that was named: how to get in, what the file calls it, and all that the file says of it."""

    dsn: str
    name: str | None = None
    described: Database | None = None

    @property
    def cluster(self) -> str | None:
        """What messages call its server, where the file says it."""
        return self.described.cluster if self.described is not None else None

    @property
    def cron_database(self) -> str | None:
        """The database that pg_cron lives in, where the file says it."""
        return self.described.cron_database if self.described is not None else None

    @property
    def thresholds(self) -> Mapping[str, str | int | bool]:
        """From when on checks find something, where the file says it."""
        return self.described.thresholds if self.described is not None else {}


def find_databases(words: Sequence[str], files: Sequence[Path]) -> tuple[Named, ...]:
    """The databases that ``words`` name; without any, all of the file; without a file, what libpq takes by default."""
    if words and not files and all(map(_is_connection_string, words)):
        return tuple(map(Named, words))  # the file is not read in vain, nor what is wrong with it told
    config = read_file(files)
    if words:
        return tuple(_find(word, config) for word in words)
    if config is None:
        return (Named(""),)
    return tuple(map(_from_file, config.databases))


def find_database(words: Sequence[str], files: Sequence[Path], *, must_be_named: bool) -> Named:
    """The one database that is named, or the only one of the file. Raises BadOption where there is another number."""
    found = find_databases(words, files)
    if len(found) != 1:
        named = "were named" if words else "are in the file"
        names = ", ".join(each.name or "a connection string" for each in found)
        raise BadOption(
            f"this works on one database, and {len(found)} {named}: {names}",
            remedy=f"name one of them: -d {found[0].name or 'NAME'}",
        )
    if must_be_named and not words and found[0].described is None:
        raise BadOption(
            "no database was named",
            remedy="-d with a connection string, or a name in partwarden.yaml; -d '' for what PG* variables say",
        )
    return found[0]


def read_file(files: Sequence[Path]) -> Config | None:
    """What the files say; without any, the one that PARTWARDEN_CONFIG names, or partwarden.yaml, where there is one."""
    chosen = tuple(files) or default_files()
    if not chosen:
        return None
    from partwarden.config import read_config  # takes as long to import as a small database takes to check

    log.info("reading %s", " and ".join(map(str, chosen)))
    return read_config(*chosen)


def default_files() -> tuple[Path, ...]:
    """The file that is read where none is named."""
    if named := os.environ.get(FILE_VARIABLE):
        return (Path(named),)
    return (DEFAULT_FILE,) if DEFAULT_FILE.is_file() else ()


def _is_connection_string(word: str) -> bool:
    return not word or "=" in word or "://" in word or word.startswith(_SCHEMES)


def _find(word: str, config: Config | None) -> Named:
    described = config.databases if config is not None else ()
    for each in described:
        if each.name == word:
            return _from_file(each)
    if _is_connection_string(word) or not _HARMLESS.fullmatch(word):
        return Named(word)  # libpq says what is wrong with it, and does not repeat it
    if config is None:
        raise BadOption(
            f"{word} is no connection string, and there is no file that could describe a database of that name",
            remedy=f"-d 'dbname={word}', or --config FILE",
        )
    names = [each.name for each in described]
    near = nearest(word, names)
    raise BadOption(
        f"the file describes no database {word}, and it is no connection string",
        remedy=f"did you mean {near}?" if near else f"it describes {', '.join(names)}; or -d 'dbname={word}'",
    )


def _from_file(database: Database) -> Named:
    return Named(database.dsn, database.name, database)  # env: is read when it is connected to
