"""What can go wrong, as a person should read it: what was attempted, why it failed, what to do next."""

from __future__ import annotations


class PartwardenError(Exception):
    """An error that a user can act on.

    ``problem`` names the object and says what was attempted and why it failed; ``remedy`` is the next thing
    to do, a command or a statement where there is one. There is always a next thing to do.
    """

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}\n{remedy}")
        self.problem = problem
        self.remedy = remedy

    @property
    def for_everybody(self) -> str:
        """``problem``, as it may stand on a page."""
        return self.problem


class NotInstalled(PartwardenError):
    """Something that has to be on this machine or in this database is not there."""


class CouldNotListen(PartwardenError):
    """The page can't be where it is wanted."""


class CouldNotConnect(PartwardenError):
    """A server did not let us in, or was not there. ``reason`` is why, in the words of who said so."""

    def __init__(self, problem: str, *, remedy: str, reason: str | None = None) -> None:
        super().__init__(problem, remedy=remedy)
        self.reason = reason

    @property
    def for_everybody(self) -> str:
        """What failed, without how one connects."""
        return self.problem if self.reason is None else f"could not connect: {' '.join(self.reason.split())}"


class NoAnswer(PartwardenError):
    """A server let us in, and has then ceased to answer."""


class InstallRefused(PartwardenError):
    """Installing, upgrading or removing the schema would lose or break something."""


class ScheduleRefused(PartwardenError):
    """A job could not be put into pg_cron."""


class IncidentRefused(PartwardenError):
    """An incident could not be read, acknowledged or silenced."""


class UnknownIncident(IncidentRefused):
    """There is no incident with that number."""


class StackFailed(PartwardenError):
    """A part of the embedded stack could not be made, started or stopped."""


class PackageFailed(PartwardenError):
    """The package of the fleet's functions could not be made."""


class DemoFailed(PartwardenError):
    """The demo did not show what it promises."""


class UnknownCheck(PartwardenError):
    """A check was named that does not exist."""


class NotChecked(PartwardenError):
    """What is in a database could not be looked at."""


class BadConfig(PartwardenError):
    """A configuration file can't be read, or says what can't be."""


class InitialFileFailed(PartwardenError):
    """What a database has could not be written down, or not where it should be."""


class BadOption(PartwardenError):
    """The value of a command's option can't be understood."""


class DrainRefused(PartwardenError):
    """A default partition could not be drained, or not now; the set is as it was, or a second run goes on."""


class LockNotAcquired(DrainRefused):
    """A lock was not to be had in short tries; nobody waited behind us for longer than one of them."""


class PlanFailed(PartwardenError):
    """What is there could not be compared with the file."""


class ApplyFailed(PartwardenError):
    """A plan could not be carried out, or not to its end."""


class TimeIsUp(PartwardenError):
    """The time that a command was given is over; what it has done stays, and the same command goes on."""


class ConvertRefused(PartwardenError):
    """A table could not be made into a partition set, or not now; it is as it was, or a second run goes on."""


class RepairFailed(PartwardenError):
    """A partition set could not be repaired."""


class ActionRefused(PartwardenError):
    """What somebody asked for on a page could not be done, or not be put on record."""


class UpgradeNotChecked(PartwardenError):
    """What another version of pg_partman would break could not be looked at."""


class AwsFailed(PartwardenError):
    """AWS refused something, could not be asked, or is in a state that has to be mended first."""


class ChannelFailed(PartwardenError):
    """A channel can't be opened, or did not take a message.

    ``lasts``: the reason does not pass by itself, as a wrong key does not, so that trying again soon is in vain.
    ``pause`` is how many seconds the other side asks to be left alone. Neither part ever holds a channel's URL, nor any key.
    """

    def __init__(self, problem: str, *, remedy: str, lasts: bool = False, pause: float = 0) -> None:
        super().__init__(problem, remedy=remedy)
        self.lasts = lasts
        self.pause = pause


class AgentFailed(PartwardenError):
    """The agent could not begin its work."""


class CaBundleMissing(PartwardenError):
    """The certificates that a server of RDS is verified with are not to be had."""
