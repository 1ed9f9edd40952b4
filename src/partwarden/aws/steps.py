"""Steps, each of which looks first whether it is done; and what is said when one of them fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import psycopg

from partwarden.aws.stacks import ChangeSet, ResourceEvent
from partwarden.database import advice_of, first_line
from partwarden.errors import PartwardenError


class DeployFailed(PartwardenError):
    """A step could not be done; the text says which, and what was done before it."""


class Step(Protocol):
    """One thing that is to be so."""

    @property
    def name(self) -> str:
        """What it is called in one or two words."""

    def found(self) -> str | None:
        """What makes it done already, in words; None where it is not."""

    def intent(self) -> str:
        """What it would do."""

    def do(self) -> str:
        """Do it, and say what was done. Raises PartwardenError, after which it can be tried again."""


@dataclass(frozen=True)
class Report:
    """How a step ended: ``there`` before, ``done`` now, or ``failed``."""

    name: str
    outcome: Literal["there", "done", "failed"]
    what: str
    remedy: str | None = None


class Tell(Protocol):
    """Who is told while it happens."""

    def begins(self, number: int, of: int, name: str) -> None:
        """A step begins."""

    def ends(self, report: Report) -> None:
        """It has ended."""

    def proposes(self, changes: ChangeSet) -> None:
        """CloudFormation would do this, and is about to."""

    def resource(self, event: ResourceEvent) -> None:
        """CloudFormation has done something."""

    def waits(self, what: str) -> None:
        """Something is waited for that may take a while."""


def run(steps: Sequence[Step], tell: Tell, *, go_on: str, go_back: str) -> list[Report]:
    """Do what is not done yet, in order.

    Raises DeployFailed at the first that fails: with its number, its problem, what was done before it, how to go on
    (``go_on``) and how to go back (``go_back``).
    """
    reports: list[Report] = []
    for number, step in enumerate(steps, 1):
        tell.begins(number, len(steps), step.name)
        try:
            report = _do(step)
        except (PartwardenError, psycopg.Error) as failure:
            problem, remedy = what_failed(failure)
            tell.ends(Report(step.name, "failed", problem, remedy))
            done = [each.name for each in reports if each.outcome == "done"]
            raise DeployFailed(
                f"step {number} of {len(steps)}, {step.name}: {problem}\n"
                f"done by this command before that: {', '.join(done) or 'nothing'}",
                remedy="\n".join([*([remedy] if remedy else []), f"then go on: {go_on}", f"or go back: {go_back}"]),
            ) from failure
        tell.ends(report)
        reports.append(report)
    return reports


def what_failed(failure: PartwardenError | psycopg.Error) -> tuple[str, str]:
    """The problem and the remedy of an error of ours, or of the server's."""
    if isinstance(failure, PartwardenError):
        return failure.problem, failure.remedy
    return f"the server says: {first_line(failure)}", advice_of(failure)


def _do(step: Step) -> Report:
    there = step.found()
    return Report(step.name, "there", there) if there is not None else Report(step.name, "done", step.do())
