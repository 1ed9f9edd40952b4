"""What is wrong with a file, each thing with its place, and the error that says all of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from partwarden.config.said import Source
from partwarden.errors import BadConfig


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, at which key (empty: the file as a whole), and what."""

    file: str
    line: int
    column: int
    key: str
    message: str

    @classmethod
    def at(cls, source: Source, key: str, message: str) -> Problem:
        """The problem with this place."""
        return cls(source.file, source.line, source.column, key, message)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class BadFile(BadConfig):
    """A file says what can't be; ``problems`` has all of it, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = list(dict.fromkeys(problems))
        files = list(dict.fromkeys(each.file for each in found))
        self.problems = tuple(sorted(found, key=lambda each: (files.index(each.file), each.line, each.column)))
        super().__init__(
            "\n".join(map(str, self.problems)),
            remedy="mend it, then: partwarden validate (docs/file.md has every key, and what it takes)",
        )


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that somebody may have meant."""
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None
