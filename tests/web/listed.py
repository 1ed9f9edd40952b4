"""Every kind of page, with what it looks like in the states that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.web.states import HOSTILE_NAME, SCRIPT


@dataclass(frozen=True)
class Listed:
    """A page: what it is called here, where it is, and how it answers."""

    name: str
    path: str
    asked: Mapping[str, object]
    status: int = 200


def _page(name: str, path: str, *, status: int = 200, **asked: object) -> Listed:
    return Listed(name, path, asked, status)


PAGES = (
    _page("fleet", "/"),
    _page("findings", "/incidents"),
    Listed("database-healthy", "/database", {"name": "shop"}),
    Listed("database-broken", "/database", {"name": "billing"}),
    Listed("database-away", "/database", {"name": "legacy"}),
    Listed("database-plain", "/database", {"name": "plain"}),
    Listed("set-healthy", "/set", {"database": "shop", "name": "shop.orders"}),
    Listed("set-broken", "/set", {"database": "billing", "name": "billing.ledger"}),
    Listed("set-of-sets", "/set", {"database": "telemetry", "name": "telemetry.reading"}),
    Listed("set-hostile", "/set", {"database": HOSTILE_NAME, "name": f'evil."{SCRIPT}"'}),
    _page("incidents", "/incidents", database="billing"),
    _page("incident", "/incident", database="billing", id=1),
    _page("incident-resolved", "/incident", database="archive", id=1),
    _page("jobs", "/jobs", database="billing"),
    Listed("not-found", "/database", {"name": "nobody"}, 404),
)
"""Of what looks alike, one."""
