"""What the site has besides the pages in docs/: the checks' places in the navigation, and files that lie elsewhere.

mkdocs calls these functions while it builds (mkdocs.yml names this file as a hook).
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

FROM_ELSEWHERE = {
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "src/partwarden/report/check-report.schema.json": "check-report.schema.json",
}
"""Files that lie outside docs/, from the root of the project, and what they are called in the site."""

_log = logging.getLogger("mkdocs.site")  # a warning stops a strict build
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)(?P<path>[^)#\s]+)")
_CHECK = re.compile(r"^\| \[[\w-]+\]\((checks/[\w-]+\.md)\)", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the checks below "Checks", in the order of their table."""
    listed = _CHECK.findall((ROOT / "docs" / "checks.md").read_text(encoding="utf-8"))
    section = next(each["Checks"] for each in config.nav or [] if "Checks" in each)
    section.extend(listed)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in what lies elsewhere."""
    for path, name in FROM_ELSEWHERE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' names
    """Have links lead to where things are in the site: in the project, paths go from where a file lies."""
    names = {name: path for path, name in FROM_ELSEWHERE.items()}
    source = names.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def in_site(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["path"]))
        if target not in FROM_ELSEWHERE and not target.startswith("docs/"):
            _log.warning("%s leads to %s, which is not in the site", source, target)
        name = FROM_ELSEWHERE.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or ".")

    return _LINK.sub(in_site, markdown)
