"""Words that the command line does not know, and the nearest that it does."""

from __future__ import annotations

from collections.abc import Iterable

from cyclopts import App, CycloptsError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from partwarden.errors import BadOption
from partwarden.nearest import nearest


def explained(app: App, mistake: CycloptsError) -> BadOption:
    """What is wrong with the command line, as an error like any other, with the nearest word where there is one."""
    command = " ".join((app.name[0], *(mistake.command_chain or ())))
    lists, takes = f"{command} --help lists them", f"{command} --help says what it takes"
    match mistake:
        case UnknownCommandError(unused_tokens=[word, *_]):
            known = [name for name in mistake.app or app if not name.startswith("-")]
            return BadOption(f"{command} has no command {word}", remedy=_nearest(word, known, f"{command} ") or lists)
        case UnknownOptionError():
            word = (mistake.token.keyword or mistake.token.value).partition("=")[0]
            options = [name for each in mistake.argument_collection if each.parse for name in each.names]
            return BadOption(f"{command} has no option {word}", remedy=_nearest(word, options, "") or lists)
        case UnusedCliTokensError(unused_tokens=[*words]):
            return BadOption(f"{command} takes no more words: {' '.join(words)}", remedy=takes)
        case _:
            mistake.verbose = False
            said, _, meant = str(mistake).strip().partition(" Did you mean ")
            problem = f"{said[:1].lower()}{said[1:]}".removesuffix(".")
            return BadOption(problem, remedy="did you mean " + meant.replace('"', "") if meant else takes)


def _nearest(word: str, known: Iterable[str], before: str) -> str | None:
    near = nearest(word, known)
    return f"did you mean {before}{near}?" if near else None
