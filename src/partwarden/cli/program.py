"""One run of the program: options in their place, the command, its exit code, and what is said when it goes wrong."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper

import psycopg
from cyclopts import App, CycloptsError
from rich.console import Console

from partwarden.cli.exits import Exit
from partwarden.cli.grammar import FLAGS, OUTPUT, VALUED, Output, console
from partwarden.cli.mistakes import explained
from partwarden.database import advice_of
from partwarden.dsn import without_secrets
from partwarden.errors import PartwardenError


def run(app: App, arguments: Sequence[str]) -> int:
    """Do what the arguments say. Returns the exit code; whatever happens, a person reads no traceback unasked."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may hold what a terminal has no letter for
    # Asked before anything is understood: what goes wrong then is to be said in the same way.
    is_plain, is_debugged = "--no-color" in arguments, "--debug" in arguments
    errors = console(stderr=True, plain=is_plain)
    output = OUTPUT
    try:
        command, bound, _ = app.parse_args(
            _command_first(app, arguments),
            console=console(plain=is_plain, wrap=True),
            print_error=False,
            exit_on_error=False,
        )
        output = next((value for value in bound.arguments.values() if isinstance(value, Output)), OUTPUT)
        with _log(output):
            result = command(*bound.args, **bound.kwargs)
            sys.stdout.flush()
    except KeyboardInterrupt:
        output.messages.print("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # who was reading has read enough
        _give_up_output()
        return Exit.FAILED
    except Exception as failure:  # noqa: BLE001 - the last place where it can be said in words
        _give_up_output()
        if is_debugged:
            errors.print(without_secrets(traceback.format_exc()), markup=False, end="")
        return _say(errors, explained(app, failure) if isinstance(failure, CycloptsError) else _in_words(failure))
    return result if isinstance(result, int) else Exit.DONE


def _command_first(app: App, arguments: Sequence[str]) -> list[str]:
    """The arguments with common options that stand before the command behind it, where it takes them."""
    ahead: list[str] = []
    rest = list(arguments)
    while rest:
        name, has_value, _ = rest[0].partition("=")
        if name not in FLAGS | VALUED:
            break
        size = 2 if name in VALUED and not has_value else 1
        ahead += rest[:size]
        rest = rest[size:]
    words = app.parse_commands(rest)[0] if ahead else ()
    return [*rest[: len(words)], *ahead, *rest[len(words) :]]


def _give_up_output() -> None:
    """What can't be written would be tried once more when the interpreter ends, which then complains in its own way."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _in_words(failure: Exception) -> PartwardenError:
    match failure:
        case PartwardenError():
            return failure
        case psycopg.Error():
            return PartwardenError(f"the server says: {str(failure).strip()}", remedy=advice_of(failure))
        case OSError(strerror=str()):
            where = "" if failure.filename is None else f": {failure.filename}"
            return PartwardenError(
                f"the system says: {failure.strerror}{where}",
                remedy="the same command with --debug shows what was tried",
            )
        case _:
            return PartwardenError(
                f"this is a bug of partwarden: {type(failure).__name__}: {failure}",
                remedy="the same command with --debug shows where; please report it with that",
            )


def _say(errors: Console, failure: PartwardenError) -> int:
    for style, label, text in (("bold red", "error:", failure.problem), ("bold", "next: ", failure.remedy)):
        if text:
            errors.print(f"[{style}]{label}[/] ", end="")
            errors.print(without_secrets(text), markup=False)
    return Exit.FAILED


@contextmanager
def _log(output: Output) -> Iterator[None]:
    """What the modules note of their work goes to the messages, where ``--verbose`` asks for it."""
    # What psycopg says of a connection that Ctrl-C has ended is nobody's concern.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    logger = logging.getLogger("partwarden")
    handler = _Notes(output.messages.print)
    if output.verbose:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Notes(logging.Handler):
    """Prints each note as a line."""

    def __init__(self, write: Callable[..., None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        self._write(without_secrets(record.getMessage()), style="dim", markup=False)
