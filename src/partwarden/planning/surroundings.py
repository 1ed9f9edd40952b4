"""What has to be there before sets can be: extensions, schemas, and partwarden itself."""

from __future__ import annotations

from collections.abc import Iterator

from partwarden import __version__
from partwarden.config import Database
from partwarden.database import quoted
from partwarden.errors import InstallRefused
from partwarden.install import is_up_to_date
from partwarden.planning.steps import Action, Danger, Kind, Obstacle, Step, Warned
from partwarden.planning.view import View


def needs_partwarden(database: Database) -> bool:
    """Whether the file asks for something that only partwarden in the database can do."""
    return bool(
        database.maintenance
        or database.monitor
        or database.thresholds
        or database.silences
        or database.cluster
        or any(entry.repair is not None for entry in database.partition_sets)
    )


def plan_surroundings(view: View, database: Database) -> Iterator[Step | Obstacle]:
    """Extensions and schemas that are missing, in the order in which they are made, then partwarden."""
    schemas = {name for (name,) in view.connection.execute("select nspname from pg_catalog.pg_namespace").fetchall()}
    wanted = [*database.schemas, *(schema for schema in database.extensions.values() if schema is not None)]
    for schema in dict.fromkeys(wanted):
        if schema not in schemas:
            yield Step(Kind.SCHEMA, Action.ADD, schema, "create schema", (f"create schema {quoted(schema)};",))
    for name, place in database.extensions.items():
        installed = view.server.extensions.get(name)
        if installed is None:
            where = "" if place is None else f" schema {quoted(place)}"
            yield Step(
                Kind.EXTENSION,
                Action.ADD,
                name,
                "create extension",
                (f"create extension {quoted(name)}{where} cascade;",),
            )
        elif place is not None and installed.schema != place:
            yield Obstacle(
                f"extension {name}",
                f"it is in schema {installed.schema}, and the file wants it in {place}",
                f"write `{name}: {installed.schema}`; extensions are moved by hand, if at all",
                str(database.source_of("extensions")),
            )
    if needs_partwarden(database):
        yield from _plan_installation(view, database)


def _plan_installation(view: View, database: Database) -> Iterator[Step | Obstacle]:
    try:
        is_there = view.installed is not None and is_up_to_date(view.connection)
    except InstallRefused as refused:
        yield Obstacle("partwarden", refused.problem, refused.remedy or "", str(database.source))
        return
    if view.installed is None:
        yield Step(Kind.INSTALLATION, Action.ADD, "partwarden", f"install {__version__}", ())
    elif not is_there:
        before = view.installed
        what = "renew its routines" if before == __version__ else f"upgrade from {before} to {__version__}"
        warned = Warned(Danger.LOCKING, "waits up to 10 s for locks on partwarden's own tables")
        yield Step(Kind.INSTALLATION, Action.CHANGE, "partwarden", what, (), (), (warned,))
