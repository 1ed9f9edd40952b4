"""SQL taken apart into statements, as psql would send them."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|;|[^;'"$/-]+|.""", re.DOTALL
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


_NOT_EXECUTED = (("rollback prepared", "takes prepared transactions, which the tests' servers don't have"),)


def why_not_executed(statement: str) -> str | None:
    """Why a statement is only read; None where it can be run."""
    said = _COMMENT.sub("", statement).strip().lower()
    return next((reason for words, reason in _NOT_EXECUTED if said.startswith(words)), None)


def statements(text: str) -> list[str]:
    """Each statement with its comments, without its semicolon; what is only comment is none."""
    found = [""]
    for piece in _PIECE.finditer(text):
        if piece[0] == ";":
            found.append("")
        else:
            found[-1] += piece[0]
    return [each.strip() for each in found if _COMMENT.sub("", each).strip()]
