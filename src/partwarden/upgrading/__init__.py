"""Moving a database from one version of pg_partman to another: what breaks or changes, and what mends it."""

from partwarden.upgrading.concern import Concern, Severity, Step, Upgrade
from partwarden.upgrading.look import look

__all__ = ["Concern", "Severity", "Step", "Upgrade", "look"]
