"""The documentation and what it is about say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from partwarden import bundle
from partwarden.cli import app

ROOT = Path(__file__).parent.parent.parent
CHECK_PAGES = ROOT / "docs" / "checks"
README = ROOT / "README.md"
PAGES = (README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCED = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    broken = [link for link in relative_links(page) if not leads_somewhere(page, link)]
    assert broken == []


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    assert {page.stem for page in CHECK_PAGES.glob("*.md")} == {check.id for check in bundle.checks()}


@pytest.mark.parametrize("check", bundle.checks(), ids=lambda check: check.id)
def test_a_checks_page_opens_with_its_id_and_what_it_needs(check: bundle.Check) -> None:
    page = (CHECK_PAGES / f"{check.id}.md").read_text()
    assert page.startswith(f"# {check.id}\n")
    assert f"Needs {needed(check)}" in page


def needed(check: bundle.Check) -> str:
    """What a reader has to have, in words."""
    for name, words in (
        ("pg_partman", "pg_partman"),
        ("pg_cron", "pg_cron"),
        ("monitor", "partwarden in the database"),
    ):
        if name in check.needs:
            return words
    return "nothing but the catalog"


def test_every_check_is_in_the_readmes_table() -> None:
    assert set(first_cells(README, "What it checks")) == {
        f"[{check.id}](docs/checks/{check.id}.md)" for check in bundle.checks()
    }


def test_every_command_is_named() -> None:
    text = "\n".join(page.read_text() for page in (README, *(ROOT / "docs").rglob("*.md")))
    unnamed = [command for command in commands(app) if not re.search(rf"\b{re.escape(command)}\b(?!-)", text)]
    assert unnamed == []


def test_every_setting_is_in_the_readmes_table_and_no_other() -> None:
    assert sorted(first_cells(README, "Settings")) == sorted(f"`{column}`" for column in setting_columns())


def test_every_routine_of_the_schema_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "how-it-works.md").read_text().partition("## Reference: routines")[2]
    routines = re.findall(r"create (?:function|procedure) partwarden\.(\w+)\(", bundle.code())
    assert [routine for routine in routines if f"`{routine}(" not in reference] == []


def test_every_table_of_the_schema_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "how-it-works.md").read_text().partition("## Reference: tables")[2]
    tables = re.findall(r"create table partwarden\.(\w+)", schema())
    assert [table for table in tables if f"`{table}`" not in reference] == []


def relative_links(page: Path) -> list[str]:
    found: list[str] = _LINK.findall(_FENCED.sub("", page.read_text()))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> list[str]:
    """What GitHub calls a page's headings in a link."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text()))
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def commands(of: App, before: str = "partwarden") -> Iterator[str]:
    """Every command as it is typed, groups of commands left out."""
    for name in of:
        if name.startswith("-"):
            continue
        below = list(commands(of[name], f"{before} {name}"))
        yield from below or [f"{before} {name}"]


def first_cells(page: Path, heading: str) -> list[str]:
    """The first column of the first table below a heading, without the table's own."""
    section = re.split(rf"^## {re.escape(heading)}$", page.read_text(), flags=re.MULTILINE)[1].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip() for row in rows[2:]]


def setting_columns() -> list[str]:
    """The columns of partwarden.setting after all migrations, but for the one that keeps it to one row."""
    created = re.search(r"create table partwarden\.setting \((.*?)^\);", schema(), re.DOTALL | re.MULTILINE)
    assert created is not None
    names = re.findall(r"^ {4}(\w+) ", created[1], re.MULTILINE)
    altered = re.findall(r"^alter table partwarden\.setting\b(.*?);$", schema(), re.DOTALL | re.MULTILINE)
    changes = re.findall(r"\b(add|drop) column (\w+)", "".join(altered))
    names += [name for change, name in changes if change == "add"]
    dropped = {name for change, name in changes if change == "drop"}
    return [name for name in names if name not in dropped | {"only_row"}]


def schema() -> str:
    return "\n".join(migration.text for migration in bundle.migrations())
