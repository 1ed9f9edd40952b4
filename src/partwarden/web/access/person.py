"""Who looks at a page, and whether they may act; and which people a pattern means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from starlette.types import Scope

_GROUP = "group:"
MOST_LETTERS = 100
"""A name stands in the record, in messages, and at the top of each page: a longer one would be none."""


@dataclass(frozen=True)
class Person:
    """Who has asked for a page. ``name`` is what the record of their actions calls them.

    ``csrf`` is what their forms bring back, where they have a session; ``can_leave``: they can log out.
    """

    name: str
    may_act: bool = False
    csrf: str | None = field(default=None, repr=False)
    can_leave: bool = False


NOBODY = Person("nobody")
"""Who has not logged in, on the pages that are open to everybody."""


@dataclass(frozen=True)
class Circle:
    """The people that patterns mean: ``anna@example.com``, ``*@example.com``, ``group:dba``, ``*`` for everybody."""

    patterns: tuple[str, ...]

    def holds(self, name: str, groups: Iterable[str] = ()) -> bool:
        """Whether they are one of them; large and small letters of a name are the same, those of a group are not."""
        mine = frozenset(groups)
        for pattern in self.patterns:
            if pattern.startswith(_GROUP):
                if pattern.removeprefix(_GROUP) in mine:
                    return True
            elif fnmatchcase(name.casefold(), pattern.casefold()):
                return True
        return False


EVERYBODY = Circle(("*",))


def person_of(scope: Scope) -> Person:
    """Who has sent this request, as the gate has found out; somebody who may not act, where no gate has been passed."""
    found = scope.get("state", {}).get("person", NOBODY)
    return found if isinstance(found, Person) else NOBODY


def as_name(said: str) -> str:
    """What somebody calls themselves, as it may stand in a record: in one line, all of it printable, and not too long."""
    shown = "".join(letter for letter in " ".join(said.split()) if letter.isprintable())
    return shown[:MOST_LETTERS].strip()


def as_known(said: object) -> str | None:
    """A name that somebody else vouches for, exactly as it is said; None for one that could pass for another's."""
    if not isinstance(said, str) or not said or said != as_name(said):
        return None
    return said
