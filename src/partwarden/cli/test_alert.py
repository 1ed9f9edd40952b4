"""The command that tries channels."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import Parameter

from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common


def test_alert(
    *,
    channel: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME", negative=(), help="A channel of the file; several: again. Without, all of them."),
    ] = (),  # noqa: PT028 - no test of pytest's
    severity: Annotated[
        Literal["warning", "critical"] | None,
        Parameter(help="How bad it is said to be. [the least that each is told of]"),
    ] = None,  # noqa: PT028
    common: Common = COMMON,  # noqa: PT028
) -> int:
    """Send a test alert to the file's channels, as the agent sends a real one, and say how that went.

    No database is asked. Exit code: 0 each that is told of this has taken it, 3 one has not.
    """
    from partwarden.channels.trial import chosen, try_channels

    channels = chosen(common.file().channels, channel)
    with common.waiting(f"telling {', '.join(each.name for each in channels)}"):
        trials = try_channels(channels, severity, at=datetime.now(UTC), mark=str(uuid.uuid4()))
    width = max(len(each.channel) for each in trials)
    for trial in trials:
        why = f": {trial.problem}" if trial.problem else ""
        common.out.print(f"{trial.channel:<{width}}  {trial.outcome}{why}", markup=False)
        if trial.remedy:
            common.out.print(f"{'':<{width}}  next: {trial.remedy}", markup=False)
    common.answer({"channels": [asdict(trial) for trial in trials]})
    return Exit.FAILED if any(trial.outcome == "failed" for trial in trials) else Exit.DONE
