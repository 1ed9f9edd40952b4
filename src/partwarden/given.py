"""What the checks can't read for themselves, gathered from outside: thresholds, pg_cron's jobs and runs, and what
partwarden remembers where it is installed. Inside the database ``partwarden.given()`` does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from partwarden import bundle
from partwarden.database import Connection, Server, connect_read_only, inspect, problem_of, quoted, setting
from partwarden.errors import PartwardenError

# The columns of partwarden.setting that checks read, with the defaults of the table.
DEFAULT_THRESHOLDS: Mapping[str, str | int | bool | None] = {
    "maintenance_stale_after": "26 hours",
    "headroom_grace": "2 hours",
    "headroom": None,
    "id_headroom": "1 day",
    "overdue_grace": "5 minutes",
    "stuck_after": "2 hours",
    "blocked_after": "5 minutes",
    "deliver_within": "15 minutes",
    "monitor_within": "10 minutes",
    "leftovers_after": "30 days",
    "run_log_rows": 1_000_000,
    "require_default": False,
    "count_rows": False,
}

# What of pg_cron's facts takes which privilege to see.
_SEEN_WITH: Mapping[str, Sequence[str]] = {
    "sees_settings": ("preloaded", "launch_active_jobs", "log_run", "timezone"),
    "sees_activity": ("launcher_pid",),
}


def gather(
    connection: Connection, dsn: str, server: Server, thresholds: Mapping[str, str | int | bool], *, timeout: float
) -> dict[str, Any]:
    """All of it, as the relation ``given`` has it; ``thresholds`` take precedence over the table's and the defaults."""
    given = _remembered(connection)
    given |= _cron(connection, dsn, server, given, timeout=timeout)
    given["setting"] = {**DEFAULT_THRESHOLDS, **given.get("setting", {}), **thresholds}
    return given


def _remembered(connection: Connection) -> dict[str, Any]:
    row = connection.execute(
        """
        select has_schema_privilege(pronamespace, 'usage') and has_function_privilege(pg_proc.oid, 'execute')
        from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
        where nspname = 'partwarden' and proname = 'given'
        """
    ).fetchone()
    if row is None:
        return {}
    if row == (True,):
        found = connection.execute("select partwarden.given()").fetchone()
        assert found is not None
        return dict(found[0])
    role = quoted(connection.info.user)
    return {"monitor_reason": f"role {role} may not ask partwarden: partwarden install --reader {role}"}


def _cron(
    connection: Connection, dsn: str, server: Server, remembered: Mapping[str, Any], *, timeout: float
) -> dict[str, Any]:
    """What pg_cron has, from the database that it lives in: this one, the one that the server names, or postgres."""
    if server.has("pg_cron"):
        return _cron_facts(connection, remembered)
    for database in dict.fromkeys((setting(connection, "cron.database_name") or "postgres", "postgres")):
        if database == server.database:
            continue
        try:
            with connect_read_only(dsn, timeout=timeout, database=database, cut_after=timeout) as cron:
                if inspect(cron).has("pg_cron"):
                    return _cron_facts(cron, _remembered(cron))
        except (PartwardenError, psycopg.Error) as failure:
            problem = problem_of(failure).splitlines()[0]
            return {"cron_reason": f"could not look at pg_cron in database {database}: {problem}"}
    return {}


def _cron_facts(connection: Connection, remembered: Mapping[str, Any]) -> dict[str, Any]:
    """What this role sees itself and what the reader shows it: of each part, whoever sees more."""
    shown = {name: remembered[name] for name in ("cron", "cron_job", "cron_run") if "cron" in remembered}
    allowed = connection.execute("select has_schema_privilege('cron', 'usage')").fetchone()
    if allowed != (True,):
        role = quoted(connection.info.user)
        return shown or {
            "cron_reason": f"role {role} may not look into schema cron: grant usage on schema cron to {role};"
        }
    own: dict[str, Any] = {}
    for name, source in (("cron", "cron_server"), ("cron_job", "cron_job"), ("cron_run", "cron_run")):
        row = connection.execute(bundle.source(source)).fetchone()
        assert row is not None
        own[name] = row[0]
    if not shown:
        return own
    cron = dict(own["cron"])
    for sees, names in _SEEN_WITH.items():
        if shown["cron"][sees] and not cron[sees]:
            cron |= {name: shown["cron"][name] for name in (sees, *names)}
    if cron["hidden"] and (not shown["cron"]["hidden"] or len(shown["cron_job"]) > len(own["cron_job"])):
        return {**shown, "cron": {**cron, "hidden": shown["cron"]["hidden"]}}
    # The monitor remembers since when a job has its schedule; the newest runs are seen here.
    runs = {run["jobid"]: run for run in shown["cron_run"]}
    runs |= {run["jobid"]: {**runs.get(run["jobid"], {}), **run} for run in own["cron_run"]}
    return {"cron": cron, "cron_job": own["cron_job"], "cron_run": list(runs.values())}
