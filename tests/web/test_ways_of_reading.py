"""The same pages without JavaScript, by keyboard, on a phone, in the dark, on paper, and read aloud."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from tests.waiting import wait_until
from tests.web.browsing import PHONE, WIDE, Site, Visitor
from tests.web.conftest import Visit
from tests.web.listed import PAGES, Listed
from tests.web.reading import beyond_the_edge, violations

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_AGES = re.compile(r"\b(in )?\d+ (s|min|h|days)( ago)?\b|\d\d:\d\d(:\d\d)?")


def opened(visitor: Visitor, page: Listed) -> None:
    visitor.expected = (str(page.status),) if page.status >= 400 else ()
    assert visitor.open(page.path, **page.asked).status == page.status


def words(visitor: Visitor) -> list[str]:
    """What is to be read in the main part, without what changes from one second to the next."""
    return _AGES.sub("TIME", visitor.page.locator("main").inner_text()).split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everybody_can_read_it(fleet: Site, visit: Visit, pictures: Path, page: Listed) -> None:
    visitor = visit(fleet)

    def picture(kind: str) -> None:
        visitor.page.screenshot(path=pictures / f"{page.name}-{kind}.png", full_page=True)

    opened(visitor, page)
    picture("light")
    assert violations(visitor) == []
    visitor.page.emulate_media(color_scheme="dark")
    picture("dark")
    assert violations(visitor, "color-contrast") == []
    visitor.page.set_viewport_size(PHONE)
    assert beyond_the_edge(visitor) == []
    assert violations(visitor) == []
    visitor.page.emulate_media(color_scheme="light")
    picture("phone")
    assert violations(visitor, "color-contrast") == []


def test_without_javascript_it_says_the_same(fleet: Site, visit: Visit) -> None:
    with_it, without = visit(fleet), visit(fleet, java_script_enabled=False)
    for page in PAGES:
        for visitor in (with_it, without):
            opened(visitor, page)
        assert words(without) == words(with_it), page.name
        assert without.page.locator("noscript a").get_attribute("href") is not None


def test_without_javascript_one_finds_and_reloads(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet, java_script_enabled=False)
    visitor.open()
    visitor.page.get_by_role("searchbox").fill("billing")
    visitor.page.get_by_role("button", name="Show").click()
    assert visitor.texts("table.fleet th[scope=row] a") == ["billing"]
    visitor.follow("load it anew")
    assert visitor.texts("table.fleet th[scope=row] a") == ["billing"]
    visitor.follow("billing")
    visitor.follow("Jobs")
    visitor.page.locator("table.jobs summary").first.click()
    assert "should have started and did not" in visitor.page.locator("table.jobs details").first.inner_text()


# By keyboard.


def focused(visitor: Visitor) -> str:
    """What the keys go to: its words or its name."""
    return str(
        visitor.page.evaluate(
            "(e => (e.getAttribute('aria-label') || e.name || e.innerText || e.tagName).trim())(document.activeElement)"
        )
    )


def test_the_first_key_leads_past_the_navigation(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    skip = visitor.page.get_by_role("link", name="Skip to the content")
    assert (skip.bounding_box() or {"x": 0})["x"] < 0
    visitor.page.keyboard.press("Tab")
    assert focused(visitor) == "Skip to the content"
    assert (skip.bounding_box() or {"x": -1})["x"] >= 0
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert focused(visitor) == "billing.event"


def test_tab_goes_through_the_page_as_it_is_read_and_is_seen_to(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    order = []
    for _ in range(9):
        visitor.page.keyboard.press("Tab")
        order.append(focused(visitor))
        outline: Sequence[str] = visitor.page.evaluate(
            "(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))"
        )
        assert outline[0] != "none"
        assert outline[1] != "0px", order[-1]
    assert order == [
        "Skip to the content", "partwarden", "Fleet", "Incidents", "billing.event", "q", "standing", "Show", "billing",
    ]  # fmt: skip


def test_one_searches_and_unfolds_by_keyboard_alone(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    for _ in range(6):
        visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.type("bill")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.type("crit")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**standing=critical*")
    assert visitor.texts("table.fleet th[scope=row] a") == ["billing"]
    visitor.open("/jobs", database="billing")
    visitor.page.locator("table.jobs summary").first.focus()
    visitor.page.keyboard.press("Enter")
    assert visitor.page.locator("table.jobs details").first.evaluate("each => each.open")


def test_what_scrolls_is_scrolled_by_keyboard(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/set", database="shop", name="shop.orders")
    partitions = visitor.page.get_by_role("region", name="Partitions")
    partitions.focus()
    visitor.page.keyboard.press("End")
    wait_until(lambda: partitions.evaluate("each => each.scrollTop") > 0, "the table has scrolled")


# As one likes it.


def test_dark_and_light_follow_the_system(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open()
    grounds = []
    for scheme in _SCHEMES:
        visitor.page.emulate_media(color_scheme=scheme)
        style = visitor.page.evaluate("(s => [s.backgroundColor, s.colorScheme])(getComputedStyle(document.body))")
        assert style[1] == scheme
        grounds.append([int(part) for part in re.findall(r"\d+", style[0])])
    light, dark = grounds
    assert min(light) > 200
    assert max(dark) < 60


def test_nothing_moves_for_who_wants_nothing_to_move(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet, reduced_motion="reduce")
    visitor.open("/database", name="billing")
    moving = """[...document.querySelectorAll('*')].filter(each => {
        const style = getComputedStyle(each)
        return style.scrollBehavior === 'smooth' || parseFloat(style.transitionDuration) || style.animationName !== 'none'
    }).length"""
    assert visitor.page.evaluate(moving) == 0


def test_on_paper_all_rows_are_there_and_no_controls(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet)
    visitor.open("/set", database="billing", name="billing.ledger")
    region = visitor.page.get_by_role("region", name="Partitions")
    cut = "each => each.scrollHeight > each.clientHeight"
    assert region.evaluate(cut)
    visitor.page.emulate_media(media="print")
    assert not region.evaluate(cut)
    for hidden in ("header nav", "footer", ".skip"):
        assert not visitor.page.locator(hidden).is_visible()
    assert visitor.page.locator("h1").is_visible()
    visitor.open()
    assert not visitor.page.locator(".filter").is_visible()


def test_on_a_phone_every_cell_says_what_it_is(fleet: Site, visit: Visit) -> None:
    visitor = visit(fleet, viewport=PHONE)
    visitor.open()
    row = visitor.page.locator("table.fleet tbody tr").first
    labels = row.locator("td").evaluate_all("all => all.map(each => getComputedStyle(each, '::before').content)")
    heads = visitor.page.locator("table.fleet thead th").evaluate_all("all => all.map(each => each.textContent)")
    assert [label.strip('"') for label in labels] == heads[1:]
    assert WIDE["width"] > PHONE["width"] >= visitor.page.evaluate("document.documentElement.scrollWidth")
