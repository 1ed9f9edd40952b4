"""``partwarden.yaml``, typed and validated: which databases there are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from partwarden.dsn import SECRETS, aws_login, is_libpqs
from partwarden.errors import BadConfig, CouldNotConnect


class Database(BaseModel):
    """One database. ``dsn`` is a connection string without a password, ``env:NAME``, ``iam:…`` or ``aws-secret:…``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    dsn: str

    @field_validator("dsn")
    @classmethod
    def _has_no_password(cls, dsn: str) -> str:
        if dsn.startswith("env:"):
            return dsn
        try:
            if aws_login(dsn) is not None:
                return dsn
        except CouldNotConnect as refused:
            raise ValueError(refused.problem) from None
        try:
            parts = conninfo_to_dict(dsn)
        except ProgrammingError:
            raise ValueError("this is not a connection string that libpq understands") from None
        if parts.keys() & SECRETS:
            raise ValueError("no password belongs into this file: use ~/.pgpass, a service, env:, iam: or aws-secret:")
        return dsn

    @property
    def conninfo(self) -> str:
        """The connection string itself, or the login through AWS; raises BadConfig when there is no such variable."""
        if is_libpqs(self.dsn):
            return make_conninfo(self.dsn)
        if not self.dsn.startswith("env:"):
            return self.dsn
        name = self.dsn.removeprefix("env:")
        if name not in os.environ:
            raise BadConfig(
                f"database {self.name}: the environment has no variable {name}", remedy=f"export {name}='service=…'"
            )
        return os.environ[name]


class Config(BaseModel):
    """What the file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    databases: tuple[Database, ...] = Field(min_length=1)


def read_config(path: Path) -> Config:
    """Read and validate a file; raises BadConfig, which names the file, the place and what is wrong there."""
    try:
        said: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise BadConfig(f"could not read {path}: {failure.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as failure:
        raise BadConfig(f"{path} is not YAML: {' '.join(str(failure).split())}") from None
    try:
        return Config.model_validate(said)
    except ValidationError as failure:
        first = failure.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file as a whole"
        raise BadConfig(f"{path}: {place}: {first['msg'].removeprefix('Value error, ')}") from None
