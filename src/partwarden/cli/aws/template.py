"""The command that prints the CloudFormation template."""

from __future__ import annotations

import sys
from importlib import resources


def template() -> None:
    """Print the CloudFormation template of the alert stack, for the console, sam deploy, or a pipeline of your own."""
    sys.stdout.write(resources.files("partwarden.aws").joinpath("template.yaml").read_text(encoding="utf-8"))
