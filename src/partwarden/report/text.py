"""Makes text that comes from a database fit to be shown: names and messages may hold any character."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""The text on one line, with what cannot be printed written as Python does: ``\n``, ``\x1b``, ``\u202e``."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def visible_lines(text: str) -> list[str]:
    """The lines of the text, each made visible, tabs as spaces; none for an empty text."""
    return [visible(line.expandtabs(4)) for line in text.splitlines()]


def in_one_line(text: str) -> str:
    """Prose of several lines as one, made visible."""
    return " ".join(line.strip() for line in visible_lines(text))
