"""How often databases were surveyed, and how often in vain, since the program began: what counters count."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from threading import Lock

from partwarden.survey import Survey


@dataclass(frozen=True)
class Count:
    """Surveys of one database, and those of them in which it could not be asked."""

    surveys: int = 0
    errors: int = 0


class Tally:
    """Counts surveys; any thread may note one, or read."""

    def __init__(self) -> None:
        self._counts: dict[str, Count] = defaultdict(Count)
        self._lock = Lock()

    def note(self, survey: Survey) -> None:
        """Count one."""
        with self._lock:
            before = self._counts[survey.report.target]
            self._counts[survey.report.target] = replace(
                before,
                surveys=before.surveys + 1,
                errors=before.errors + (survey.report.error is not None),
            )

    def counts(self) -> dict[str, Count]:
        """The counts so far, by what reports call the database."""
        with self._lock:
            return dict(self._counts)
