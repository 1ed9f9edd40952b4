"""Connection strings: what of them may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import pq

from partwarden.config import read_config
from partwarden.dsn import SECRETS, without_password
from partwarden.errors import BadConfig

# libpq marks with a star what a form should not show.
_MARKED = {option.keyword.decode() for option in pq.Conninfo.get_defaults() if option.dispchar == b"*"}
_KNOWN = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}


def test_every_part_that_libpq_takes_for_a_password_is_a_secret() -> None:
    assert {"password", "sslpassword"} <= _MARKED <= SECRETS


@pytest.mark.parametrize("part", sorted(SECRETS & _KNOWN))
def test_a_secret_is_neither_shown_nor_taken_from_a_file(part: str, tmp_path: Path) -> None:
    assert set(without_password(f"host=h {part}=hunter2 dbname=app").split()) == {"host=h", "dbname=app"}
    file = tmp_path / "partwarden.yaml"
    file.write_text(f"databases:\n  - {{name: first, dsn: 'host=h {part}=hunter2'}}\n")
    with pytest.raises(BadConfig, match="no password belongs into this file") as refused:
        read_config(file)
    assert "hunter2" not in str(refused.value)
