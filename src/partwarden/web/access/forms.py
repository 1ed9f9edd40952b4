"""Forms that do something: whatever is sent must come from a form of this page, shown to the session that sends it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from partwarden.web.access.person import person_of
from partwarden.web.access.refusal import NotAllowed

FIELD = "csrf"
"""What a form of a session is known by."""

_MOST_BYTES = 64 * 1024
_MOST_FIELDS = 50
_TYPE = "application/x-www-form-urlencoded"


class ForgedForm(NotAllowed):
    """What was sent does not come from a form of this page."""


async def sent_form(request: Request) -> Mapping[str, str]:
    """The fields of a form, each once, after it is clear that it comes from this page and not from another one.

    Raises ForgedForm where it does not, and HTTPException for what no form of ours sends.
    """
    require_own_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise HTTPException(400)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(400) from None
    return dict(fields)


async def sent_form_of_session(request: Request) -> Mapping[str, str]:
    """As ``sent_form``; besides, the form must have been shown to this very session."""
    fields = await sent_form(request)
    wanted = person_of(request.scope).csrf
    if wanted is None:
        raise ForgedForm(
            "Who acts has to have a session with this page, and there is none.",
            remedy="Allow cookies for this page, load it again, and send the form again. Programs use the command line.",
        )
    if not hmac.compare_digest(wanted.encode(), fields.get(FIELD, "").encode(errors="surrogatepass")):
        raise ForgedForm(
            "This form was not made for this session, or that is over.",
            remedy="Load the page again, and send it again.",
        )
    return fields


def require_own_origin(request: Request) -> None:
    """Raise ForgedForm unless the browser says that the request comes from a page of ours.

    Browsers say so by themselves, and no page can have them say otherwise: ``Sec-Fetch-Site`` over https and on loopback,
    ``Origin`` everywhere.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        origin = request.headers.get("origin", "")
        is_ours = bool(origin) and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if not is_ours:
        raise ForgedForm(
            "This was sent from another page, and not from here.",
            remedy="Do it here. Where a proxy stands in between, it has to pass the Host header on as it is.",
        )
