"""What is said when a request is refused or goes wrong: a sentence and a way out, never the inside of an exception."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from partwarden.dsn import without_secrets
from partwarden.errors import ActionRefused, CouldNotConnect, PartwardenError
from partwarden.web.shown import show

Endpoint = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)

_POLICY_VIOLATION = 1008


class NotAllowed(ActionRefused):
    """Somebody asked for what is not for them to do, or not from where they did."""


class OutOfReach(ActionRefused):
    """A database can't be reached; no word of where it is, and as whom it is asked."""

    def __init__(self) -> None:
        super().__init__(
            "This database can't be reached at the moment.",
            remedy="partwarden check, where partwarden serve runs, says why.",
        )


def answer(
    request: HTTPConnection, status: int, sentence: str, way_out: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that says it: a page to a person, plain text to a program."""
    sentence, way_out = without_secrets(sentence), without_secrets(way_out)
    page: Response | None = None
    if is_person(request.scope):
        try:
            page = show(request, "refusal.html", status_code=status, status=status, sentence=sentence, way_out=way_out)
        except Exception as failure:  # noqa: BLE001 - a refusal has to be said, whatever keeps its page from being made
            log.error("%s", _place(failure))  # noqa: TRY400 - its text may hold anything
    made = PlainTextResponse(f"{sentence}\n{way_out}\n", status_code=status) if page is None else page
    made.headers.update(headers or {})
    return made


def answer_to(request: HTTPConnection, failure: PartwardenError) -> Response:
    """The answer that says what an error of ours says, but for where a database is, and as whom it is asked."""
    if isinstance(failure, CouldNotConnect):
        failure = OutOfReach()
    status = 503 if isinstance(failure, OutOfReach) else 403 if isinstance(failure, NotAllowed) else 409
    return answer(request, status, failure.problem, failure.remedy)


def in_words(endpoint: Endpoint) -> Endpoint:
    """The same, with an error of ours said in words."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except PartwardenError as failure:
            return answer_to(request, failure)

    return answered


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    sentence: str,
    way_out: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer with it, in the place of an application."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return
    await answer(HTTPConnection(scope), status, sentence, way_out, headers)(scope, receive, send)


class InWords:
    """Whatever ``app`` raises becomes a page that says so, with a number under which the log has where it happened."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer, or answer for it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as failure:  # noqa: BLE001 - the last place where it can be said in words
            number = secrets.token_hex(4)
            log.error("error %s: %s", number, _place(failure))  # noqa: TRY400 - its text may hold anything
            log.debug("error %s: %s", number, without_secrets(traceback.format_exc()))
            if not is_answered:
                await refuse(
                    scope, receive, send, 500,
                    f"This page has failed: error {number}.",
                    "Load it again. If that does not help, the log of partwarden serve has that number; please report it.",
                )  # fmt: skip


def is_person(scope: Scope) -> bool:
    """Whether whoever asks reads pages: a browser that wants a page and not its data."""
    return scope["type"] == "http" and any(
        name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"]
    )


def _place(failure: BaseException) -> str:
    """What went wrong where, without a word of what it says: a connection string might stand in it."""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [frame for frame in frames if "partwarden" in Path(frame.filename).parts] or frames
    where = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return f"{type(failure).__name__}{where}"
