"""A line below what was printed that says what is being done at the moment, in a terminal; nowhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Live:
    """Prints to a console above that line; ``self`` is used in a ``with`` block."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._status = Status("", console=out) if out.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, what: str) -> None:
        """This is being done now."""
        if self._status is not None:
            self._status.update(Text(what))
