"""promtool, which Prometheus brings: on the machine, or where scripts/setup.sh has put it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import required_majors

_FOLDER = Path(os.environ.get("PARTWARDEN_PROMTOOL", "/var/cache/partwarden/promtool"))


def promtool(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run it, with ``given`` on its standard input; where it is missing, the test is skipped, or fails in CI."""
    found = shutil.which("promtool", path=f"{os.environ['PATH']}:{_FOLDER}")
    if found is None:
        reason = "promtool is not here (scripts/setup.sh test)"
        if required_majors():
            pytest.fail(reason)
        pytest.skip(reason)
    return subprocess.run([found, *arguments], input=given, capture_output=True, text=True, timeout=60)
