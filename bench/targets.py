"""What was aimed at, beside what came out; whether it was met is worked out from the figures."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.measure import table

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True)
class Target:
    """``what`` should be ``comparison`` ("≥" or "≤") ``wanted``; ``found`` is None where it could not be measured."""

    what: str
    comparison: str
    wanted: float
    found: float | None
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure is as it should be. What was not measured is not met."""
        return self.found is not None and _COMPARISONS[self.comparison](self.found, self.wanted)


def targets_table(targets: Sequence[Target]) -> str:
    """As a table in Markdown."""
    rows = [
        (
            each.what,
            f"{each.comparison} {each.wanted:,g}{each.unit}",
            "not measured" if each.found is None else f"{each.found:,.{_decimals(each.found)}f}{each.unit}",
            "met" if each.met else "missed",
        )
        for each in targets
    ]
    return table(("what", "target", "measured", ""), rows)


def _decimals(number: float) -> int:
    return 0 if float(number).is_integer() else 2 if abs(number) < 10 else 1
