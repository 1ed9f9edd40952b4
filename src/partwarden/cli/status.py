"""The command that shows how each partition set stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from cyclopts import Parameter

from partwarden.cli import completion
from partwarden.cli.exits import Exit
from partwarden.cli.grammar import COMMON, Common
from partwarden.cli.naming import Named
from partwarden.dsn import label
from partwarden.errors import PartwardenError
from partwarden.report.status import as_document, print_status
from partwarden.status import SetStatus, look

_SECONDS = 60
"""How long one database may take, unless --timeout says it."""


def status(
    *databases: Annotated[
        str,
        Parameter(name="DATABASE", completer=completion.databases, help="Which databases, as for partwarden check."),
    ],
    common: Common = COMMON,
) -> int:
    """Show each partition set on a line: its partitions around this moment, when they run out, what lies in the default.

    The worst come first. Sub-sets count with the set that they are a part of. Only the catalog is read, and nothing has to
    be installed; partwarden check looks closer. Exit code: 0 all is well, 1 something is wrong with a set, 3 a database
    could not be looked at.
    """
    named = common.databases(*databases)

    def ask(each: Named) -> tuple[SetStatus, ...] | PartwardenError:
        try:
            return look(each.dsn, timeout=common.timeout or _SECONDS)
        except PartwardenError as failure:
            return failure

    with common.waiting("looking at the partition sets"), ThreadPoolExecutor(min(len(named), 8)) as pool:
        answers = list(zip([each.name or label(each.dsn) for each in named], pool.map(ask, named), strict=True))
    for number, (name, answer) in enumerate(answers):
        if len(answers) > 1:
            common.out.print(("\n" if number else "") + name, style="bold", markup=False)
        if isinstance(answer, PartwardenError):
            common.messages.print(f"could not be looked at: {answer.problem}\nnext:  {answer.remedy}", markup=False)
        else:
            print_status(common.table, answer)
    common.answer({"databases": [_document(name, answer) for name, answer in answers]})
    if any(isinstance(answer, PartwardenError) for _, answer in answers):
        return Exit.FAILED
    found = [each.severity for _, answer in answers if not isinstance(answer, PartwardenError) for each in answer]
    return Exit.LEFT if any(found) else Exit.DONE


def _document(name: str, answer: tuple[SetStatus, ...] | PartwardenError) -> dict[str, object]:
    if isinstance(answer, PartwardenError):
        return {"database": name, "error": answer.problem, "remedy": answer.remedy, "sets": []}
    return {"database": name, "error": None, "remedy": None, "sets": as_document(answer)}
