"""Statements as text that can be pasted: names and values are quoted by psycopg."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from partwarden.database import quoted


class Expression(str):
    """What is SQL already, among values."""

    __slots__ = ()


def literal(value: object) -> str:
    """A value as SQL writes it."""
    if isinstance(value, Expression):
        return value
    return sql.Literal(list(value) if isinstance(value, tuple) else value).as_string(None).strip()


def do(body: str) -> str:
    """An anonymous block; its quotes are such that no name within ends it."""
    tag = "do"
    while f"${tag}$" in body:
        tag += "_"
    return f"do ${tag}$ {body} ${tag}$;"


def call(schema: str, routine: str, arguments: Mapping[str, Any]) -> str:
    """``schema.routine(name => value, …)``."""
    listed = ", ".join(f"{name} => {literal(value)}" for name, value in arguments.items())
    return f"{quoted(schema)}.{routine}({listed})"


def update(table: str, values: Mapping[str, Any], where: str) -> str:
    """``update table set column = value, … where …``; ``table`` and ``where`` are SQL already."""
    listed = ", ".join(f"{column} = {literal(value)}" for column, value in values.items())
    return f"update {table} set {listed} where {where};"
