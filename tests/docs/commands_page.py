"""The page docs/reference/commands.md: every command with its arguments and options, as the command line knows them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cyclopts import App, Group
from cyclopts.argument import Argument

from partwarden.cli import app

NAME = "reference/commands.md"

_HEAD = """\
# Commands

Every command with all that it takes. `partwarden COMMAND --help` says the same. What holds for all of them, and what they leave
with, is told under [the command line](command-line.md).

Written from the program; a test fails when this page says otherwise.
"""
_COMMON = "Common options"
_SIGN = re.compile(r"([*<\[\]`])")
_PAGE = re.compile(r"\bdocs/([\w/-]+\.md)")


@dataclass(frozen=True)
class Command:
    """A command as it is typed, and what it takes."""

    name: str
    app: App
    arguments: tuple[Argument, ...]


def commands(of: App = app, before: str = "partwarden") -> Iterator[Command]:
    """Every command, groups of commands left out, in the order of the help."""
    for name in of:
        if name.startswith("-"):
            continue
        typed = f"{before} {name}"
        below = list(commands(of[name], typed))
        if below:
            yield from below
        else:
            shown = tuple(each for each in of[name].assemble_argument_collection() if each.show)
            yield Command(typed, of[name], shown)


def page() -> str:
    """The whole page."""
    listed = list(commands())
    parts = [_HEAD]
    common = {each.name: each for command in listed for each in command.arguments if is_common(each)}
    if common:
        parts.append("## Options of every command\n\nWhere they have a meaning.\n\n" + _table(list(common.values())))
    parts += [_section(command) for command in listed]
    return "\n".join(parts)


def is_common(argument: Argument) -> bool:
    """Whether it is one of those that go with every command, and are described once."""
    groups = argument.parameter.group
    return isinstance(groups, tuple) and any(isinstance(each, Group) and each.name == _COMMON for each in groups)


def names(argument: Argument) -> tuple[str, ...]:
    """How it is written: an option's names, or the word that stands for a positional argument."""
    if _is_positional(argument):
        return (argument.name.lstrip("-").upper().replace("-", "_"),)
    return tuple(sorted(argument.positives, key=len, reverse=True))


def _section(command: Command) -> str:
    own = [each for each in command.arguments if not is_common(each)]
    usage = " ".join([command.name, *(_usage(each) for each in own if _is_positional(each))])
    options = [each for each in own if not _is_positional(each)]
    usage += " [OPTIONS]" if options or len(own) < len(command.arguments) else ""
    parts = [f"## {command.name}\n", f"```\n{usage}\n```\n", _text(command.app.help) + "\n"]
    if own:
        parts.append(_table(own))
    taken = [f"`{names(each)[0]}`" for each in command.arguments if is_common(each)]
    if taken:
        parts.append(f"And {', '.join(taken)}.\n")
    return "\n".join(parts)


def _usage(argument: Argument) -> str:
    word = names(argument)[0] + ("…" if argument.is_var_positional() else "")
    return word if argument.required else f"[{word}]"


def _table(arguments: list[Argument]) -> str:
    rows = (
        f"| {_names_cell(each)} | {_cell(_text(each.parameter.help))}{_choices(each)} | {_default(each)} |\n"
        for each in arguments
    )
    return "| | | default |\n| --- | --- | --- |\n" + "".join(rows)


def _names_cell(argument: Argument) -> str:
    written = ", ".join(f"`{name}`" for name in names(argument))
    value = "" if _is_positional(argument) or argument.is_flag() else f" `{_value(argument)}`"
    return written + value


def _value(argument: Argument) -> str:
    """The word for an option's value: what the command says, else what its type is."""
    if argument.parameter.metavar:
        return str(argument.parameter.metavar)
    hint = str(argument.hint)
    for part, word in (("Path", "FILE"), ("int", "N"), ("float", "SECONDS")):
        if part in hint:
            return word
    return argument.name.lstrip("-").upper().replace("-", "_")


def _choices(argument: Argument) -> str:
    found = argument.get_choices()
    return f" One of {', '.join(f'`{choice}`' for choice in found)}." if found else ""


def _default(argument: Argument) -> str:
    if argument.required:
        return "needed"
    default = argument.field_info.default
    if isinstance(default, Enum):
        return f"`{default.value}`"
    if default is inspect.Parameter.empty or default in (None, False, "", ()):
        return ""
    return f"`{default}`"


def _is_positional(argument: Argument) -> bool:
    return argument.index is not None


def _text(help_text: object) -> str:
    """What the help says, as Markdown: signs that mean something there are escaped, pages become links."""
    return _PAGE.sub(r"[docs/\1](../\1)", _SIGN.sub(r"\\\1", inspect.cleandoc(str(help_text or ""))))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
