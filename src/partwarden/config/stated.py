"""What every part of the file has: frozen, strict, and with its place in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from partwarden.config import values as v
from partwarden.config.said import NOWHERE, Section, Source

_Said = TypeVar("_Said", bound="Stated")


def key(meaning: str, *, left_out: str = "", since: str = "") -> Any:
    """A key that may be left out: what it means, what holds for a new object without it, which pg_partman has it."""
    return Field(default=None, description=meaning, json_schema_extra={"x-left-out": left_out, "x-since": since})


class Stated(BaseModel):
    """What stands in a file. Where it stands is neither compared nor dumped."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    _source: Source = PrivateAttr(default=NOWHERE)
    _keys_at: Mapping[str, Source] = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    @property
    def source(self) -> Source:
        """File, line and column where it begins."""
        return self._source

    def source_of(self, name: str) -> Source:
        """Where a key stands; where the whole stands if the key is not said."""
        return self._keys_at.get(name, self._source)

    @model_validator(mode="wrap")
    @classmethod
    def _remember_the_place(cls, said: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = handler(said)
        if isinstance(said, Section):
            return model.placed(said.source, said.keys_at)
        return model

    def placed(self, source: Source, keys_at: Mapping[str, Source]) -> Self:
        """The same object, which knows now where it stands, and where its keys do."""
        self._source = source
        self._keys_at = MappingProxyType(dict(keys_at))
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.model_dump() == self.model_dump()

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


def unless(said: _Said, found: Iterable[tuple[str, str]]) -> _Said:
    """What was said, if nothing was found against it."""
    wrong = tuple(found)
    if wrong:
        raise v.Wrong(*wrong)
    return said
