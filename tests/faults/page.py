"""The page docs/detection.md: what each fault is found by, on each server, and whether the article's query sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.faults.catalogue import FAULTS
from tests.faults.world import Fault
from tests.servers import MAJORS

PAGE = Path(__file__).parents[2] / "docs" / "detection.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


@dataclass(frozen=True)
class Seen:
    """What was found of a fault on one server."""

    checks: frozenset[str]
    article: bool


_seen: dict[tuple[str, int], Seen] = {}


def note(fault: Fault, major: int, seen: Seen) -> None:
    """Remember what was found, for the table."""
    _seen[fault.name, major] = seen


def is_complete() -> bool:
    """Whether every fault was tried on every server."""
    return all((fault.name, major) in _seen for fault in FAULTS for major in fault.expected)


def table() -> str:
    """The table as it has to stand in the page."""
    rows = ["| fault | " + " | ".join(map(str, MAJORS)) + " | found by | the article's query |", "| --- " * 6 + "|"]
    totals = dict.fromkeys(MAJORS, 0)
    article = 0
    tried = 0
    for fault in FAULTS:
        cells = []
        by: set[str] = set()
        sees = []
        for major in MAJORS:
            seen = _seen.get((fault.name, major))
            if seen is None:
                cells.append("-")
                continue
            tried += 1
            totals[major] += bool(seen.checks)
            article += seen.article
            by |= seen.checks
            cells.append("found" if seen.checks else "missed")
            if seen.article:
                sees.append(str(major))
        links = ", ".join(f"[{check}](checks/{check}.md)" for check in sorted(by))
        rows.append(
            f"| {fault.name} | {' | '.join(cells)} | {links} | {'sees it on ' + ', '.join(sees) if sees else 'nothing'} |"
        )
    found = sum(totals.values())
    rows.append("")
    rows.append(f"Of {tried} cases partwarden finds {found}, the article's query {article}.")
    return "\n".join(rows) + "\n"
