"""The pictures of README and docs are of pages as they are: PARTWARDEN_WRITE_PAGES=1 takes them anew."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.servers import MAJORS, running_server
from tests.web.browsing import PHONE, Site, serving, visiting
from tests.web.listed import Listed
from tests.web.states import ALL, hostile, made

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000
SHOWN = ("billing", "legacy", "crm", "shop", "telemetry", "archive")


@dataclass(frozen=True)
class Picture:
    """A page, the window that it is seen through, and what is seen of it from the top on."""

    page: Listed
    window: ViewportSize
    options: dict[str, Any] = field(default_factory=dict)


def _picture(name: str, path: str, height: int, asked: dict[str, object], **options: Any) -> Picture:
    return Picture(Listed(name, path, asked), {"width": 1280, "height": height}, options)


PICTURES = (
    _picture("fleet", "/", 660, {}),
    _picture("database-dark", "/database", 720, {"name": "billing"}, color_scheme="dark"),
    _picture("set", "/set", 760, {"database": "shop", "name": "shop.orders"}),
    _picture("jobs", "/jobs", 460, {"database": "billing"}),
    Picture(Listed("phone", "/database", {"name": "billing"}), PHONE),
)


@pytest.fixture(scope="module")
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The pictures are taken, where that is wanted, on a server of their own without hostile names."""
    if os.environ.get("PARTWARDEN_WRITE_PAGES"):
        browser: Browser = request.getfixturevalue("browser")
        with (
            running_server(MAJORS[-1], tmp_path_factory.mktemp("picture-secrets")) as server,
            made(server, tuple(each for each in ALL if each is not hostile)) as states,
            serving([states.targets[name] for name in SHOWN], interval=3600) as site,
        ):
            _take(browser, site)


def _take(browser: Browser, site: Site) -> None:
    IMAGES.mkdir(exist_ok=True)
    for each in PICTURES:
        with visiting(browser, site, viewport=each.window, **each.options) as visitor:
            visitor.open(each.page.path, **each.page.asked)
            visitor.page.screenshot(path=IMAGES / f"{each.page.name}.png")


def test_the_pictures_are_small_and_there_is_no_other(written: None) -> None:
    sizes = {path.name: path.stat().st_size for path in IMAGES.iterdir()}
    assert set(sizes) == {f"{each.page.name}.png" for each in PICTURES}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.page.name)
def test_each_picture_is_shown_and_described(written: None, picture: Picture) -> None:
    page = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    shown = re.search(rf"!\[([^\]]+)\]\(images/{picture.page.name}\.png\)", page)
    assert shown is not None
    assert len(shown[1]) > 30, "what is to be seen has to be said in words as well"


def test_readme_shows_the_fleet() -> None:
    assert "](docs/images/fleet.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
