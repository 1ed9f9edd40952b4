"""What docs/fleet.md says of costs is what the formulas come to."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.fleet_cost import MINUTES_A_MONTH, Assumptions, Prices, bill, tables, workers_at_once

PAGE = Path(__file__).parents[2] / "docs" / "fleet.md"


def test_tables_of_the_page_are_those_that_the_formulas_give() -> None:
    page = PAGE.read_text().splitlines()
    assert [line for line in tables() if line not in page] == []


def test_a_thousand_clusters_every_five_minutes_by_hand() -> None:
    prices, given = Prices(), Assumptions()
    looks = MINUTES_A_MONTH / 5 * 1000
    found = bill(1000, 5)
    assert found.table == pytest.approx(looks * 2 * prices.dynamodb_write)
    assert found.workers == pytest.approx(
        looks / 10 * (prices.lambda_request + given.batch_seconds * 0.5 * prices.lambda_gigabyte_second)
    )
    assert workers_at_once(1000, 1) == 5
