"""The pages as text: Jinja's templates, with everything escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from partwarden import __version__
from partwarden.web import wording


class Templates:
    """Renders the templates of this package; a name that a template does not know is an error, not nothing."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("partwarden.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(wording.FILTERS)
        self._environment.globals.update(link=wording.link, version=__version__)

    def page(self, request: Request, name: str, *, status_code: int = 200, **shown: Any) -> HTMLResponse:
        """A whole page; ``shown`` is what its template is given beside what every page has."""
        state = request.app.state
        text = self._environment.get_template(name).render(
            now=datetime.now(UTC),
            here="/" + request.url.path.lstrip("/") + (f"?{request.url.query}" if request.url.query else ""),
            person=getattr(request.state, "person", None),
            allows_actions=state.allows_actions,
            is_alone=len(state.watch.names) == 1,
            **shown,
        )
        return HTMLResponse(text, status_code=status_code)

    def part(self, name: str, **shown: Any) -> Markup:
        """What is the same for everybody in a page: it knows neither who looks nor where."""
        text = self._environment.get_template(name).render(now=datetime.now(UTC), **shown)
        return Markup(text)  # noqa: S704 - the template has escaped it
