"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from importlib import import_module

from cyclopts import App, Group, Parameter

import partwarden
from partwarden.cli.completion import script_for
from partwarden.cli.program import run

_COMMANDS = {
    "Look, with nothing installed": (
        "status:status",
        "check:check",
        "explain:checks",
        "explain:explain",
        "upgrade_check:upgrade_check",
        "metrics:app",
    ),
    "As the file says": ("init:init", "validate:validate", "plan:plan", "plan:apply"),
    "Repair, with nothing installed": ("repair:repair", "drain:drain", "convert:convert"),
    "In a database": (
        "database:install",
        "database:schedule",
        "database:unschedule",
        "database:uninstall",
        "incidents:app",
    ),
    "Watch": ("serve:serve",),
    "Tell people from outside": ("agent:agent", "test_alert:test_alert"),
    "In AWS": ("aws:app",),
    "On this machine": ("demo:demo", "local:app"),
}
"""Where each command is, by module and name, in the order in which they are shown."""

_GROUPS = [Group(heading, sort_key=number) for number, heading in enumerate(_COMMANDS)]
_OPTIONS = Group("Options", sort_key=len(_GROUPS))


def build(*, lazily: bool = True) -> App:
    """The command line. ``lazily``: a command is imported when it is called, and has no line in the list of them before."""
    app = App(
        name="partwarden",
        help="Keep interval-partitioned PostgreSQL tables maintained, and hear of it once, with cause and cure, when "
        "they are not.\n\nExit codes: 0 done, 1 it ran and something is left to do or not well, 2 (check) critical or "
        "(plan) something would change, 3 it could not be done, 130 interrupted.",
        version=partwarden.__version__,
        version_flags=["--version"],
        help_flags=["--help", "-h"],
        default_parameter=Parameter(negative=()),
        help_format=None if lazily else "plaintext",  # what reads Markdown takes longer to import than all commands
    )
    for group, places in zip(_GROUPS, _COMMANDS.values(), strict=True):
        for number, place in enumerate(places):
            module, _, function = place.partition(":")
            path = f"{__name__}.{module}"
            if lazily:
                name = (module if function == "app" else function).replace("_", "-")
                app.command(f"{path}:{function}", name=name, group=group, sort_key=number)
                continue
            found = getattr(import_module(path), function)
            if isinstance(found, App):
                found.group, found.sort_key = group, number
                app.command(found)
            else:
                app.command(found, group=group, sort_key=number)
    app.command(script_for(app), name="completion", group=_GROUPS[-1], sort_key=9)
    app["--help"].group = app["--version"].group = _OPTIONS
    return app


app = build()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; every error is said in one place, and says what to do next."""
    said = sys.argv[1:] if arguments is None else arguments
    is_listed = all(word.startswith("-") for word in said) and "--version" not in said
    sys.exit(run(build(lazily=False) if is_listed else app, said))
