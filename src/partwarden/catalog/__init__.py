"""What is there: partition sets, pg_partman 4 and 5 behind one face, tables, and the terms that both speak in."""

from partwarden.catalog.partman import ManagedSet, Partman, managed_sets, one_below, read_partman
from partwarden.catalog.tables import Table, read_tables
from partwarden.catalog.terms import LENGTHS, TERMS, Term, fate_of_old

__all__ = [
    "LENGTHS",
    "TERMS",
    "ManagedSet",
    "Partman",
    "Table",
    "Term",
    "fate_of_old",
    "managed_sets",
    "one_below",
    "read_partman",
    "read_tables",
]
