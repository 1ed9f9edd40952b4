"""The command line, called as its program is, and what it says and leaves with; no half second of imports each time."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from partwarden.cli import main


def partwarden(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command line without a terminal, and see that it never shows a traceback, nor escape codes in a pipe."""
    out, errors = io.StringIO(), io.StringIO()
    status = 0
    with (
        patch.dict(os.environ, {"COLUMNS": "120", **(env or {})}),
        Path(os.devnull).open() as nothing,
        patch("sys.stdin", nothing),
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        try:
            main(list(arguments))
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
    answer = subprocess.CompletedProcess(["partwarden", *arguments], status, out.getvalue(), errors.getvalue())
    for stream in (answer.stdout, answer.stderr):
        assert "Traceback" not in stream
        assert "\x1b[" not in stream
    return answer
