"""The command that shows it all as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from partwarden.cli import completion
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.naming import Named
from partwarden.dsn import label
from partwarden.errors import NotInstalled
from partwarden.health import Target

_SECONDS = 60
_OFTEN = 10.0
_EACH = 0.05
"""Of many databases each is asked as often as there is time for: so many seconds for each."""


def serve(
    *databases: Annotated[
        str,
        Parameter(name="DATABASE", completer=completion.databases, help="Which databases, as for partwarden check."),
    ],
    local: Annotated[bool, Parameter(help="Show the embedded stack of this machine.", show_default=False)] = False,
    port: Annotated[int, Parameter(help="The port to listen on.", validator=Number(gte=0, lt=65536))] = 8432,
    refresh: Annotated[
        float | None,
        Parameter(
            help="Seconds between two looks at a database. [at first: 10, and 0.05 for each database where they are many]",
            validator=Number(gte=1),
        ),
    ] = None,
    common: Common = COMMON,
) -> int:
    """Show every database, set, job and incident as a page in the browser.

    Reads the databases of the file, or those that are named. They are only read, each once an interval however many people
    look, and not at all while nobody does. Ends with Ctrl-C.
    """
    try:
        import uvicorn

        from partwarden.web.application import application
        from partwarden.web.watching import Watch
    except ImportError as missing:
        raise NotInstalled(
            f"the page needs more than is installed: {missing.name}", remedy="pip install 'partwarden[web]'"
        ) from missing
    targets = [_embedded()] if local else _targets(common.databases(*databases))
    watch = Watch(
        targets,
        interval=refresh or max(_OFTEN, _EACH * len(targets)),
        timeout=common.timeout or _SECONDS,
    )
    common.messages.print(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)", markup=False)
    uvicorn.run(application(watch), host="127.0.0.1", port=port, log_level="warning", access_log=False)
    return Exit.DONE


def _targets(named: Sequence[Named]) -> list[Target]:
    """The databases by a name each; two that are called the same are one."""
    by_name = {each.name or label(each.dsn): each for each in named}
    return [Target(each.dsn, name, each.thresholds) for name, each in by_name.items()]


def _embedded() -> Target:
    from partwarden.local.stack import DATABASE, Stack, default_home

    stack = Stack(default_home())
    if not stack.exists:
        raise NotInstalled(
            "there is no embedded stack on this machine", remedy="partwarden demo, or partwarden local start"
        )
    return Target(stack.owner_dsn, DATABASE)
