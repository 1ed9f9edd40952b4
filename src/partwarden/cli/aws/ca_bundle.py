"""The command that has the certificates of RDS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli.grammar import OUTPUT, Output


def ca_bundle(
    *,
    refresh: Annotated[bool, Parameter(help="Fetch it anew: AWS adds authorities from time to time.")] = False,
    source: Annotated[
        Path | None, Parameter(name="--from", help="Take this file, which was fetched on a machine that can.")
    ] = None,
    output: Output = OUTPUT,
) -> None:
    """Print the file of certificates that servers of RDS are verified with; fetch it first, where it is not there yet."""
    from partwarden.aws import ca_bundle as bundles

    if source is not None:
        file = bundles.keep(source).file
    elif refresh:
        file = bundles.fetch().file
    else:
        file = bundles.ca_bundle()
    output.out.print(str(file), markup=False)
    output.answer({"file": file})
