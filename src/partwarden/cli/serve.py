"""The command that shows it all as a page."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from partwarden.cli import completion
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.naming import Named
from partwarden.cli.serving import SAFETY, Safety
from partwarden.dsn import title
from partwarden.errors import NotInstalled
from partwarden.health import Target
from partwarden.metrics import otlp
from partwarden.metrics.exposition import render
from partwarden.metrics.metric import Per
from partwarden.metrics.tally import Tally

_SECONDS = 60
_OFTEN = 10.0
_SHARE = 0.05
"""Of a database's time a look takes no more than this, as the monitor's does, unless somebody says how often they want one."""
_EACH = 0.05
"""Of many databases each is asked as often as there is time for: so many seconds for each."""
_IN_CLEAR = (
    "note: what people log in with crosses the network unencrypted: --tls-certificate and --tls-key, or a proxy with "
    "https before it and --public-url"
)


def serve(
    *databases: Annotated[
        str,
        Parameter(name="DATABASE", completer=completion.databases, help="Which databases, as for partwarden check."),
    ],
    local: Annotated[bool, Parameter(help="Show the embedded stack of this machine.", show_default=False)] = False,
    refresh: Annotated[
        float | None,
        Parameter(
            help="Seconds between two looks at a database. [at first: 10, and 0.05 for each database where they are many]",
            validator=Number(gte=1),
        ),
    ] = None,
    metrics_per: Annotated[
        Literal["database", "set", "partition"], Parameter(help="How far the series of /metrics go into a database.")
    ] = "set",
    safety: Safety = SAFETY,
    common: Common = COMMON,
) -> int:
    """Show every database, set, job and incident as a page in the browser, and their numbers as metrics.

    Reads the databases of the file, or those that are named. They are only read, each once an interval however many people
    look, and not at all while nobody does. Ends with Ctrl-C.
    """
    try:
        from partwarden.web.access.safeguard import Safeguard
        from partwarden.web.application import application
        from partwarden.web.listening import bound, listening
        from partwarden.web.watch.watching import Watch
    except ImportError as missing:
        raise NotInstalled(
            f"the page needs more than is installed: {missing.name}", remedy="pip install 'partwarden[web]'"
        ) from missing
    protection = safety.protection()
    targets = [_embedded()] if local else _targets(common.databases(*databases))
    per, tally = Per[metrics_per.upper()], Tally()
    watch = Watch(
        targets,
        interval=refresh or max(_OFTEN, _EACH * len(targets)),
        timeout=common.timeout or _SECONDS,
        share=_SHARE if refresh is None else 1.0,
        note=tally.note,
    )
    safeguard = Safeguard(protection, {target.name or "": target.dsn for target in targets})
    page = application(
        watch,
        scrape=partial(render, per=per, tally=tally),
        more_routes=safeguard.routes,
        middleware=safeguard.middleware,
        allows_actions=protection.allow_actions,
    )
    with ExitStack() as ending:
        ending.callback(safeguard.close)
        socket = ending.enter_context(bound(safety.host, safety.port))
        if otlp.is_wanted():
            ending.callback(otlp.start_export(watch.latest, per=per, tally=tally).close)
        if safety.is_in_clear:
            common.messages.print(_IN_CLEAR, markup=False)
        common.messages.print(f"{safety.address_at(socket.getsockname()[1])}  (Ctrl-C ends it)", markup=False)
        server = listening(
            page,
            host=safety.host,
            port=safety.port,
            certificate=safety.tls_certificate,
            key=safety.tls_key,
            leaving=watch.end,
        )
        server.run(sockets=[socket])
    return Exit.DONE


def _targets(named: Sequence[Named]) -> list[Target]:
    """The databases by a name each, which the file, or where they are, gives them; what is named twice is one."""
    by_name: dict[str, Named] = {}
    for each in {(each.name, each.dsn): each for each in named}.values():
        name = shown = each.name or title(each.dsn)
        number = 1
        while shown in by_name:
            number += 1
            shown = f"{name} ({number})"
        by_name[shown] = each
    return [Target(each.dsn, name, each.thresholds) for name, each in by_name.items()]


def _embedded() -> Target:
    from partwarden.local.stack import DATABASE, Stack, default_home

    stack = Stack(default_home())
    if not stack.exists:
        raise NotInstalled(
            "there is no embedded stack on this machine", remedy="partwarden demo, or partwarden local start"
        )
    return Target(stack.owner_dsn, DATABASE)
