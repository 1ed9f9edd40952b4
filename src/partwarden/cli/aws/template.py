"""The command that prints the CloudFormation template."""

from __future__ import annotations

import sys

from partwarden.aws.template import body


def template() -> None:
    """Print the CloudFormation template of the alert stack, for the console, sam deploy, or a pipeline of your own."""
    sys.stdout.write(body())
