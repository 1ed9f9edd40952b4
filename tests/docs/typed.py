"""Everything that the documentation has people type, and how much of it is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.docs.pages import Block, blocks
from tests.docs.shell import Typed, commands, why_not_run
from tests.docs.shown import sessions
from tests.docs.statements import statements, why_not_executed

LANGUAGES = ("sh", "console", "sql")
"""What blocks are written in that are there to be typed."""


def typed(block: Block) -> list[Typed]:
    """The commands of a block for the shell."""
    text = block.text if block.language == "sh" else "\n".join(shown.command for shown in sessions(block.text))
    return commands(text)


def all_typed() -> Iterator[tuple[Block, Typed]]:
    """Every command for the shell on every page, with where it stands."""
    for block in blocks("sh", "console"):
        for command in typed(block):
            yield block, command


def counted() -> list[str]:
    """How many commands and statements are run, and how many are only read, by the reason."""
    commands_read = [why_not_run(command) for _, command in all_typed()]
    sql_read = [why_not_executed(each) for block in blocks("sql") for each in statements(block.text)]
    read = Counter(reason for reason in (*commands_read, *sql_read) if reason is not None)
    runs = f"{commands_read.count(None)} commands and {sql_read.count(None)} statements"
    lines = [f"documentation: {runs} run, {read.total()} only read:"]
    return [*lines, *(f"  {count} {reason}" for reason, count in read.most_common())]
