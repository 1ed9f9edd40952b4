"""What is written into the first file is read back as it was, and as a person would have written it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from partwarden.config.document import read_document
from partwarden.initial.common import beside, defaults_of, joined
from partwarden.initial.entries import Entry, in_words
from partwarden.initial.layout import comment, inline, item, word


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("01:00:00", "1 hour"),
        ("00:15:00", "15 minutes"),
        ("01:30:00", "90 minutes"),
        ("00:00:30", "30 seconds"),
        ("00:01:30", "90 seconds"),
        ("24:00:00", "24 hours"),
        ("00:00:00", "00:00:00"),
        ("1 mon", "1 month"),
        ("3 mons", "3 months"),
        ("7 days", "1 week"),
        ("14 days", "14 days"),
        ("1 day", "1 day"),
        ("1 year", "1 year"),
        ("1 year 2 mons", "1 year 2 mons"),
        ("1000", "1000"),
    ],
)
def test_a_length_is_written_as_a_person_writes_it(stored: str, written: str) -> None:
    assert in_words(stored) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("created_at", "created_at"),
        ("data_mart.events", "data_mart.events"),
        ("1 day", "1 day"),
        ("2026-12-31", "2026-12-31"),
        ("0 * * * *", '"0 * * * *"'),
        ("off", "off"),
        ("true", '"true"'),
        ("null", '"null"'),
        ("*", '"*"'),
        ('a."B"', "'a.\"B\"'"),
        ("${HOME}", '"$${HOME}"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
    ],
)
def test_a_word_gets_the_quotes_that_it_takes(text: str, written: str) -> None:
    assert word(text) == written


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("${}:#'\"\\ -"), min_size=1, max_size=12)
)
def test_whatever_is_written_is_read_back(text: str) -> None:
    lines = item({"a": text, "b": {"c": text, text: True}, "d": [text, text], "e": 7}, 2)
    said, problems = read_document(f"x:\n{chr(10).join(comment(text, 2))}\n{chr(10).join(lines)}\n".encode(), "f", {})
    assert problems == []
    assert said == {"x": ({"a": text, "b": {"c": text, text: "true"}, "d": (text, text), "e": "7"},)}
    if "$" not in text:
        assert yaml.safe_load(f"- {inline({'a': [text, 'b']})}") == [{"a": [yaml.safe_load(word(text)), "b"]}]


def test_what_most_sets_say_is_said_once() -> None:
    usual = {"premake": 4, "infinite": False}
    entries = [
        Entry({"table": "a", "control": "c", "premake": 7, "repair": "off"}),
        Entry({"table": "b", "control": "c", "premake": 7, "infinite": True, "repair": "off"}),
        Entry({"table": "c", "control": "c", "repair": "off"}),
    ]
    defaults = defaults_of(entries, usual)
    assert defaults == {"premake": 7, "repair": "off"}
    assert [each.settings for each in (beside(defaults, entry, usual) for entry in entries)] == [
        {"control": "c"},
        {"control": "c", "infinite": True},
        {"control": "c", "premake": 4},
    ]
    assert defaults_of(entries[:1], usual) == {}


def test_sets_that_differ_in_their_names_only_share_an_entry() -> None:
    alike = [Entry({"table": name, "control": "c"}) for name in "abc"]
    other = Entry({"table": "d", "control": "c"}, remarks=("it is special",))
    assert [each.keys for each in joined([*alike, other])] == [
        {"tables": ["a", "b", "c"], "control": "c"},
        {"table": "d", "control": "c"},
    ]
    assert [each.keys["table"] for each in joined(alike[:2])] == ["a", "b"]
