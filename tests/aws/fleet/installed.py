"""The functions' package for this very interpreter, so that it can run where the tests do."""

from __future__ import annotations

import functools
from importlib import metadata

from partwarden.aws.fleet.package import Package, build, is_needed


@functools.cache
def package_for_here(ca_bundle: str) -> Package:
    """As it is deployed, but with the libraries that are installed here instead of those of Lambda's Python."""
    libraries: dict[str, bytes] = {}
    for name in ("psycopg", "psycopg-binary", "typing-extensions"):
        for file in metadata.files(name) or []:
            if is_needed(str(file)):
                libraries[str(file)] = file.read_binary()
    return build(libraries, ca_bundle.encode())
