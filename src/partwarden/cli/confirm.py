"""Asking before something is done that a person should have seen."""

from __future__ import annotations

import sys

from rich.console import Console

from partwarden.errors import BadOption


def confirm(out: Console, question: str, *, yes: bool, quiet: bool = False) -> bool:
    """Whether to go on. Raises BadOption when nobody is there to be asked; with ``quiet``, nobody ever is."""
    if yes:
        return True
    if quiet or not sys.stdin.isatty():
        raise BadOption("nobody is here to be asked", remedy="say --yes to do it, or --dry-run to see it only")
    from rich.prompt import Confirm

    return Confirm.ask(question, console=out, default=False)
