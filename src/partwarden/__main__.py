"""``python -m partwarden``: the command line."""

from partwarden.cli import main

main()
