"""The documentation and what it is about say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from partwarden import bundle

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


def test_every_check_is_in_the_table_of_checks() -> None:
    assert set(first_cells(ROOT / "docs" / "checks.md")) == {
        f"[{check.id}](checks/{check.id}.md)" for check in bundle.checks()
    }


def test_the_readme_counts_the_checks() -> None:
    assert f"[{len(bundle.checks())} checks](docs/checks.md)" in README.read_text()


def test_every_setting_is_in_the_table_of_settings_and_no_other() -> None:
    assert sorted(first_cells(ROOT / "docs" / "reference" / "settings.md")) == sorted(
        f"`{column}`" for column in setting_columns()
    )


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


def first_cells(page: Path) -> list[str]:
    """The first column of a page's first table, without the table's own heading."""
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
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
