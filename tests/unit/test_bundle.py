"""What is sent to a database is composed as it should be, and each file says what it is."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from partwarden import bundle

NEEDS = {
    "pg_partman",
    "sets",
    "pg_cron",
    "jobs",
    "all_jobs",
    "runs",
    "cron_settings",
    "activity",
    "all_activity",
    "timezone",
    "monitor",
    "primary",
}


@pytest.mark.parametrize("check", bundle.checks(), ids=lambda check: check.id)
def test_every_check_says_what_it_is(check: bundle.Check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.id)
    assert check.severity.startswith(("warning", "critical"))
    assert set(check.needs) <= NEEDS
    assert len(check.why) > 40
    assert check.select.lower().startswith("select")


@pytest.mark.parametrize("check", bundle.checks(), ids=lambda check: check.id)
def test_every_check_returns_a_finding_in_its_six_columns(check: bundle.Check) -> None:
    named = re.findall(
        r"^.*\bas (severity|object|summary|detail|remedy|since)$",
        check.select.partition("\nfrom ")[0].replace(",\n", "\n"),
        re.MULTILINE,
    )
    assert named == ["severity", "object", "summary", "detail", "remedy", "since"]


def test_a_relation_stands_after_what_it_needs_and_only_once() -> None:
    names = [relation.name for relation in bundle.relations()]
    assert len(names) == len(set(names))
    for relation in bundle.relations():
        assert all(names.index(needed) < names.index(relation.name) for needed in relation.uses), relation.name


def test_a_check_gets_all_that_its_relations_stand_on() -> None:
    assert bundle.closure(("headroom",)) == (
        *("part_config", "managed_parent", "unmanaged_parent", "partition_set", "partition_child"),
        *("partition_range", "partition_bound", "locked", "headroom"),
    )


def test_every_relation_is_used() -> None:
    used = {name for check in bundle.checks() for name in bundle.closure(check.uses)}
    assert {relation.name for relation in bundle.relations()} - used <= {"need"}


def test_a_check_names_every_relation_that_it_reads() -> None:
    names = "|".join(relation.name for relation in bundle.relations())
    parts: list[bundle.Check | bundle.Relation] = [*bundle.checks(), *bundle.relations()]
    for part in parts:
        read = set(re.findall(rf"\b(?:from|join) ({names})\b(?! lock)", part.select))
        assert read == set(part.uses), part


def test_without_pg_partman_its_configuration_is_empty() -> None:
    (check,) = (each for each in bundle.checks() if each.id == "gap")
    text = bundle.statement((check,), given="select '{}'::jsonb as fact", met=frozenset(), partman_schema=None)
    assert "where false" in text
    assert "{{" not in text


def test_one_set_only_can_be_asked_for() -> None:
    text = bundle.with_clause(("partition_set",), {"part_config": "select p_config as config"})
    assert "part_config as materialized (\nselect p_config as config\n)" in text
    assert "select null::oid as parent, null::jsonb as config where false" in text


def test_an_unknown_relation_is_an_error_that_names_it() -> None:
    with pytest.raises(FileNotFoundError, match="no_such_thing"):
        bundle.with_clause(("no_such_thing",), {})


def test_no_placeholder_is_left_in_what_is_sent() -> None:
    # The schema of pg_partman is filled in when a check runs: it may be dropped and made again elsewhere.
    assert "{{" not in bundle.code().replace(bundle.PARTMAN, "")
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
