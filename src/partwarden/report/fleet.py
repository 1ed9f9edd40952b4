"""A fleet on a screen: what a deploy would do, and how the fleet and its clusters are."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console

from partwarden.aws.fleet import store
from partwarden.aws.fleet.deploy import Plan
from partwarden.aws.fleet.status import Status
from partwarden.report.deploy import print_changes
from partwarden.report.text import visible

SHOWN = 20
"""So many of a long list are shown unless all are asked for."""


def print_plan(out: Console, name: str, plan: Plan) -> None:
    """What a deploy has found, and what it would do."""
    members = len(plan.roster.members)
    out.print(f"{members} {'cluster is' if members == 1 else 'clusters are'} listed", markup=False)
    for member in plan.roster.members:
        if member.problem is not None:
            out.print(f"  note: {visible(member.problem)}", markup=False)
    for strange in plan.roster.strange[:SHOWN]:
        out.print(f"  note: {visible(strange)} belongs to no cluster", markup=False)
    size = f"{len(plan.package.contents)} files, {plan.package.unpacked_bytes / 1e6:.1f} MB"
    steps = [
        (plan.bucket_changes is None, f"stack {store.stack_name(name)}, a bucket for the package"),
        (plan.is_uploaded, f"package {plan.key[:12]}…, {size}"),
        (plan.changes is None and plan.left_over is None, f"stack {name}"),
    ]
    for is_there, what in steps:
        out.print(f"{'there ' if is_there else 'to do '}  {what}", markup=False)
    if plan.left_over is not None:
        out.print(f"  stack {name} is {plan.left_over.status}: it is deleted first, then made anew", markup=False)
    for changes in (plan.bucket_changes, plan.changes):
        if changes is not None:
            out.print(f"\n{'create' if changes.is_new else 'change'} stack {changes.stack}:", markup=False)
            print_changes(out, changes)


def as_document(found: Status) -> dict[str, object]:
    """How the fleet is, for programs."""
    return {
        "stack": found.stack.name,
        "status": found.stack.status,
        "members": found.members,
        "not_looked_at": found.not_looked_at,
        "last_round": found.last_round,
        "waiting_orders": found.waiting_orders,
        "given_up_orders": found.given_up_orders,
        "problems": found.problems,
        "gone": found.gone,
        "incidents": [{"member": member, **asdict(incident)} for member, incident in found.incidents],
    }


def print_status(out: Console, found: Status, most: int | None) -> None:
    """How the fleet is, and ``most`` of the open incidents; None: all."""
    when = f"{found.last_round:%Y-%m-%d %H:%M:%S} UTC" if found.last_round else "never"
    out.print(f"stack       {found.stack.name}, {found.stack.status}", markup=False)
    out.print(f"clusters    {found.members} listed, {len(found.not_looked_at)} not looked at in time", markup=False)
    out.print(f"last round  {when}", markup=False)
    out.print(f"orders      {found.waiting_orders} waiting, {found.given_up_orders} given up", markup=False)
    for problem in found.problems:
        out.print(f"problem     {visible(problem)}", markup=False, style="red")
    if found.gone:
        out.print(f"no longer listed: {visible(', '.join(found.gone[:SHOWN]))}", markup=False)
    out.print(f"\n{len(found.incidents)} open {'incident' if len(found.incidents) == 1 else 'incidents'}", markup=False)
    for member, incident in found.incidents[:most]:
        where = f"{member}/{incident.database}"
        out.print(
            f"  {incident.severity.upper():<8}  {visible(where)}  {visible(incident.object)}  {incident.check}  "
            f"since {incident.since:%Y-%m-%d %H:%M} UTC",
            markup=False,
        )
    if most is not None and len(found.incidents) > most:
        out.print(f"  … and {len(found.incidents) - most} more: partwarden aws fleet status --all", markup=False)
