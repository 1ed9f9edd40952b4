"""Whatever the documentation has people type works: it is run, or where that can't be, read by the command's own grammar."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from cyclopts import App, CycloptsError

from partwarden.cli import app
from partwarden.config import read_config
from partwarden.errors import BadConfig
from tests.docs import commands_page
from tests.docs.commands_page import commands as known_commands
from tests.docs.commands_page import names
from tests.docs.pages import PAGES as ALL_PAGES
from tests.docs.pages import ROOT, Block, blocks, inline_code, languages
from tests.docs.scenes import SCENES, scenes
from tests.docs.shell import ELSEWHERE, command_first, understand, why_not_run
from tests.docs.shown import fits, sessions
from tests.docs.statements import statements, why_not_executed
from tests.docs.typed import LANGUAGES, all_typed
from tests.docs.world import World

WORLDLESS = {"CONTRIBUTING.md"}
"""Pages about this very project: their SQL is a template, their commands set it up."""

JOBS = {"maintain", "monitor", "purge"}
"""The second word of the names that jobs of pg_cron have: these are no commands."""

RUN_ELSEWHERE = {
    "docs/channels.md": "tests/integration/test_agent.py",
    "docs/library.md": "tests/integration/test_library.py",
    "docs/pytest.md": "tests/integration/test_pytest_plugin.py",
    "docs/status.md": "tests/integration/test_status.py",
}
"""Pages whose programs in Python have a test of their own."""

NOT_RUN = {
    "CONTRIBUTING.md": "shows how a fault is written",
    "docs/aws-lambda-for-postgresql.md": "calls a Lambda service that is not there",
}
"""Pages whose programs in Python are only compiled, and why."""

NOT_COMPARED = {"docs/upgrade.md": "what it shows is of pg_partman 4"}
"""Pages with output below commands that is not compared, and why."""

_FILE_NAME = re.compile(r"# (\w+\.yaml)\n")
"""The first line of a block that is to be a file."""

_CALLED = re.compile(r"(?:^\s*|[(/=])partwarden ([a-z][a-z-]*\b[^|]*)")


PAGES = sorted({block.page for block in blocks(*LANGUAGES)} - WORLDLESS)


@pytest.mark.parametrize("server", [18], ids=["pg18"], indirect=True)
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_works(page: str, page_world: World) -> None:
    wrong = [
        f"{block}: {problem}"
        for block in blocks(*LANGUAGES, "yaml")
        if block.page == page
        for problem in problems(block, page_world)
    ]
    assert not wrong, "\n".join(wrong)


def problems(block: Block, world: World) -> Iterator[str]:
    """What is wrong with a block when it is run."""
    if block.language == "yaml":
        if name := _FILE_NAME.match(block.text):
            world.write(name[1], block.text)
        return
    if "partwarden init" in block.text:
        world.leave_to_page("partwarden.yaml")
    world.describe(*(("app", "shop") if re.search(r"\bshop\b", block.text) else ("app",)))
    with world.psql() as execute:
        for scene in scenes(block.page, block.text):
            for statement in statements(scene):
                execute(statement)
        if block.language == "sql":
            yield from _execute(block.text, world, execute)
    if block.language == "sh":
        yield from _run(block.text, world)
    elif block.language == "console":
        for shown in sessions(block.text):
            yield from _run(shown.command, world, shown.output)


def _execute(text: str, world: World, execute: Callable[[str], None]) -> Iterator[str]:
    for statement in statements(text):
        if why_not_executed(statement):
            continue
        try:
            execute(world.here(statement))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong with the page
            yield f"{statement[:100]}: {error}"


def _run(script: str, world: World, output: str | None = None) -> Iterator[str]:
    done = world.shell(script)
    for failure in done.stderr.splitlines():
        code, _, command = failure.partition(" ")
        allowed = ("1", "2") if output is None else ("1", "2", "3")  # what is shown may be an error
        if not (command.startswith("partwarden ") and code in allowed) and not command.startswith("[ "):
            yield f"{command}: exit code {code}: {done.stdout[-1000:]}"
    if "Traceback" in done.stdout:
        yield f"a traceback: {done.stdout}"
    if output is not None and not fits(output, done.stdout):
        yield f"it shows\n{output}\nand what comes is\n{done.stdout}"


def test_every_command_is_understood_by_the_command_line() -> None:
    wrong = []
    for block, command in all_typed():
        if command.program == "partwarden":
            try:
                understand(command.words[1:])
            except CycloptsError as error:
                wrong.append(f"{block}: {command}: {error}")
    assert wrong == []


def test_what_is_only_read_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    missing = []
    for block, command in all_typed():
        match command.words:
            case ("make", target, *_) if target not in targets:
                missing.append(f"{block}: {command}")
            case ("sudo", script, *_) if script.startswith("scripts/") and not (ROOT / script).exists():
                missing.append(f"{block}: {command}")
            case ("pip", "install", package) if "[" in package and package[package.index("[") + 1 : -1] not in extras:
                missing.append(f"{block}: {command}")
    assert missing == []


def test_every_program_is_run_or_known_not_to_be() -> None:
    shell = {"cd", "mv", "[", "python", "echo", "export", "cat", "grep", "source"}
    unknown = {
        f"{block}: {command.program}"
        for block, command in all_typed()
        if command.program not in {"partwarden", *shell, *ELSEWHERE} and why_not_run(command) is None
    }
    assert unknown == set()


def test_commands_in_unit_files_and_crontabs_are_understood() -> None:
    wrong = []
    found = 0
    for block in blocks("", "ini"):
        if block.page == f"docs/{commands_page.NAME}":  # usage, not commands
            continue
        for line in block.text.splitlines():
            called = _CALLED.search(line)
            if called is None or called[1].split()[0] not in set(app):
                continue
            found += 1
            try:
                understand(shlex.split(called[1].split(" #")[0].rstrip(")").replace(") ", " ")))
            except (CycloptsError, ValueError) as error:
                wrong.append(f"{block}: {line}: {error}")
    assert wrong == []
    assert found > 0


def test_commands_in_the_text_and_their_options_exist() -> None:
    options = {
        command.name: {name for each in command.arguments for name in each.names} for command in known_commands()
    }
    wrong = []
    for page, code in inline_code():
        program, *words = code.split()
        if program != "partwarden" or not words or not re.fullmatch(r"[a-z-]+", words[0]) or words[0] in JOBS:
            continue
        words = command_first(words)
        name = _longest_command(words)
        if name is None:
            wrong.append(f"{page}: {code}")
            continue
        known = {"--help", "--version", *options.get(name, set())}
        wrong += [
            f"{page}: {code}: {word}" for word in words if word.startswith("--") and word.split("=")[0] not in known
        ]
    assert wrong == []


def _longest_command(words: list[str]) -> str | None:
    """The command that these words begin with, or the group of commands that they are; None where there is none."""
    reached: App = app
    used = ["partwarden"]
    for word in words:
        if word not in set(reached):
            break
        reached = reached[word]
        used.append(word)
    return None if len(used) == 1 else " ".join(used)


def test_json_can_be_read() -> None:
    for block in blocks("json"):
        for document in [block.text] if block.text.startswith("{\n") else block.text.splitlines():
            json.loads(document)


def test_every_file_of_ours_that_is_shown_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "prod")
    file = tmp_path / "partwarden.yaml"
    shown = 0
    for block in blocks("yaml"):
        said = yaml.safe_load(block.text)
        if said is None:  # a comment for editors
            continue
        said.pop("include", None)
        if "databases" not in said:
            said = {"databases": [said]}  # a part of what is said of a database
        for database in said["databases"]:
            database.setdefault("name", "app")
            database.setdefault("dsn", "service=app")
        file.write_text(yaml.safe_dump(said))
        try:
            read_config(file)
        except BadConfig as error:
            pytest.fail(f"{block}: {error.problem}")
        shown += 1
    assert shown > 5


def test_every_program_in_python_can_be_compiled_and_is_run_by_a_test_or_known_not_to_be() -> None:
    for block in blocks("python"):
        compile(block.text, str(block), "exec")
        test = RUN_ELSEWHERE.get(block.page)
        assert test is not None or block.page in NOT_RUN, block
        assert test is None or Path(block.page).name in (ROOT / test).read_text(), block


def test_output_below_commands_is_compared() -> None:
    pages = {str(page.relative_to(ROOT)): page.read_text() for page in ALL_PAGES}
    below_commands = re.compile(r"^```sh\n(?:(?!```).*\n)*```\n\s*^```\n", re.MULTILINE)
    assert {page for page, text in pages.items() if below_commands.search(text)} == set(NOT_COMPARED)


def test_every_language_of_a_block_is_looked_at() -> None:
    assert languages() <= {*LANGUAGES, "", "ini", "json", "yaml", "python", "xml"}


def test_every_scene_belongs_to_a_block() -> None:
    texts = {(block.page, block.text) for block in blocks(*LANGUAGES)}
    assert [
        scene for scene in SCENES if not any(page == scene.page and scene.before in text for page, text in texts)
    ] == []


def test_positional_words_are_named() -> None:
    assert [each.name for each in known_commands() for argument in each.arguments if not names(argument)] == []
