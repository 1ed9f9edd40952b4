"""What a file says, and where: YAML as sections, items and words that know their place, and nothing guessed of them.

A word stays the text that was written; what it means (a number, a date, yes) is for the key to say that it belongs to.
So ``on``, ``010``, ``1:30`` and ``2022-04-01`` reach it as a person typed them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Source:
    """Where something stands. ``line`` and ``column`` begin at 1; 0 where it stands in no file."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Source()


class Word(str):
    """A scalar. ``written`` is what the file has, before variables; ``quoted`` tells whether quotes make it text."""

    __slots__ = ("quoted", "source", "written")

    quoted: bool
    source: Source
    written: str

    def __new__(cls, text: str, source: Source, *, quoted: bool = False, written: str | None = None) -> Self:
        """The word ``text``; ``written`` where that is something else."""
        word = super().__new__(cls, text)
        word.quoted = quoted
        word.source = source
        word.written = text if written is None else written
        return word


class Items(tuple[object, ...]):
    """A sequence; ``sources`` has the place of each item."""

    source: Source
    sources: tuple[Source, ...]

    def __new__(cls, items: Iterable[tuple[object, Source]], source: Source) -> Self:
        """These items, each with its place."""
        placed = tuple(items)
        made = super().__new__(cls, (item for item, _ in placed))
        made.source = source
        made.sources = tuple(place for _, place in placed)
        return made


class Section(dict[str, object]):
    """A mapping; ``keys_at`` has the place of each key, ``values_at`` that of each value."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.keys_at: dict[str, Source] = {}
        self.values_at: dict[str, Source] = {}

    def put(self, key: str, value: object, key_at: Source, value_at: Source) -> None:
        """Set a key."""
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at

    def adopt(self, key: str, other: Section) -> None:
        """Take over a key that ``other`` has, which keeps its place there."""
        self.put(key, other[key], other.keys_at[key], other.values_at[key])

    def copied(self) -> Section:
        """The same, to be changed."""
        copy = Section(self.source)
        for key in self:
            copy.adopt(key, self)
        return copy
