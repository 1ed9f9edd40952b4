"""What a person asked for: which table is to become a partition set, by which column, in which form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """What becomes of the table."""

    FIRST = "first"
    """The first partition: from before its oldest row up to where the next partition begins."""
    DEFAULT = "default"
    """The default partition, out of which a drain gives each interval its own."""


@dataclass(frozen=True)
class Wish:
    """A table, and the set that it is to become; what is None is left to pg_partman, and ``form`` to what fits.

    Without a ``control`` or an ``interval`` what an interrupted run has begun is gone on with, as that was asked.

    ``settings`` are columns of pg_partman's ``part_config`` that are set besides, as text. ``lock_timeout`` and ``window``
    are in seconds: how long one try waits for a lock, and with it whoever comes after us; and for how long a moment is looked
    for in which nobody is in the way.
    """

    table: str
    control: str
    interval: str
    premake: int = 4
    form: Form | None = None
    epoch: str = "none"
    template: str | None = None
    has_default: bool = True
    date_trunc_interval: str | None = None
    time_encoder: str | None = None
    time_decoder: str | None = None
    offset_id: int | None = None
    jobmon: bool | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    lock_timeout: float = 0.01
    window: float = 60


@dataclass(frozen=True)
class Undo:
    """A table whose conversion is to be taken back; how long to wait for locks is as in a wish."""

    table: str
    lock_timeout: float = 0.01
    window: float = 60
