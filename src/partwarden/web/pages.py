"""What each address answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

import psycopg
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from partwarden import incidents as kept
from partwarden.database import connect_read_only, first_line
from partwarden.errors import NotInstalled, PartwardenError, UnknownIncident
from partwarden.metrics.exposition import CONTENT_TYPE
from partwarden.survey import Survey
from partwarden.web.drawing import growth, timeline, trend
from partwarden.web.reading import fleet as fleets
from partwarden.web.reading import runs, sets
from partwarden.web.recent import Recent
from partwarden.web.template import Templates
from partwarden.web.watch.watching import AboutToEnd, TooMuchAsked, UnknownDatabase, Watch
from partwarden.web.wording import link

Answer = TypeVar("Answer")
Made = TypeVar("Made")

_SECONDS = 20
_MOST_INCIDENTS = 200


async def fleet(request: Request) -> Response:
    """All databases; where there is one only, that one."""
    watch = _watch(request)
    if len(watch.names) == 1:
        return RedirectResponse(link("/database", name=watch.names[0]))
    asked = request.query_params
    wanted = asked.get("q", ""), asked.get("standing", ""), _number(asked.get("page", "1")) or 1
    shown, table = _recent(request, ("fleet", wanted), lambda: _draw_fleet(request, *wanted))
    return _page(request, "fleet.html", fleet=shown, table=table, asked=dict(asked), standings=tuple(fleets.Standing))


def _draw_fleet(request: Request, text: str, standing: str, page: int) -> tuple[fleets.Fleet, Markup]:
    shown = fleets.chosen(_rows(request), text=text, standing=standing, page=page)
    templates: Templates = request.app.state.templates
    return shown, templates.part("fleet_table.html", fleet=shown)


def _rows(request: Request) -> tuple[fleets.FleetRow, ...]:
    return _recent(request, "rows", lambda: fleets.summed_up(_watch(request).surveys()))


def _recent(request: Request, what: Hashable, make: Callable[[], Made]) -> Made:
    """What rests on the surveys of all databases only: many people want the same at every event."""
    recent: Recent = request.app.state.recent
    watch = _watch(request)
    watch.look()
    return recent.of(watch.version(), what, make)


async def database(request: Request) -> Response:
    """One database: each set on its time line, what is wrong, what was told."""
    newest = await _newest(request, request.query_params.get("name"))
    return _page(
        request,
        "database.html",
        survey=newest,
        sets=[(each, timeline.draw(each)) for each in newest.sets],
        tightest=fleets.tightest(newest.sets),
    )


async def partition_set(request: Request) -> Response:
    """One set in full."""
    newest = await _newest(request)
    name = request.query_params.get("name", "")
    found = await _asked(request, newest.name, ("set", name), lambda dsn: sets.read_set(dsn, name, newest))
    if found is None:
        raise HTTPException(404, "there is no such table, or this role can't see it")
    return _page(
        request,
        "set.html",
        survey=newest,
        set=found,
        picture=None if found.status is None else timeline.draw(found.status),
        growth=growth.draw(found.partitions),
        trend=trend.draw(found.reach),
        sub_sets=[(each, timeline.draw(each)) for each in found.sub_sets],
        findings=[each for each in newest.report.findings if each.object == found.name],
    )


async def jobs(request: Request) -> Response:
    """pg_cron's jobs and their last day."""
    newest = await _newest(request)
    found = (
        await _asked(request, newest.name, "jobs", lambda dsn: runs.read_jobs(dsn, newest))
        if newest.report.error is None
        else None
    )
    return _page(request, "jobs.html", survey=newest, jobs=found)


async def incidents(request: Request) -> Response:
    """What is wrong now and what was: of one database with all that is kept, of all what their checks find."""
    watch = _watch(request)
    if len(watch.names) > 1 and "database" not in request.query_params:
        wrong = [row for row in _rows(request) if row.findings]
        return _page(request, "findings.html", rows=wrong[: fleets.PAGE], number=len(wrong))
    newest = await _newest(request)
    told = await _incidents(request, newest) if newest.record is not None else None
    return _page(request, "incidents.html", survey=newest, incidents=told)


async def incident(request: Request) -> Response:
    """One incident: the evidence, the remedy, each notification that told of it with its attempts."""
    newest = await _newest(request)
    number = _number(request.query_params.get("id", ""))
    if number is None:
        raise HTTPException(400, "an incident has a number: /incident?database=…&id=…")
    found, told = await _asked(request, newest.name, ("incident", number), lambda dsn: _read_incident(dsn, number))
    return _page(request, "incident.html", survey=newest, incident=found, tellings=told)


async def healthz(_: Request) -> Response:
    """That the server is there; nothing of what it knows."""
    return PlainTextResponse("ok\n")


async def metrics(request: Request) -> Response:
    """The numbers for Prometheus."""
    surveys = [survey for _, survey in _watch(request).surveys() if survey is not None]
    return PlainTextResponse(await run_in_threadpool(request.app.state.scrape, surveys), media_type=CONTENT_TYPE)


def _read_incident(dsn: str, number: int) -> tuple[kept.Incident, list[kept.Telling]]:
    with connect_read_only(dsn, timeout=_SECONDS, cut_after=2 * _SECONDS) as connection:
        return kept.read_incident(connection, number), kept.tellings(connection, number)


def _list_incidents(dsn: str) -> list[kept.Incident]:
    with connect_read_only(dsn, timeout=_SECONDS, cut_after=2 * _SECONDS) as connection:
        return kept.list_incidents(connection, resolved_too=True, most=_MOST_INCIDENTS)


async def _incidents(request: Request, newest: Survey) -> list[kept.Incident]:
    return await _asked(request, newest.name, "incidents", _list_incidents)


async def _newest(request: Request, name: str | None = None) -> Survey:
    """The newest survey of the database that is asked about, which has no name where it is the only one."""
    watch = _watch(request)
    name = name or request.query_params.get("database") or (watch.names[0] if len(watch.names) == 1 else "")
    try:
        return await watch.first(name)
    except UnknownDatabase:
        raise HTTPException(404, "no database of that name is watched") from None
    except AboutToEnd as failure:
        raise HTTPException(503, failure.problem) from None


async def _asked(request: Request, name: str, what: Hashable, question: Callable[[str], Answer]) -> Answer:
    try:
        return await _watch(request).ask(name, what, question)
    except (UnknownIncident, NotInstalled) as failure:
        raise HTTPException(404, failure.problem) from failure
    except TooMuchAsked as failure:
        raise HTTPException(503, failure.for_everybody, {"Retry-After": str(failure.pause)}) from failure
    except PartwardenError as failure:
        raise HTTPException(503, failure.for_everybody) from failure
    except psycopg.Error as failure:
        raise HTTPException(503, f"the server says: {first_line(failure)}") from failure


def _watch(request: Request) -> Watch:
    watch: Watch = request.app.state.watch
    return watch


def _page(request: Request, name: str, **shown: Any) -> HTMLResponse:
    templates: Templates = request.app.state.templates
    return templates.page(request, name, **shown)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


async def _failed(request: Request, failure: Exception) -> Response:
    """A sentence and a way out, and nothing of the inside."""
    status, said = (failure.status_code, failure.detail) if isinstance(failure, HTTPException) else (500, _BUG)
    headers = failure.headers if isinstance(failure, HTTPException) else None
    response = request.app.state.templates.page(request, "failed.html", status_code=status, status=status, said=said)
    response.headers.update(headers or {})
    return response  # type: ignore[no-any-return]


_BUG = "this is a bug of partwarden; what happened is in the log of partwarden serve"

FAILURES: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {HTTPException: _failed, 500: _failed}
