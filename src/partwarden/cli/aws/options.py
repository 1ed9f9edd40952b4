"""Options that the commands for AWS share."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

Region = Annotated[str | None, Parameter(help="AWS region; without it AWS_REGION, or the profile's.")]
Profile = Annotated[str | None, Parameter(help="Profile of ~/.aws; without it AWS_PROFILE, or the default one.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")]
