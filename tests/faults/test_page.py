"""The page that says what is found says what was found."""

from __future__ import annotations

import os

import pytest

from tests.faults.page import BEGIN, END, PAGE, is_complete, table


def test_the_page_of_detection_is_up_to_date() -> None:
    """``PARTWARDEN_WRITE_PAGES=1`` writes it."""
    if not is_complete():
        pytest.skip("not every fault was tried on every server in this run")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("PARTWARDEN_WRITE_PAGES"):
        PAGE.write_text(before + BEGIN + table() + END + after)
        return
    assert written == table()
