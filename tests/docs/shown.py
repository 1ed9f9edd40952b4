"""What a page shows of a command's output, held against what comes out: times, sizes and versions may be others."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANY = "…"
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?: UTC|Z|\+00)?"), "TIME"),
    (re.compile(r"(?<=_p)\d{8}"), "DATE"),
    (re.compile(r"\bPostgreSQL \d+\.\d+(?: \([^)]*\))?"), "PostgreSQL VERSION"),
    (re.compile(r"\b(pg_partman|pg_cron) \d+(?:\.\d+)+"), r"\1 VERSION"),
    (re.compile(r"\b\d[\d,.]* ?(ms|s|min|bytes|kB|MB|GB)\b"), r"N \1"),
    (re.compile(r"\b\d[\d,.]* (seconds?|minutes?|hours?|days?|weeks?|months?)\b"), r"N \1"),
    (re.compile(r"[▁▂▃▄▅▆▇█×·‹›│]+(?: [▁▂▃▄▅▆▇█×·‹›│]+)*"), "LINE"),  # noqa: RUF001 - as drawn
    (re.compile(r"\bport \d+|:\d{5}\b"), "PORT"),
)


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it after a prompt, and the lines below it."""

    command: str
    output: str


def sessions(text: str) -> list[Shown]:
    """The commands of a ``console`` block; a line that begins with ``> `` goes on with the command."""
    found: list[Shown] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Shown(line.removeprefix("$ "), ""))
        elif line.startswith("> ") and found and not found[-1].output:
            found[-1] = Shown(f"{found[-1].command}\n{line.removeprefix('> ')}", "")
        elif found:
            found[-1] = Shown(found[-1].command, f"{found[-1].output}{line}\n")
        else:
            raise ValueError(f"this is no prompt, and there is none before it: {line!r}")
    return found


def fits(shown: str, output: str) -> bool:
    """Whether this may be what came out: ``…`` stands for anything, and lines may be wrapped elsewhere."""
    pattern = ".*".join(re.escape(part) for part in _plain(shown).split(_ANY))
    return re.fullmatch(pattern, _plain(output)) is not None


def _plain(text: str) -> str:
    for varying, word in _VARYING:
        text = varying.sub(word, text)
    plain = " ".join(text.split())
    return re.sub(rf" ?{_ANY} ?", _ANY, plain)
