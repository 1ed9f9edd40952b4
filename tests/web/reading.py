"""Whether a page can be read by everybody: what axe says of it, and whether it fits the window."""

from __future__ import annotations

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

from tests.web.browsing import Visitor


def violations(visitor: Visitor, *rules: str) -> list[str]:
    """What axe finds on the page that is serious or critical; of these rules only, where some are named."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    if visitor.page.evaluate("window.axe === undefined"):
        visitor.page.evaluate(AXE_SCRIPT)
    found = visitor.page.evaluate(f"axe.run(document, {json.dumps(options)})")
    return [
        f"{each['impact']} {each['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def beyond_the_edge(visitor: Visitor) -> list[str]:
    """What makes the document wider than the window."""
    if visitor.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
        return []
    wide: list[str] = visitor.page.evaluate(
        """[...document.querySelectorAll('body *')]
            .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth)
            .map(each => each.outerHTML.slice(0, 120))"""
    )
    return wide or ["something"]
