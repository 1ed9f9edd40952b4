"""Keeps interval-partitioned PostgreSQL tables maintained, and makes sure that a human hears of it when they are not.

What a program may use is here: ``check``, ``plan`` and ``drain``, as the command line uses them, with what they take. Each is
imported when it is asked for.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["Drain", "PartwardenError", "Question", "check", "drain", "plan", "read_config"]

if TYPE_CHECKING:
    from partwarden.config import read_config
    from partwarden.draining import Drain, drain
    from partwarden.errors import PartwardenError
    from partwarden.health import Question
    from partwarden.health import check_database as check
    from partwarden.planning.plan import plan
else:
    _HOMES = {
        "Drain": "partwarden.draining:Drain",
        "PartwardenError": "partwarden.errors:PartwardenError",
        "Question": "partwarden.health:Question",
        "check": "partwarden.health:check_database",
        "drain": "partwarden.draining:drain",
        "plan": "partwarden.planning.plan:plan",
        "read_config": "partwarden.config:read_config",
    }

    def __getattr__(name):
        from importlib import import_module

        home, _, within = _HOMES.get(name, "").partition(":")
        if not home:
            raise AttributeError(f"module 'partwarden' has no attribute {name!r}")
        return getattr(import_module(home), within)

    def __dir__():
        return sorted({*globals(), *__all__})
