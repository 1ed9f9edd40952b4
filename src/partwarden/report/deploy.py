"""A deploy and the way of an alert on a screen: what would be changed, each step as it ends, each hop."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from partwarden.aws.hops import Hop
from partwarden.aws.stacks import ChangeSet, ResourceEvent
from partwarden.aws.steps import Report
from partwarden.report.live import Live
from partwarden.report.text import in_one_line, visible

_MARKS = {"there": ("·", "dim"), "done": ("✓", "green"), "failed": ("✗", "bold red")}
_HOPS = {
    "ok": ("✓", "green"),
    "waiting": ("…", "yellow"),
    "broken": ("✗", "bold red"),
    "unknown": ("?", "yellow"),
    "skipped": ("-", "dim"),
}
_WIDTH = 16


class Screen(Live):
    """Tells of steps as they happen."""

    def __init__(self, out: Console) -> None:
        super().__init__(out)
        self._step = ""

    def begins(self, number: int, of: int, name: str) -> None:
        """A step begins."""
        self._step = f"{number}/{of} {name}"
        self.show(self._step)

    def ends(self, report: Report) -> None:
        """It has ended."""
        mark, style = _MARKS[report.outcome]
        first, *more = report.what.splitlines() or [""]
        self.out.print(Text.assemble((f"{mark} {report.name:<{_WIDTH}}", style), in_one_line(first)))
        for line in more:
            self.out.print(Text(f"  {'':<{_WIDTH}}{in_one_line(line)}"))

    def proposes(self, changes: ChangeSet) -> None:
        """What CloudFormation is about to do."""
        print_changes(self.out, changes)

    def resource(self, event: ResourceEvent) -> None:
        """A line for each resource that has come, gone or failed."""
        self.show(f"{self._step}: {event.logical_id} {event.status}")
        if event.status.endswith("_IN_PROGRESS") and "ROLLBACK" not in event.status:
            return
        style = "red" if event.is_failure else "dim"
        why = f"  {in_one_line(event.reason)}" if event.is_failure and event.reason else ""
        self.out.print(Text(f"    {event.status:<18} {event.logical_id}  {event.type}{why}", style=style))

    def waits(self, what: str) -> None:
        """Something that may take a while."""
        if not self.out.is_terminal:
            self.out.print(Text(f"  {what}", style="dim"))
        self.show(f"{self._step}: {what}" if self._step else what)

    def hop(self, hop: Hop) -> None:
        """One hop of a test alert."""
        print_hop(self.out, hop)


def print_hop(out: Console, hop: Hop) -> None:
    """A hop, and below it what would mend it."""
    mark, style = _HOPS[hop.state]
    out.print(Text.assemble((f"  {mark} {hop.name:<{_WIDTH}} ", style), in_one_line(hop.what)))
    if hop.remedy and hop.state not in {"ok", "skipped"}:
        out.print(Text(f"    {'':<{_WIDTH}} next: {in_one_line(hop.remedy)}"))


def print_event(out: Console, event: ResourceEvent) -> None:
    """What has happened to a resource, and why it failed if it did."""
    style = "red" if event.is_failure else None
    reason = f"  {visible(event.reason)}" if event.reason and event.is_failure else ""
    out.print(f"  {event.status:<20} {event.logical_id} ({event.type}){reason}", markup=False, style=style)


def print_changes(out: Console, proposal: ChangeSet) -> None:
    """What CloudFormation would do."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("action", "resource", "type", "replacement"):
        table.add_column(column, overflow="fold")
    for change in sorted(proposal.changes, key=lambda each: (each.action, each.type, each.logical_id)):
        replaced = {"True": "yes", "Conditional": "maybe"}.get(change.replacement or "", "")
        style = "yellow" if replaced or change.action == "Remove" else ""
        table.add_row(change.action, change.logical_id, change.type.removeprefix("AWS::"), replaced, style=style)
    if not proposal.changes:
        table.add_row("Modify", "outputs only", "", "")
    out.print(table)


def print_intentions(out: Console, intentions: Sequence[tuple[str, str | None, str]]) -> None:
    """Each step: what makes it done already, or what it would do."""
    for number, (name, there, intent) in enumerate(intentions, 1):
        said = f"nothing to do: {there}" if there is not None else intent
        out.print(Text(f"  {number}. {name:<{_WIDTH}} {in_one_line(said)}", style="dim" if there is not None else ""))
