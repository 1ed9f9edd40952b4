"""Versions of pg_partman, as they are compared and as they are named in statements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A version such as 4.7.2; what stands behind the numbers does not count, as in 5.1.0-beta."""

    text: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers, by which versions are compared; 5 is 5.0.0."""
        leading = re.match(r"\d+(?:\.\d+)*", self.text)
        found = [int(number) for number in leading[0].split(".")] if leading else []
        return tuple(found + [0] * (3 - len(found)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.numbers == other.numbers

    def __hash__(self) -> int:
        return hash(self.numbers)

    def __lt__(self, other: Version) -> bool:
        return self.numbers < other.numbers

    def __str__(self) -> str:
        return self.text
