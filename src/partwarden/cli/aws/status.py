"""Commands that look at the way of an alert, and try it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.aws.options import CronDatabase, Entry, NoDatabase, Place, find_site
from partwarden.cli.duration import seconds


def status(
    *,
    place: Place | None = None,
    entry: Entry | None = None,
    no_database: NoDatabase = False,
    cron_database: CronDatabase = None,
) -> int:
    """Show every hop of an alert's way, with what would mend it; change nothing.

    Exit code: 0 all is well, 1 something is broken or somebody has not confirmed, 3 something could not be looked at.
    """
    entry = entry or Entry()
    site = find_site(place or Place(), None if no_database else entry)

    from partwarden.aws.hops import exit_code
    from partwarden.aws.status import status as look
    from partwarden.report.deploy import print_hop

    with entry.waiting("looking at each hop"):
        hops = look(site, cron_database=cron_database)
    code = exit_code(hops)
    entry.answer({"stack": site.stack_name, "exit_code": code, "hops": [asdict(hop) for hop in hops]})
    out = entry.out
    out.print(f"{site.cluster()} in {site.account}, stack {site.stack_name}", markup=False)
    for hop in hops:
        print_hop(out, hop)
    return code


def try_alert(
    *,
    place: Place | None = None,
    entry: Entry | None = None,
    patience: Annotated[str, Parameter(help="How long the scheduled monitor is waited for.")] = "150s",
) -> int:
    """Send a test alert on the way of a real one, through pg_cron's monitor, Lambda and SNS, and follow it hop by hop.

    Exit code: 0 it was sent to everybody, 1 not to everybody or not at all, 3 it could not be written.
    """
    entry = entry or Entry()
    site = find_site(place or Place(), entry)

    from partwarden.aws.hops import exit_code
    from partwarden.aws.test_alert import try_alert as attempt
    from partwarden.report.deploy import Screen, print_hop

    screen = Screen(entry.messages)
    hops = []
    with screen:
        for hop in attempt(site, screen.waits, patience=seconds("--patience", patience)):
            print_hop(entry.out, hop)
            hops.append(hop)
    code = exit_code(hops)
    entry.answer({"stack": site.stack_name, "exit_code": code, "hops": [asdict(hop) for hop in hops]})
    return code
