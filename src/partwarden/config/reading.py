"""Files to one configuration: included ones found, each understood on its own, all of them joined."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from partwarden.config.contradictions import FOR_IDS, FOR_TIMES
from partwarden.config.document import read_document
from partwarden.config.joining import join, join_channels
from partwarden.config.lengths import is_number
from partwarden.config.models import Config, File
from partwarden.config.problems import BadFile, Problem
from partwarden.config.refusals import problems_of
from partwarden.config.said import Items, Section, Source, Word
from partwarden.config.sets import Defaults

_MOST_FILES = 1000


def read_config(*paths: Path | str) -> Config:
    """What these files, and those that they include, say together.

    Raises BadFile, a BadConfig, with everything that is wrong in any of them.
    """
    reading = _Reading()
    for path in paths:
        reading.read(Path(path), None)
    databases, problems = join(reading.files)
    channels, amiss = join_channels(reading.files, databases)
    problems = [*reading.problems, *problems, *amiss]
    if not problems and not databases:
        named = " and ".join(str(path) for path in paths) or "no file"
        problems = [Problem(named, 0, 0, "databases", "there is no database in it")]
    if problems:
        raise BadFile(problems)
    return Config(databases=databases, channels=channels)


class _Reading:
    def __init__(self) -> None:
        self.files: list[File] = []
        self.problems: list[Problem] = []
        self._read: set[Path] = set()
        self._open: list[Path] = []

    def read(self, path: Path, included_at: Source | None) -> None:
        """Read a file and those that it includes, once."""

        def wrong(message: str) -> None:
            if included_at is None:
                self.problems.append(Problem(str(path), 0, 0, "", message))
            else:
                self.problems.append(Problem.at(included_at, "include", f"{path}: {message}"))

        real = path.resolve()
        if real in self._open:
            chain = " includes ".join(each.name for each in [*self._open[self._open.index(real) :], real])
            wrong(f"this goes round in a circle: {chain}")
            return
        if real in self._read:
            return
        if len(self._read) == _MOST_FILES:
            wrong(f"more than {_MOST_FILES} files are not read")
            return
        self._read.add(real)
        try:
            content = path.read_bytes()
        except OSError as failure:
            wrong(f"could not read it: {failure.strerror}")
            return
        section, problems = read_document(content, str(path))
        if section is None:
            self.problems += problems
            return
        file, problems = _understood(section, problems)
        self.problems += problems
        if file is not None:
            self.files.append(file)
        self._open.append(real)
        for each in _words(section.get("include")):
            self._include(each, path)
        self._open.pop()

    def _include(self, named: Word, path: Path) -> None:
        if not glob.has_magic(named):
            self.read(path.parent / named, named.source)
            return
        names = glob.glob(named, root_dir=path.parent, recursive=True)  # noqa: PTH207 - absolute patterns are taken, too
        found = [path.parent / each for each in sorted(names)]
        others = [each for each in found if each.is_file() and each.resolve() != path.resolve()]
        if not others:
            self.problems.append(Problem.at(named.source, "include", "no file matches this pattern"))
        for each in others:
            self.read(each, named.source)


def understood(content: bytes, name: str) -> tuple[File | None, list[Problem]]:
    """What the text of one file says, without the files that it includes, and what is wrong with it."""
    section, problems = read_document(content, name)
    return (None, problems) if section is None else _understood(section, problems)


def _understood(section: Section, unread: list[Problem]) -> tuple[File | None, list[Problem]]:
    file, problems = _validated(section)
    # Of what could not be read nothing more can be said.
    places = {(each.line, each.column) for each in unread}
    problems = [each for each in problems if (each.line, each.column) not in places]
    return file, [*unread, *_without_value(section), *problems]


def _words(said: object) -> list[Word]:
    return [each for each in (said if isinstance(said, Items) else (said,)) if isinstance(each, Word)]


def _validated(section: Section) -> tuple[File | None, list[Problem]]:
    problems: list[Problem] = []
    defaults = section.get("defaults")
    if isinstance(defaults, Section):
        try:
            Defaults.model_validate(defaults)
        except ValidationError as failure:
            # Said once, instead of once a set.
            problems = problems_of(failure, defaults, Defaults, "defaults")
            section = section.copied()
            del section["defaults"]
        else:
            section = _with_defaults(section, defaults)
    try:
        return File.model_validate(section), problems
    except ValidationError as failure:
        return None, [*problems, *problems_of(failure, section, File)]


def _with_defaults(section: Section, defaults: Section) -> Section:
    """The same file with what goes for all sets written to each set that does not say it."""
    databases = section.get("databases")
    if not isinstance(databases, Items):
        return section
    filled = section.copied()
    filled["databases"] = _each(databases, lambda database: _database_with(database, defaults))
    return filled


def _database_with(database: Section, defaults: Section) -> Section:
    sets = database.get("partition_sets")
    if not isinstance(sets, Items):
        return database
    filled = database.copied()
    filled["partition_sets"] = _each(sets, lambda each: _set_with(each, defaults))
    return filled


def _each(items: Items, change: Callable[[Section], Section]) -> Items:
    changed = (change(each) if isinstance(each, Section) else each for each in items)
    return Items(zip(changed, items.sources, strict=True), items.source)


def _set_with(said: Section, defaults: Section) -> Section:
    own = said.get("interval", defaults.get("interval"))
    beside = FOR_TIMES if isinstance(own, str) and is_number(own.strip()) else FOR_IDS
    return _completed(said, defaults, without=beside)


def _completed(said: Section, defaults: Section, *, without: Sequence[str] = ()) -> Section:
    """What is said, and of the defaults whatever it leaves open; what makes no sense for it is none of that."""
    filled = said.copied()
    for key in defaults:
        own, common = filled.get(key), defaults[key]
        if key not in filled:
            if key not in without:
                filled.adopt(key, defaults)
        elif isinstance(own, Section) and isinstance(common, Section):
            filled[key] = _completed(own, common)
    return filled


def _without_value(said: object, path: str = "") -> list[Problem]:
    """Keys that nothing follows: what was meant by them nobody can know. An extension may come without a schema."""
    found = []
    if isinstance(said, Section):
        for key, value in said.items():
            here = f"{path}.{key}" if path else key
            if value is None and not path.endswith(".extensions"):
                found.append(Problem.at(said.keys_at[key], here, "there is no value: write one, or leave the key out"))
            found += _without_value(value, here)
    elif isinstance(said, Items):
        for number, value in enumerate(said):
            here = f"{path}[{number}]"
            if value is None:
                found.append(Problem.at(said.sources[number], here, "there is nothing behind this dash"))
            found += _without_value(value, here)
    return found
