"""Statements as text that can be pasted: names and values are quoted by psycopg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from partwarden.database import quoted


def literal(value: object) -> str:
    """A value as SQL writes it."""
    return sql.Literal(list(value) if isinstance(value, tuple) else value).as_string(None).strip()


def call(schema: str, routine: str, arguments: Mapping[str, Any]) -> str:
    """``schema.routine(name => value, …)``."""
    listed = ", ".join(f"{name} => {literal(value)}" for name, value in arguments.items())
    return f"{quoted(schema)}.{routine}({listed})"


def update(table: str, values: Mapping[str, Any], where: str) -> str:
    """``update table set column = value, … where …``; ``table`` and ``where`` are SQL already."""
    listed = ", ".join(f"{column} = {literal(value)}" for column, value in values.items())
    return f"update {table} set {listed} where {where};"


def one_of(column: str, values: Sequence[str]) -> str:
    """``column = …``, or ``column = any (…)`` for several."""
    return f"{column} = {literal(values[0])}" if len(values) == 1 else f"{column} = any ({literal(list(values))})"
