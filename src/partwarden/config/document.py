"""Text of a file to sections, items and words: YAML's syntax, duplicate keys, aliases within bounds, and variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import yaml

from partwarden.config.problems import Problem
from partwarden.config.said import Items, Section, Source, Word

_MOST_REPEATED = 20_000  # nodes that aliases bring back
_LARGEST = 10_000_000  # bytes
_NULLS = ("", "~", "null", "Null", "NULL")
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}
_DOLLAR = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<instead>[^}]*))?\}|(?P<open>\{))")


class _Unreadable(Exception):
    """The rest of the document can't be understood."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_document(
    content: bytes, file: str, environment: Mapping[str, str] | None = None
) -> tuple[Section | None, list[Problem]]:
    """What the text says, as far as it can be read, and what is wrong with it."""
    reader = _Reader(file, os.environ if environment is None else environment)
    try:
        return reader.section_of(content), reader.problems
    except _Unreadable as stop:
        return None, [*reader.problems, stop.problem]


class _Reader:
    def __init__(self, file: str, environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment
        self._seen: set[int] = set()
        self._repeated = 0
        self.problems: list[Problem] = []

    def section_of(self, content: bytes) -> Section | None:
        text = self._decoded(content)
        try:
            nodes = list(yaml.compose_all(text, Loader=yaml.BaseLoader))
        except yaml.MarkedYAMLError as failure:
            raise _Unreadable(self._syntax(failure, text)) from None
        except yaml.reader.ReaderError as failure:
            raise _Unreadable(
                self._at_offset(text, failure.position, "this character does not belong into YAML")
            ) from None
        except RecursionError:
            raise _Unreadable(Problem(self._file, 0, 0, "", "it is nested too deep")) from None
        if not nodes or _is_null(nodes[0]):
            raise _Unreadable(Problem(self._file, 0, 0, "", "the file is empty"))
        if len(nodes) > 1:
            self._wrong(nodes[1], "", "a second document begins here: one file is one document")
        said = self._value(nodes[0], "")
        if isinstance(said, Section):
            return said
        self._wrong(nodes[0], "", "the file has to begin with a key, as in databases:")
        return None

    def _decoded(self, content: bytes) -> str:
        if len(content) > _LARGEST:
            raise _Unreadable(Problem(self._file, 0, 0, "", "it is larger than 10 MB, and no such file is"))
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as failure:
            before = content[: failure.start].decode("utf-8-sig", errors="replace")
            raise _Unreadable(
                self._at_offset(before, len(before), "this byte is not UTF-8: save the file as UTF-8")
            ) from None

    def _at_offset(self, text: str, offset: int, message: str) -> Problem:
        before = text[:offset]
        return Problem(self._file, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, "", message)

    def _syntax(self, failure: yaml.MarkedYAMLError, text: str) -> Problem:
        mark = failure.problem_mark or failure.context_mark
        what = " ".join(str(failure.problem or failure.context or "it can't be read").split())
        message = f"this is not YAML: {what}"
        if mark is None:
            return Problem(self._file, 0, 0, "", message)
        lines = text.splitlines() or [""]
        line = lines[min(mark.line, len(lines) - 1)]
        if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in what:
            message += "; YAML is indented with spaces, not with tabs"
        elif "${" in line:
            message += "; what holds ${…} takes quotes inside { } and [ ]"
        return Problem(self._file, mark.line + 1, mark.column + 1, "", message)

    def _place(self, node: yaml.Node) -> Source:
        return Source(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _wrong(self, node: yaml.Node, path: str, message: str) -> None:
        self.problems.append(Problem.at(self._place(node), path, message))

    def _value(self, node: yaml.Node, path: str, within: tuple[int, ...] = ()) -> object:
        """Aliases are followed, so a node may come more than once, but neither within itself nor without end."""
        self._repeated += id(node) in self._seen
        self._seen.add(id(node))
        if self._repeated > _MOST_REPEATED:
            raise _Unreadable(Problem.at(self._place(node), path, "the aliases of this file stand for too much"))
        if id(node) in within:
            raise _Unreadable(Problem.at(self._place(node), path, "this stands within itself"))
        if node.tag not in _PLAIN_TAGS:
            self._wrong(node, path, "tags, like !!str, are not taken here")
        if isinstance(node, yaml.ScalarNode):
            return None if _is_null(node) else self._word(node, path)
        within = (*within, id(node))
        if isinstance(node, yaml.SequenceNode):
            return Items(
                (
                    (self._value(item, f"{path}[{number}]", within), self._place(item))
                    for number, item in enumerate(node.value)
                ),
                self._place(node),
            )
        assert isinstance(node, yaml.MappingNode)
        return self._section(node, path, within)

    def _section(self, node: yaml.MappingNode, path: str, within: tuple[int, ...]) -> Section:
        section = Section(self._place(node))
        merged: list[Section] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, path, "a key is a word")
                continue
            name = str(key.value)
            here = f"{path}.{name}" if path else name
            if name == "<<" and key.style is None:
                said = self._value(value, path, within)
                merged += [each for each in (said if isinstance(said, Items) else [said]) if isinstance(each, Section)]
            elif name in section:
                first = section.keys_at[name]
                self._wrong(key, here, f"this key is there already, in line {first.line}")
            else:
                section.put(name, self._value(value, here, within), self._place(key), self._place(value))
        for each in merged:
            for name in each:
                if name not in section:
                    section.adopt(name, each)
        return section

    def _word(self, node: yaml.ScalarNode, path: str) -> Word:
        written = str(node.value)

        def stands_for(found: re.Match[str]) -> str:
            if found["dollar"]:
                return "$"
            if found["open"]:
                self._wrong(node, path, "a variable is written ${NAME} or ${NAME:-instead}, and a dollar $$")
                return ""
            value = self._environment.get(found["name"])
            if found["instead"] is not None:
                return value or str(found["instead"])
            if value is None:
                self._wrong(node, path, f"the environment has no variable {found['name']}")
                return ""
            return value

        text = _DOLLAR.sub(stands_for, written)
        # What a variable holds is taken as if it had been written without quotes.
        quoted = node.style is not None and text == written
        return Word(text, self._place(node), quoted=quoted, written=written)


def _is_null(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULLS
