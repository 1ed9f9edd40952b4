"""What somebody may have meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like it, upper and lower case aside; None where none is."""
    by_lower_case = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), list(by_lower_case), n=1)
    return by_lower_case[found[0]] if found else None
