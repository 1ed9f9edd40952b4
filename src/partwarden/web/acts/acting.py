"""The pages on which something is done: what would happen, the button that does it, what goes on, and what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from partwarden.audit import Entry, read_entries
from partwarden.database import connect
from partwarden.errors import ActionRefused
from partwarden.web.access.forms import sent_form_of_session
from partwarden.web.access.person import Person, person_of
from partwarden.web.access.protection import Protection
from partwarden.web.access.refusal import NotAllowed, in_words
from partwarden.web.acts import actions
from partwarden.web.acts.actions import Asked, Kind
from partwarden.web.acts.works import Works
from partwarden.web.shown import show
from partwarden.web.wording import link

_SECONDS = 20
_MOST_ENTRIES = 200
_REFRESH = {"Refresh": "2"}

SILENCES = ("1 hour", "4 hours", "1 day", "1 week")
"""For how long an incident is mostly silenced; any other time can be written."""


class Acting:
    """The pages for actions on ``databases``: connection strings by name."""

    def __init__(self, protection: Protection, works: Works, databases: Mapping[str, str]) -> None:
        self._protection = protection
        self._works = works
        self._databases = databases

    @property
    def routes(self) -> list[Route]:
        """Theirs, for the application."""
        return [
            Route("/act", in_words(self.confirm), methods=["GET"], name="act"),
            Route("/act", in_words(self.act), methods=["POST"]),
            Route("/works", in_words(self.works), methods=["GET"], name="works"),
            Route("/work", in_words(self.work), methods=["GET"], name="work"),
            Route("/work/cancel", in_words(self.cancel), methods=["POST"]),
            Route("/record", in_words(self.record), methods=["GET"], name="record"),
        ]

    async def confirm(self, request: Request) -> Response:
        """What would happen, with the statement; nothing is done yet."""
        person = self._who_acts(request)
        asked, dsn = self._asked(request.query_params)
        seen: dict[str, Any] = {"incident": None, "drain": None}
        if not asked.kind.takes_long:
            seen["incident"] = await run_in_threadpool(actions.look_at_incident, dsn, asked.incident)
        elif asked.kind is Kind.DRAIN:
            seen["drain"] = await run_in_threadpool(actions.look_at_drain, dsn, asked.object)
        return show(
            request,
            "confirm.html",
            asked=asked,
            consequence=actions.CONSEQUENCES[asked.kind],
            statement=actions.statement(asked, person.name),
            silences=SILENCES if asked.kind is Kind.SILENCE else (),
            back=self._origin(asked),
            **seen,
        )

    async def act(self, request: Request) -> Response:
        """Do it."""
        person = self._who_acts(request)
        asked, dsn = self._asked(await sent_form_of_session(request))
        if asked.kind.takes_long:
            work = self._works.begin(dsn, asked, person.name)
            return RedirectResponse(link("/work", number=work.number), status_code=303)
        done = await run_in_threadpool(actions.act, dsn, asked, person.name)
        request.app.state.watch.forget(asked.database)
        return show(request, "acted.html", done=done, back=self._origin(asked))

    async def works(self, request: Request) -> Response:
        """What goes on, and what has ended since this page was started."""
        return show(request, "works.html", works=self._works.all())

    async def work(self, request: Request) -> Response:
        """One piece of work, as it stands; while it goes on, the page asks for itself again."""
        found = self._works.get(_number(request.query_params))
        if found is None:
            raise HTTPException(404, "there is no work with that number; what was done is on record")
        page = show(request, "work.html", work=found)
        if not found.state.is_over:
            page.headers.update(_REFRESH)
        return page

    async def cancel(self, request: Request) -> Response:
        """End what goes on."""
        person = self._who_acts(request)
        number = _number(await sent_form_of_session(request))
        await run_in_threadpool(self._works.cancel, number, person.name)
        return RedirectResponse(link("/work", number=number), status_code=303)

    async def record(self, request: Request) -> Response:
        """What was done in a database, by whom."""
        name = request.query_params.get("database", "")
        entries = await run_in_threadpool(_read_entries, self._dsn(name))
        return show(request, "record.html", database=name, entries=entries, at_most=_MOST_ENTRIES)

    def _who_acts(self, request: Request) -> Person:
        if not self._protection.allow_actions:
            raise NotAllowed(
                "This page only looks: partwarden serve was started without --allow-actions.",
                remedy="Use the command line, or have it started with --allow-actions.",
            )
        person = person_of(request.scope)
        if not person.may_act:
            raise NotAllowed(
                f"{person.name} may look here, and not act.", remedy="Ask whoever runs this page for --allow-actors."
            )
        return person

    def _asked(self, said: Mapping[str, str]) -> tuple[Asked, str]:
        try:
            kind = Kind(said.get("action", ""))
        except ValueError:
            raise HTTPException(404, "there is no such action") from None
        note, until = said.get("note", "").strip(), said.get("until", "").strip()
        if len(note) > actions.MOST_LETTERS or len(until) > actions.MOST_LETTERS or "\0" in f"{note}{until}":
            raise ActionRefused("this is too long for a note", remedy=f"{actions.MOST_LETTERS} letters are the most")
        asked = Asked(
            kind,
            said.get("database", ""),
            said.get("object", ""),
            note=note or None if kind.takes_note else None,
            until=until or None if kind is Kind.SILENCE else None,
        )
        if not asked.object or "\0" in asked.object:
            raise HTTPException(404, "nothing was named that it could be done to")
        return asked, self._dsn(asked.database)

    def _dsn(self, name: str) -> str:
        if name not in self._databases:
            raise HTTPException(404, "no database of that name is watched")
        return self._databases[name]

    def _origin(self, asked: Asked) -> str:
        """The page that somebody came from."""
        if asked.kind.takes_long:
            return link("/set", database=asked.database, name=asked.object)
        return link("/incident", database=asked.database, id=asked.object)


def _read_entries(dsn: str) -> list[Entry]:
    with connect(dsn, timeout=_SECONDS) as connection:
        return read_entries(connection, at_most=_MOST_ENTRIES)


def _number(said: Mapping[str, str]) -> int:
    number = said.get("number", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise HTTPException(404, "there is no work with that number")
    return int(number)
