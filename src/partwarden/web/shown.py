"""Showing a page of the application, from wherever there is a request."""

from __future__ import annotations

from typing import Any, Protocol

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response


class Pages(Protocol):
    """What makes pages of templates; an application has it in its state, as ``templates``."""

    def page(self, request: Request, name: str, *, status_code: int = 200, **shown: Any) -> Response:
        """A whole page; ``shown`` is what its template is given beside what every page has."""


def show(request: HTTPConnection, name: str, *, status_code: int = 200, **shown: Any) -> Response:
    """The page that the application makes of a template."""
    pages: Pages = request.app.state.templates
    return pages.page(Request(request.scope), name, status_code=status_code, **shown)
