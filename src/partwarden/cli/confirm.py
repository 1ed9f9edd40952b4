"""Asking before something is done that a person should have seen."""

from __future__ import annotations

import sys

from rich.console import Console

from partwarden.errors import BadOption


def confirm(messages: Console, question: str, *, yes: bool, quiet: bool = False) -> bool:
    """Whether to go on; no answer is no. Raises BadOption when nobody is there to be asked; with ``quiet``, nobody ever is."""
    if yes:
        return True
    if quiet or messages.quiet or not sys.stdin.isatty():
        raise BadOption("nobody is here to be asked", remedy="say --yes to do it, or --dry-run to see it only")
    from rich.prompt import Confirm

    try:
        return Confirm.ask(question, console=messages, default=False)
    except EOFError:
        return False
