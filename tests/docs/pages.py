"""The pages of the documentation, and what stands in them between fences."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")


@dataclass(frozen=True)
class Block:
    """One fenced block: what it is written in, and where it stands."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it stands, for the names of tests and for messages."""
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> Iterator[Block]:
    """The blocks of all pages that are written in one of these languages; "" has none."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for fence in _FENCE.finditer(text):
            if fence["language"] in languages:
                line = text.count("\n", 0, fence.start()) + 2
                yield Block(str(page.relative_to(ROOT)), line, fence["language"], textwrap.dedent(fence["text"]))


def languages() -> set[str]:
    """All that blocks are written in."""
    return {fence["language"] for page in PAGES for fence in _FENCE.finditer(page.read_text(encoding="utf-8"))}


def inline_code() -> Iterator[tuple[str, str]]:
    """What stands between single back-ticks, with its page; line ends within it as blanks."""
    for page in PAGES:
        for found in _INLINE.finditer(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            yield str(page.relative_to(ROOT)), " ".join(found[1].split())
