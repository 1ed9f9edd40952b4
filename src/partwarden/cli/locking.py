"""Options of commands that take locks: how long others may have to wait, and how long the command does."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

LockTimeout = Annotated[str, Parameter(help="How long one try waits for a lock, and with it whoever comes after us.")]
Window = Annotated[str, Parameter(help="For how long a moment is looked for in which nobody holds the table.")]
