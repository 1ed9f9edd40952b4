"""Server-sent events: that there is a newer survey. The page then asks for itself anew and takes over what is different.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from partwarden.web.watch.watching import UnknownDatabase, Watch


async def events(request: Request) -> Response:
    """A stream of one event for each survey, of a database or of all, as long as somebody listens."""
    watch: Watch = request.app.state.watch
    name = request.query_params.get("database")
    if name is not None:
        try:
            watch.version(name)
        except UnknownDatabase:
            raise HTTPException(404, "no database of that name is watched") from None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":  # has no body: who waits for none would hold a stream without knowing
        return Response(media_type="text/event-stream", headers=headers)
    return StreamingResponse(_stream(watch, name), media_type="text/event-stream", headers=headers)


async def _stream(watch: Watch, name: str | None) -> AsyncGenerator[str, None]:
    yield "retry: 3000\n\n"
    async with aclosing(watch.changes(name)) as changes:  # who has gone must not count until it happens to be collected
        async for version in changes:
            yield ": nothing new\n\n" if version is None else f"event: survey\nid: {version}\ndata: {version}\n\n"
