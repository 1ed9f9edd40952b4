"""The command that has a shell complete the others, and what is completed that only runs can know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from cyclopts import App


_ZSH_EITHER_WAY = """
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then  # found in fpath by its name
  _partwarden "$@"
else  # sourced
  compdef _partwarden partwarden
fi
"""


def script_for(app: App) -> Any:
    """The command ``completion`` for this program."""

    def completion(
        shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="Which shell it is for.")], /
    ) -> None:
        """Print the script that has a shell complete commands, options, and names of databases.

        bash: put it into ~/.local/share/bash-completion/completions/partwarden; zsh: into _partwarden in a folder of fpath;
        fish: into ~/.config/fish/completions/partwarden.fish.
        """
        script = app.generate_completion(shell=shell)
        if shell == "zsh":
            script = script.replace("_cyclopts_partwarden", "_partwarden") + _ZSH_EITHER_WAY
        sys.stdout.write(script)

    return completion


def databases(context: Any) -> list[str]:
    """The names of the databases in the file, as far as it can be read."""
    from partwarden.cli.naming import read_file

    named = context.get("--config")
    config = read_file(tuple(map(Path, named.raw_tokens)) if named is not None else ())
    return [each.name for each in config.databases] if config is not None else []


def checks(_: Any) -> dict[str, str]:
    """The checks, and what each finds."""
    from partwarden import bundle

    return {each.id: each.why for each in bundle.checks()}
