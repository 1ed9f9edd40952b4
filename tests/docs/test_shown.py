"""What counts as the output that a page shows."""

from __future__ import annotations

import pytest

from tests.docs.shown import Shown, fits, sessions
from tests.docs.statements import statements

SHOWN = """\
WARNING   app  PostgreSQL 18.6 (Debian 18.6-3), 130 ms

  app.events_p20261130  gap  since 2026-11-23 00:00 UTC
  …
1 warning
"""


@pytest.mark.parametrize(
    "output",
    [
        SHOWN.replace("…", "one line\nand another"),
        SHOWN.replace("…", ""),
        SHOWN.replace("18.6 (Debian 18.6-3)", "18.9").replace("130 ms", "2.4 s").replace("2.4 s", "20 ms"),
        SHOWN.replace("20261130", "20270101").replace("2026-11-23 00:00 UTC", "2027-01-01 12:34 UTC"),
        SHOWN.replace("gap  since", "gap\n    since"),
    ],
)
def test_other_times_sizes_versions_and_line_ends_fit(output: str) -> None:
    assert fits(SHOWN, output)


@pytest.mark.parametrize(
    "output",
    [
        SHOWN.replace("WARNING", "CRITICAL"),
        SHOWN.replace("1 warning", "2 warnings"),
        SHOWN.replace("app.events", "app.orders"),
        SHOWN + "error: something else\n",
        "",
    ],
)
def test_other_words_do_not_fit(output: str) -> None:
    assert not fits(SHOWN, output)


def test_commands_of_a_console_go_on_over_lines() -> None:
    assert sessions("$ one \\\n> two\nout\n$ three\n") == [Shown("one \\\ntwo", "out\n"), Shown("three", "")]


def test_statements_end_at_semicolons_outside_of_quotes_and_comments() -> None:
    text = "select ';' as a; -- no; end\ndo $$ begin null; end $$;\nselect \";\" -- last"
    assert statements(text) == ["select ';' as a", "-- no; end\ndo $$ begin null; end $$", 'select ";" -- last']
    assert statements("-- only this\n") == []
