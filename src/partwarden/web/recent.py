"""What was worked out for one person's page, kept a moment for the others that want the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")

_SECONDS = 2.0
"""Pages say how long ago something was."""
_MOST = 100


class Recent:
    """Keeps what rests on the surveys of one version, until there are newer ones, or for two seconds."""

    def __init__(self) -> None:
        self._version = -1
        self._since = 0.0
        self._made: dict[Hashable, Any] = {}

    def of(self, version: int, what: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` makes of it, or has made a moment ago; ``what`` names it, and all that it depends on else."""
        if version != self._version or time.monotonic() - self._since > _SECONDS or len(self._made) >= _MOST:
            self._version, self._since, self._made = version, time.monotonic(), {}
        if what not in self._made:
            self._made[what] = make()
        made: Made = self._made[what]
        return made
