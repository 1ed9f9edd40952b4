"""The application: its routes, and what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route

from partwarden.survey import Survey
from partwarden.web import live, pages
from partwarden.web.assets import Assets
from partwarden.web.recent import Recent
from partwarden.web.template import Templates
from partwarden.web.watch.watching import Watch

Scrape = Callable[[Sequence[Survey]], str]
"""Writes what ``/metrics`` answers."""


def application(
    watch: Watch,
    *,
    scrape: Scrape | None = None,
    more_routes: tuple[BaseRoute, ...] = (),
    middleware: tuple[Middleware, ...] = (),
    allows_actions: bool = False,
) -> Starlette:
    """The pages on what ``watch`` sees; ``more_routes`` are those of a login and of actions."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with watch.watching():
            yield

    routes: list[BaseRoute] = [
        Route("/", pages.fleet, name="fleet"),
        Route("/database", pages.database, name="database"),
        Route("/set", pages.partition_set, name="set"),
        Route("/incidents", pages.incidents, name="incidents"),
        Route("/incident", pages.incident, name="incident"),
        Route("/jobs", pages.jobs, name="jobs"),
        Route("/events", live.events, name="events"),
        Route("/healthz", pages.healthz, name="healthz"),
        Route("/static/{path:path}", Assets().answer, name="static"),
        *more_routes,
    ]
    if scrape is not None:
        routes.append(Route("/metrics", pages.metrics, name="metrics"))
    made = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[*middleware, Middleware(GZipMiddleware, minimum_size=2000)],
        exception_handlers=pages.FAILURES,
    )
    made.state.watch = watch
    made.state.scrape = scrape
    made.state.templates = Templates()
    made.state.recent = Recent()
    made.state.allows_actions = allows_actions
    return made
