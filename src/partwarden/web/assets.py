"""Style, scripts and mark of the pages, read once: the wheel's files do not change while the program runs."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class _Asset:
    """One file; ``compressed`` is None where that makes it no smaller."""

    media_type: str
    etag: str
    plain: bytes = field(repr=False)
    compressed: bytes | None = field(repr=False)

    @staticmethod
    def read(file: Path) -> _Asset:
        """The file as it is answered with."""
        plain = file.read_bytes()
        compressed = gzip.compress(plain, mtime=0)
        return _Asset(
            media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            etag=f'"{hashlib.sha256(plain).hexdigest()[:32]}"',
            plain=plain,
            compressed=compressed if len(compressed) < len(plain) else None,
        )


class Assets:
    """Answers with a file of ``folder`` from memory: a browser that comes for the first time asks for all of them at once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._assets = {
            file.relative_to(folder).as_posix(): _Asset.read(file) for file in folder.rglob("*") if file.is_file()
        }

    async def answer(self, request: Request) -> Response:
        """The file that the path names; by its fingerprint, whether the browser has it already."""
        asset = self._assets.get(request.path_params["path"])
        if asset is None:
            raise HTTPException(404, "there is no such file")
        headers = {"Cache-Control": "public, max-age=3600", "ETag": asset.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == asset.etag:
            return Response(status_code=304, headers=headers)
        body = asset.plain
        if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = asset.compressed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=asset.media_type, headers=headers)
