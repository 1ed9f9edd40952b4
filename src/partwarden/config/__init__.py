"""``partwarden.yaml``: what should be there, read from one or several files, typed and validated."""

from partwarden.config.models import Channel, Config, Database, Maintenance, Monitor, Silence
from partwarden.config.names import QualifiedName, qualified_name
from partwarden.config.problems import BadFile, Problem
from partwarden.config.reading import read_config
from partwarden.config.said import Source
from partwarden.config.sets import PartitionSet, Retention, SubPartition

__all__ = [
    "BadFile",
    "Channel",
    "Config",
    "Database",
    "Maintenance",
    "Monitor",
    "PartitionSet",
    "Problem",
    "QualifiedName",
    "Retention",
    "Silence",
    "Source",
    "SubPartition",
    "qualified_name",
    "read_config",
]
