"""What every command understands: which file, which databases, how the answer is written, how much is said beside it.

A command takes ``common: Common = COMMON`` (or ``output: Output = OUTPUT``, where no database is asked). Its result goes to
``common.out`` and ``common.answer``, of which one is heard: for people, or with ``--json`` for programs, on standard output.
What is said beside it, progress, notes and questions, goes to ``common.messages``, on standard error.
"""

# No annotations from __future__: a class in another module that inherits options would have to know their names.
import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter
from cyclopts.validators import Number
from rich.console import Console

from partwarden.cli import completion
from partwarden.cli.naming import Named, find_database, find_databases, read_file
from partwarden.cli.waiting import waiting
from partwarden.errors import BadOption

if TYPE_CHECKING:
    from partwarden.config import Config

_COMMON = Group("Common options", sort_key=90)
_flag = Parameter(group=_COMMON, negative=(), show_default=False)
_value = Parameter(group=_COMMON, negative=(), show_default=False)


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How the answer is written, and what is said beside it."""

    json: Annotated[bool, _flag, Parameter(name="--json", help="Write the result as JSON.")] = False
    quiet: Annotated[bool, _flag, Parameter(name=["--quiet", "-q"], help="Say nothing beside it but errors.")] = False
    verbose: Annotated[
        bool, _flag, Parameter(name=["--verbose", "-v"], help="Say what is asked where, and how long it takes.")
    ] = False
    no_color: Annotated[bool, _flag, Parameter(name="--no-color", help="No colours; as with NO_COLOR.")] = False
    debug: Annotated[bool, _flag, Parameter(name="--debug", help="Show where in the program an error is from.")] = False

    @property
    def out(self) -> Console:
        """Where the result goes, for people; with ``--json`` it is not heard."""
        return console(plain=self.no_color, quiet=self.json)

    @property
    def messages(self) -> Console:
        """Where all goes that is not the result; with ``--quiet`` it is not heard."""
        return console(stderr=True, plain=self.no_color, quiet=self.quiet)

    @property
    def page(self) -> Console:
        """As ``out``, for prose, which is wrapped at the terminal's width."""
        return console(plain=self.no_color, quiet=self.json, wrap=True)

    @property
    def table(self) -> Console:
        """As ``out``, for tables: as wide as the terminal, and with a line a row where there is none."""
        out = self.page
        return out if out.is_terminal else console(plain=self.no_color, quiet=self.json, wrap=True, width=100_000)

    def waiting(self, what: str) -> AbstractContextManager[None]:
        """Says what is waited for, where the block takes longer than a second."""
        return waiting(self.messages, what)

    def answer(self, document: Mapping[str, Any]) -> None:
        """Write the result for programs, where that was asked for: as ASCII, times in UTC."""
        if self.json:
            sys.stdout.write(json.dumps(document, indent=2, default=_as_text) + "\n")


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which databases."""

    config: Annotated[
        tuple[Path, ...],
        _value,
        Parameter(
            name=["--config", "-c"],
            metavar="FILE",
            help="The file that describes databases; several: again. Else PARTWARDEN_CONFIG, else ./partwarden.yaml.",
        ),
    ] = ()
    database: Annotated[
        tuple[str, ...],
        _value,
        Parameter(
            name=["--database", "-d"],
            metavar="NAME",
            completer=completion.databases,
            help="A database: its name in the file, or a connection string, env:NAME, iam:…, aws-secret:…",
        ),
    ] = ()

    def named(self) -> Named | None:
        """The one database that is named here; None where none is. Raises BadOption for several."""
        return find_database(self.database, self.config, must_be_named=True) if self.database else None


@Parameter(name="*")
@dataclass(frozen=True)
class Common(Output, Which):
    """All of it: what a command takes that looks at databases."""

    timeout: Annotated[
        float | None,
        _value,
        Parameter(metavar="SECONDS", validator=Number(gt=0), help="Seconds that one database may take."),
    ] = None

    def databases(self, *words: str) -> tuple[Named, ...]:
        """The databases that are named, here or by a command's own ``words``; else all of the file; else libpq's default.

        Raises BadConfig for the file, and BadOption for a name that is not in it.
        """
        return find_databases((*words, *self.database), self.config)

    def one_database(self, word: str | None = None, *, must_be_named: bool = False) -> Named:
        """The one database to work on; the only one of the file, where none is named.

        ``must_be_named``: libpq's default is not good enough. Raises BadOption unless it is one.
        """
        words = (*(() if word is None else (word,)), *self.database)
        return find_database(words, self.config, must_be_named=must_be_named)

    def file(self) -> "Config":
        """What the file says. Raises BadOption where there is none, and BadConfig for what is wrong with it."""
        found = read_file(self.config)
        if found is None:
            raise BadOption(
                "there is no file to go by: no --config, no PARTWARDEN_CONFIG, no partwarden.yaml in this folder",
                remedy="partwarden init DSN > partwarden.yaml writes one from what a database has",
            )
        return found


OUTPUT = Output()
COMMON = Common()

FLAGS = frozenset({"--json", "--quiet", "-q", "--verbose", "-v", "--no-color", "--debug"})
VALUED = frozenset({"--config", "-c", "--database", "-d", "--timeout"})
"""The common options by name: those that stand alone, and those with a value. They may also stand before the command."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the program end as it does with any error."""
        raise  # noqa: PLE0704 - rich calls this where it has caught one


def console(
    *, stderr: bool = False, plain: bool = False, quiet: bool = False, wrap: bool = False, width: int | None = None
) -> Console:
    """A console that leaves lines as long as they are, unless ``wrap``.

    There are no escape codes in a pipe, nor where ``plain``, or the variable NO_COLOR, says that nobody wants them.
    """
    is_plain = plain or bool(os.environ.get("NO_COLOR"))
    return _Console(
        stderr=stderr,
        quiet=quiet,
        highlight=False,
        emoji=False,
        soft_wrap=not wrap,
        width=width,
        color_system=None if is_plain else "auto",
        force_terminal=False if is_plain else None,
    )


def _as_text(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
