"""Pages that are written from the code: compared, or with PARTWARDEN_WRITE_PAGES=1 written."""

from __future__ import annotations

import os
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def is_up_to_date(name: str, text: str) -> bool:
    """Whether ``docs/NAME`` says just this; with ``PARTWARDEN_WRITE_PAGES=1`` it does from now on."""
    page = DOCS / name
    if os.environ.get("PARTWARDEN_WRITE_PAGES"):
        page.write_text(text, encoding="utf-8")
    return page.exists() and page.read_text(encoding="utf-8") == text
