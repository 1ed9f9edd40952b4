"""What is sent to a database is composed as it should be, and each file says what it is."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from partwarden import bundle


@pytest.mark.parametrize("check", bundle.checks(), ids=lambda check: check.id)
def test_every_check_says_what_it_is(check: bundle.Check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", check.id)
    assert check.severity.startswith(("warning", "critical"))
    assert check.needs in (None, "pg_partman", "pg_cron")
    assert len(check.why) > 40
    assert check.select.lower().startswith("select")


@pytest.mark.parametrize("check", bundle.checks(), ids=lambda check: check.id)
def test_every_check_returns_a_finding_in_its_six_columns(check: bundle.Check) -> None:
    for column in ("severity", "object", "summary", "detail", "remedy", "since"):
        assert re.search(rf"\bas {column}\b", check.select), column


def test_a_relation_stands_after_what_it_needs_and_only_once() -> None:
    text = bundle.with_clause(("headroom", "partition_set", "setting"))
    order = re.findall(r"^(?:with )?(\w+) as \($", text, re.MULTILINE)
    assert order == ["part_config", "partition_set", "partition_bound", "headroom", "setting"]


def test_nothing_needed_is_no_with_clause() -> None:
    assert bundle.with_clause(()) == ""


def test_one_set_only_can_be_asked_for() -> None:
    text = bundle.with_clause(("partition_set",), part_config="partwarden.part_config(p_parent_table)")
    assert "from partwarden.part_config(p_parent_table) as listed (config)" in text
    assert "partwarden.part_config()" not in text


def test_an_unknown_relation_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="'no_such_thing'"):
        bundle.with_clause(("no_such_thing",))


def test_no_placeholder_is_left_in_what_is_sent() -> None:
    assert "{{" not in bundle.code()
    assert "{{" not in bundle.article_doors("public")


def test_every_routine_is_in_a_file_of_its_name() -> None:
    for file in (files("partwarden") / "sql" / "routines").iterdir():
        created = re.findall(r"^create (?:function|procedure) partwarden\.(\w+)", file.read_text(), re.MULTILINE)
        assert created == [file.name.removesuffix(".sql")]


def test_dynamic_sql_goes_through_format_and_quotes_every_name() -> None:
    """A bare %s in format() may only stand for a regclass, a keyword or an expression of our own."""
    for folder in ("routines", "checks", "relations"):
        for file in (files("partwarden") / "sql" / folder).iterdir():
            assert not re.search(r"execute\s+'[^']*'\s*\|\|", file.read_text()), file.name


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [each.number for each in bundle.migrations()] == list(range(1, len(bundle.migrations()) + 1))


def test_the_hash_changes_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = bundle.code_hash()
    monkeypatch.setattr(bundle, "code", lambda: "select 1")
    assert bundle.code_hash() != before
