"""Moves the rows of a default partition to where they belong, while everybody goes on reading and writing.

``plan`` finds out what would move where, and how; ``swap``, ``batch`` and ``whole`` are the three ways to do it; ``locks``
is how each of them takes a lock; ``run`` leads through all of it.
"""

from partwarden.draining.events import Event, Finished, Planned, Progress, Step, Waiting, until
from partwarden.draining.plan import Drain, Method, Plan
from partwarden.draining.run import abandon, drain, look

__all__ = [
    "Drain",
    "Event",
    "Finished",
    "Method",
    "Plan",
    "Planned",
    "Progress",
    "Step",
    "Waiting",
    "abandon",
    "drain",
    "look",
    "until",
]
