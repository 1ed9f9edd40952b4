"""What holds for every command: options, names of databases, streams, errors, exit codes, completion."""

from __future__ import annotations

import inspect
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cyclopts import App

from partwarden import bundle, health
from partwarden.cli import app
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import FLAGS, VALUED, Common, Output, Which
from partwarden.cli.naming import find_database, find_databases
from partwarden.dsn import without_secrets
from partwarden.errors import BadConfig, BadOption, PartwardenError
from partwarden.findings import Report
from tests.commands import partwarden

ROOT = Path(__file__).parents[2]
TAKE_NONE = {("local", "psql"), ("aws", "template"), ("metrics", "rules"), ("metrics", "dashboard"), ("completion",)}
"""What these write is not theirs to shape."""


def commands(of: App = app, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in of:
        if not name.startswith("-"):
            below = list(commands(of[name], (*words, name)))
            yield from below or [(*words, name)]


def options(words: tuple[str, ...]) -> set[str]:
    found = app
    for word in words:
        found = found[word]
    return {name for each in found.assemble_argument_collection() if each.parse for name in each.names}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, without a file that any command would read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PARTWARDEN_CONFIG", raising=False)
    return tmp_path


def describe(place: Path, *names: str) -> Path:
    place.write_text("databases:\n" + "".join(f"  - {{name: {each}, dsn: dbname={each}}}\n" for each in names))
    return place


# Options


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_takes_what_is_common(words: tuple[str, ...]) -> None:
    taken = options(words)
    if words in TAKE_NONE:
        assert not taken & (FLAGS | VALUED)
        return
    assert taken >= FLAGS
    assert not taken & VALUED or taken >= VALUED - {"--timeout"}
    assert "--dsn" not in taken


def test_common_options_are_known_by_their_names() -> None:
    assert {name for name in options(("check",)) if name in FLAGS | VALUED} == FLAGS | VALUED
    assert issubclass(Common, Output)
    assert issubclass(Common, Which)


@pytest.mark.parametrize(
    "said",
    [
        ["--json", "-d", "x=1", "check", "y=2"],
        ["-d", "x=1", "check", "--json", "y=2"],
        ["check", "y=2", "-d=x=1", "--json"],
        ["--database=x=1", "--json", "check", "y=2"],
    ],
    ids=" ".join,
)
def test_common_options_stand_before_the_command_or_behind_it(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def look(targets: list[health.Target], _: health.Question) -> list[Report]:
        asked.append([each.dsn for each in targets])
        return []

    monkeypatch.setattr(health, "check_databases", look)
    answer = partwarden(*said)
    assert asked == [["y=2", "x=1"]]
    assert json.loads(answer.stdout)["reports"] == []


def test_an_option_that_a_command_does_not_take_is_refused_before_it_as_well() -> None:
    answer = partwarden("-d", "x=1", "checks")
    assert (answer.returncode, answer.stdout) == (Exit.FAILED, "")
    assert "partwarden checks has no option -d" in answer.stderr


# Which databases


def test_a_word_is_a_name_in_the_file_else_a_connection_string(here: Path) -> None:
    file = describe(here / "partwarden.yaml", "shop", "app")
    found = find_databases(["app", "host=h dbname=d", "env:SHOP"], [])
    assert [(each.name, each.dsn) for each in found] == [
        ("app", "dbname=app"), (None, "host=h dbname=d"), (None, "env:SHOP"),
    ]  # fmt: skip
    assert [each.name for each in find_databases([], [])] == ["shop", "app"]
    file.unlink()
    assert [each.dsn for each in find_databases([], [])] == [""]


def test_the_file_is_the_one_that_is_named_else_the_variables_else_the_folders(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(here / "partwarden.yaml", "of_folder")
    assert [each.name for each in find_databases([], [])] == ["of_folder"]
    monkeypatch.setenv("PARTWARDEN_CONFIG", str(describe(here / "variable.yaml", "of_variable")))
    assert [each.name for each in find_databases([], [])] == ["of_variable"]
    named = describe(here / "named.yaml", "of_option"), describe(here / "more.yaml", "of_another")
    assert [each.name for each in find_databases([], named)] == ["of_option", "of_another"]
    monkeypatch.setenv("PARTWARDEN_CONFIG", str(here / "gone.yaml"))
    with pytest.raises(BadConfig, match=r"gone\.yaml"):
        find_databases([], [])


def test_a_file_that_is_broken_is_nobodys_business_who_does_not_need_it(here: Path) -> None:
    (here / "partwarden.yaml").write_text("databases: [")
    assert [each.dsn for each in find_databases(["dbname=x"], [])] == ["dbname=x"]
    with pytest.raises(BadConfig):
        find_databases(["x"], [])


def test_one_database_is_not_chosen_among_several(here: Path) -> None:
    file = describe(here / "partwarden.yaml", "shop")
    assert find_database([], [], must_be_named=True).name == "shop"
    describe(file, "shop", "app")
    for words, problem in (([], "2 are in the file: shop, app"), (["app", "dbname=x"], "2 were named: app, a conn")):
        with pytest.raises(BadOption, match=problem) as refused:
            find_database(words, [], must_be_named=False)
        assert "-d" in refused.value.remedy
    file.unlink()
    assert find_database([], [], must_be_named=False).dsn == ""
    assert find_database([""], [], must_be_named=True).dsn == ""
    with pytest.raises(BadOption, match="no database was named"):
        find_database([], [], must_be_named=True)


def test_a_word_that_may_hold_a_password_is_not_repeated(here: Path) -> None:
    describe(here / "partwarden.yaml", "shop")
    answer = partwarden("incidents", "list", "app:s3cr3t@db.example.com/shop")
    assert answer.returncode == Exit.FAILED
    assert "s3cr3t" not in answer.stderr
    assert "libpq" in answer.stderr


@pytest.mark.parametrize(
    "text",
    [
        "host=h password=s3cr3t-w0rd user=u", "password = 's3cr3t-w0rd with \\' quote s3cr3t-w0rd'",
        "postgresql://me:s3cr3t-w0rd@host/db", "postgresql://h/d?password=s3cr3t-w0rd&x=1", "PASSWORD=s3cr3t-w0rd",
        "postgresql://me:s3cr3t-w0rd/@:x@host/db", "sslpassword=s3cr3t-w0rd",
    ],
)  # fmt: skip
def test_no_secret_is_printed(text: str) -> None:
    assert "s3cr3t" not in without_secrets(f"could not connect to {text}: no")
    typo = partwarden("drain", "app.events", text)
    assert typo.returncode == Exit.FAILED
    assert "s3cr3t" not in typo.stdout + typo.stderr


# The nearest


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (("instal", "x"), "partwarden install"), (("local", "strat"), "partwarden local start"),
        (("aws", "flet", "status"), "partwarden aws fleet"), (("install", "dbname=x", "--clustr", "y"), "--cluster"),
        (("explain", "gaps"), "gap"), (("check", "--only", "headrom-low"), "headroom-low"),
        (("check", "shpo"), "shop"), (("drain", "app.a", "-d", "ap"), "app"),
        (("check", "--format", "jsn"), "json"), (("check", "--threshold", "stuk_after=1"), "stuck_after"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_an_unknown_word_is_answered_with_the_nearest(here: Path, said: tuple[str, ...], meant: str) -> None:
    describe(here / "partwarden.yaml", "shop", "app")
    answer = partwarden(*said)
    assert (answer.returncode, answer.stdout) == (Exit.FAILED, "")
    assert answer.stderr.startswith("error: ")
    assert f"did you mean {meant}?" in answer.stderr


# Errors, and what is left with


def test_exit_codes_are_documented_where_they_are_looked_for() -> None:
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text()
    table = page.partition("## Exit codes")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == sorted(
        {int(each) for each in Exit}
    )
    said = " ".join(partwarden("--help").stdout.split())
    assert "0 done, 1 it ran and something is left to do or not well, 2 (check) critical or (plan) something" in said


def test_every_error_says_what_to_do_next() -> None:
    """mypy sees to it that each names a remedy, and that it is no None."""
    kinds = [PartwardenError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        parameters = inspect.signature(kind).parameters
        assert "remedy" not in parameters or parameters["remedy"].default is inspect.Parameter.empty, kind


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (KeyError("x"), Exit.FAILED, "error: this is a bug of partwarden: KeyError: 'x'\nnext:  the same command with --debug"),
        (BadOption("no", remedy="yes"), Exit.FAILED, "error: no\nnext:  yes\n"),
        (PermissionError(13, "Permission denied", "/x"), Exit.FAILED, "error: the system says: Permission denied: /x\nnext:"),
        (psycopg.errors.QueryCanceled("too long"), Exit.FAILED, "error: the server says: too long\nnext:  give it more time"),
        (psycopg.ProgrammingError("in password=s3cr3t"), Exit.FAILED, "error: the server says: in password=…\nnext:"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "interrupted"),
        (BrokenPipeError(), Exit.FAILED, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)  # fmt: skip
def test_whatever_goes_wrong_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException, code: Exit, said: str
) -> None:
    def fail(_: str) -> str:
        raise failure

    monkeypatch.setattr(bundle, "page", fail)
    answer = partwarden("explain", "gap")
    assert (answer.returncode, answer.stdout) == (code, "")
    assert answer.stderr.startswith(said)


def test_a_bug_is_said_in_words_before_a_command_is_understood_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NameError("name 'Path' is not defined")

    monkeypatch.setattr(App, "parse_args", fail)
    answer = partwarden("check")
    assert (answer.returncode, answer.stdout) == (Exit.FAILED, "")
    assert answer.stderr.startswith("error: this is a bug of partwarden: NameError: name 'Path' is not defined\nnext:")


def test_debug_shows_where_it_went_wrong_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> str:
        raise ValueError("postgresql://me:s3cr3t@h/d")

    monkeypatch.setattr(bundle, "page", fail)
    from partwarden.cli import main

    with pytest.raises(SystemExit) as left:
        main(["explain", "gap", "--debug"])
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (Exit.FAILED, "")
    assert "Traceback" in said.err
    assert "in explain" in said.err
    assert "error: this is a bug of partwarden: ValueError: postgresql://me:…@h/d" in said.err
    assert "s3cr3t" not in said.err


# Streams


def in_terminal(*arguments: str, **environment: str) -> str:
    """What a terminal is sent."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "partwarden", *arguments],
        stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )  # fmt: skip
    os.close(slave)
    said = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the terminal is closed
            break
        if not part:
            break
        said += part
    os.close(master)
    assert process.wait(timeout=30) == 0
    return said.decode()


def test_colours_are_for_a_terminal_that_wants_them() -> None:
    assert "\x1b[" in in_terminal("checks")
    assert "\x1b" not in in_terminal("checks", "--no-color")
    assert "\x1b" not in in_terminal("checks", NO_COLOR="1")


def test_what_is_no_letter_in_a_terminal_is_no_error(here: Path) -> None:
    """Neither as a result nor in an error."""
    describe(here / "partwarden.yaml", "ünï")
    program = [sys.executable, "-m", "partwarden"]
    latin = {**os.environ, "PYTHONIOENCODING": "ascii"}
    listed = subprocess.run([*program, "validate", "--json"], capture_output=True, env=latin, cwd=here)
    assert (listed.returncode, json.loads(listed.stdout)["databases"][0]["name"]) == (0, "ünï")
    refused = subprocess.run([*program, "drain", "a.b", "-d", "ünü"], capture_output=True, env=latin, cwd=here)
    assert (refused.returncode, b"Traceback" in refused.stderr) == (3, False)
    assert rb"did you mean \xfcn\xef?" in refused.stderr


def test_every_result_can_be_had_as_json(here: Path) -> None:
    """Of what needs neither a server nor AWS; with the others it stands in their own tests."""
    describe(here / "partwarden.yaml", "shop")
    home = {"PARTWARDEN_HOME": str(here / "nothing")}
    for said, key in (
        (("checks",), "checks"), (("explain", "gap"), "page"), (("validate",), "databases"), (("local", "status"), "home"),
        (("local", "stop"), "stopped"), (("local", "destroy", "--yes"), "removed"),
    ):  # fmt: skip
        document = json.loads(partwarden(*said, "--json", env=home).stdout)
        assert isinstance(document, dict)
        assert key in document


# Completion


def completed(script: Path, folder: Path, *words: str) -> list[str]:
    """What a bash would offer for the last word."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    program = bin_folder / "partwarden"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m partwarden "$@"\n')
    program.chmod(0o755)
    ask = (
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; '
        'f=$(complete -p partwarden); f=${f#*-F }; ${f%% *}; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    answer = subprocess.run(
        ["bash", "-c", ask, str(script), "partwarden", *words],
        capture_output=True, text=True, cwd=folder, timeout=60,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert answer.stderr == ""
    return answer.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_and_the_names_in_the_file(here: Path) -> None:
    script = here / "completion.bash"
    script.write_text(partwarden("completion", "bash").stdout)
    describe(here / "partwarden.yaml", "shop", "app")
    assert {"check", "plan", "drain", "aws"} <= set(completed(script, here, ""))
    assert completed(script, here, "local", "st") == ["start", "stop", "status"]
    assert completed(script, here, "check", "--fo") == ["--format"]
    assert completed(script, here, "check", "--format", "js") == ["json", "jsonl"]
    assert completed(script, here, "drain", "app.events", "-d", "") == ["shop", "app"]
    assert completed(script, here, "explain", "ga") == ["gap"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_can_read_theirs(here: Path, shell: str) -> None:
    script = here / shell
    script.write_text(partwarden("completion", shell).stdout)
    assert "partwarden" in script.read_text()
    if shutil.which(shell) is not None:
        read = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=60)
        assert (read.returncode, read.stderr) == (0, "")
