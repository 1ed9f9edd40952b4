"""Commands as they are typed into a shell: taken apart, and what becomes of each when the documentation is tried."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from partwarden.cli import app
from partwarden.cli.program import _command_first

_ASSIGNMENT = re.compile(r"^\w+=")
_SEPARATORS = {";", "&&", "||", "|", "&", "(", ")", ";;"}
_REDIRECTIONS = {">", ">>", "<", "2>", ">&"}

ELSEWHERE = {
    "pip": "installs packages",
    "make": "sets up and tests this very project",
    "sudo": "changes the machine",
    "aws": "the AWS CLI is not here",
    "sam": "the SAM CLI is in an environment of its own",
    "ministack": "runs until it is stopped",
    "jq": "may not be here",
    ".venv/bin/python": "benchmarks take minutes to hours",
    ".venv/bin/pytest": "the tests would run the tests",
}
"""Programs that no test runs for the documentation, and why."""

_NOT_RUN = (
    (("aws",), "needs an account of AWS"),
    (("demo",), "has a test of its own, tests/e2e"),
    (("test-alert",), "would tell somebody; it has tests of its own"),
    (("local",), "would touch the embedded stack of this machine; it has tests of its own"),
)
_RUN_ALL_THE_SAME = (("aws", "template"),)
_CLOUD_LOGINS = ("iam:", "aws-secret:")


@dataclass(frozen=True)
class Typed:
    """One command: a program and its arguments, as the program gets them."""

    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """The first word."""
        return self.words[0]

    def __str__(self) -> str:
        """As it could be typed."""
        return shlex.join(self.words)


def commands(text: str) -> list[Typed]:
    """The commands of a shell script, in order, without assignments and redirections. Raises ValueError where it is none."""
    found = []
    for line in _logical_lines(text):
        words: list[str] = []
        tokens = iter([*_tokens(line), ";"])
        for token in tokens:
            if token in _SEPARATORS:
                if words:
                    found.append(Typed(tuple(words)))
                words = []
            elif token in _REDIRECTIONS:
                next(tokens)
            elif words or not _ASSIGNMENT.match(token):
                words.append(token)
    return found


def understand(arguments: Sequence[str]) -> None:
    """Have the command line read arguments of ``partwarden``, and do nothing. Raises CycloptsError where it can't."""
    app.parse_args(_command_first(app, arguments), print_error=False, exit_on_error=False)


def command_first(arguments: Sequence[str]) -> list[str]:
    """The same arguments with options that stand before the command behind it."""
    return _command_first(app, arguments)


_GO_ON = (("serve",), ("agent",))


def why_not_run(command: Typed) -> str | None:
    """Why this command is only read; None where it can be run."""
    if command.program != "partwarden":
        return ELSEWHERE.get(command.program)
    arguments = tuple(command_first(command.words[1:]))
    if any(arguments[: len(words)] == words for words in _RUN_ALL_THE_SAME):
        return None
    for words, reason in _NOT_RUN:
        if arguments[: len(words)] == words:
            return reason
    if any(word.startswith(_CLOUD_LOGINS) for word in arguments):
        return "logs in through AWS"
    if "--watch" in arguments or (arguments[:1] in _GO_ON and "--once" not in arguments):
        return "goes on until Ctrl-C"
    return None


def _logical_lines(text: str) -> Iterator[str]:
    """Lines, with those that are continued put together."""
    pending = ""
    for line in text.splitlines():
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        try:
            _tokens(pending)
        except ValueError:  # a quotation goes on
            pending += "\n"
            continue
        yield pending
        pending = ""
    if pending:
        raise ValueError(f"this does not end: {pending!r}")


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.wordchars += "=$,:@%{}[]…+!"
    lexer.commenters = "#"
    return list(lexer)
