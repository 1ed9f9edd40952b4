"""The first ``partwarden.yaml``, written from what a database has: planning from it changes nothing."""

from partwarden.initial.file import InitialFile, initial_file

__all__ = ["InitialFile", "initial_file"]
