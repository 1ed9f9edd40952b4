"""What the program leaves with: one meaning for each number, whichever the command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command. 2 is never a mistyped command: a monitor would take it for critical."""

    DONE = 0
    """It is done, or there was nothing to do, or nothing is wrong."""
    LEFT = 1
    """The command ran, and something is left to do or is not well."""
    CRITICAL = 2
    """Something is critical (``check``)."""
    WOULD_CHANGE = 2
    """Something would be changed (``plan``)."""
    FAILED = 3
    """It could not be done, or not be found out."""
    INTERRUPTED = 130
    """Ctrl-C; what was begun can be gone on with by the same command."""
