"""Makes a plain table the first or the default partition of a set that bears its name, while everybody goes on working.

``preview`` (or ``look``, by a connection string) finds out what would be done, statement by statement, and what is in the
way; ``convert`` does it, ``undo`` takes it back.
"""

from partwarden.converting.build import preview
from partwarden.converting.conversion import Conversion, Converted, Mode, Obstacle, Phase, Statement, Step
from partwarden.converting.run import Event, Planned, convert, look, undo
from partwarden.converting.wish import Form, Undo, Wish

__all__ = [
    "Conversion",
    "Converted",
    "Event",
    "Form",
    "Mode",
    "Obstacle",
    "Phase",
    "Planned",
    "Statement",
    "Step",
    "Undo",
    "Wish",
    "convert",
    "look",
    "preview",
    "undo",
]
