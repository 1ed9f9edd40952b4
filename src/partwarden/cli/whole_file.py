"""Writing a file that others may read at any moment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_FOR_ALL = 0o666
"""Less what the umask takes, as for any file that a program writes."""


def write_whole(file: Path, text: str) -> None:
    """Put ``text`` in the place of what the file holds, at once: who reads it meanwhile has all of the old or all of the new.

    What is in its way leaves the old one as it is. Its name and its mode are those of a file that was written plainly.
    """
    if file.exists() and not file.is_file():  # a pipe, /dev/stdout: there is nothing to replace
        file.write_text(text, encoding="utf-8")
        return
    place = file.resolve()  # the file behind a link is replaced, not the link
    # No name that ends as the file does: the textfile collector takes whatever ends with .prom.
    descriptor, beside = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            os.fchmod(written.fileno(), place.stat().st_mode & 0o777 if place.exists() else _FOR_ALL & ~_umask())
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        Path(beside).replace(place)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
