"""Everything that we know to go wrong, each caused for real, and what has to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg
import pytest

from partwarden.converting import Wish, convert
from partwarden.draining import Drain, Method, Step, drain
from partwarden.errors import DrainRefused, LockNotAcquired
from tests.faults.world import MAINTENANCE, Act, Fault, World, article_sees, far_from_now
from tests.partition_sets import create_parent, put_row_in_the_way, switch_repair_off
from tests.servers import MAJORS
from tests.waiting import wait_until

FAULTS: list[Fault] = []


def fault(
    name: str,
    *expected: str,
    on: Iterable[int] = MAJORS,
    also: Mapping[int, Iterable[str]] | None = None,
    ran: Act | None = None,
    **arguments: Any,
) -> Callable[[Act], Act]:
    """Put a fault into the catalogue; the function causes it after the job has run, or, with ``before``, before.

    ``also`` adds what is to be found on some servers only.
    """

    def put(act: Act) -> Act:
        before = arguments.pop("before", False)
        FAULTS.append(
            Fault(
                name,
                {major: frozenset({*expected, *(also or {}).get(major, ())}) for major in on},
                before=act if before else None,
                after=ran if before else act,
                runs=arguments.pop("runs", before or "command" in arguments),
                **arguments,
            )
        )
        return act

    return put


# Runs of the job that go wrong.


@fault(
    "a row in the default partition where the next one has to go",
    "default-blocks-maintenance",
    "default-not-empty",
    also={15: ["job-failed"], 17: ["job-failed"], 18: ["maintenance-stale"]},
    before=True,
)
def _(world: World) -> None:
    put_row_in_the_way(world.owner, "app.a")
    world.starve()


@fault(
    "the same, maintained by partwarden.maintain(), which may not move it",
    *("default-blocks-maintenance", "default-not-empty", "job-failed", "maintenance-stale"),
    before=True,
    with_partwarden=True,
    command="call partwarden.maintain()",
)
def _(world: World) -> None:
    switch_repair_off(world.owner)
    put_row_in_the_way(world.owner, "app.a")
    world.starve()


@fault("the job's role may no longer use pg_partman", "job-failed", before=True)
def _(world: World) -> None:
    world.admin.execute("revoke all on schema partman from app_owner")


@fault(
    "the job's role does not own a set any more",
    "child-drift",
    also={15: ["job-failed"], 17: ["job-failed"], 18: ["maintenance-stale"]},
    before=True,
)
def _(world: World) -> None:
    world.admin.execute("alter table app.a owner to postgres")
    world.starve()


@fault("the job SELECTs a procedure", "job-failed", "job-wrong-target", command="select partman.run_maintenance_proc()")
def _(world: World) -> None:
    pass


@fault("the job CALLs a function", "job-failed", "job-wrong-target", command="call partman.run_maintenance()")
def _(world: World) -> None:
    pass


@fault(
    "the job names a schema without pg_partman",
    "job-failed",
    "job-wrong-target",
    command="call public.run_maintenance_proc()",
)
def _(world: World) -> None:
    pass


@fault("the job's database has been dropped", "job-wrong-target", also={15: ["job-missing"]}, before=True)
def _(world: World) -> None:
    world.job("database = 'dropped_long_ago'")


@fault("the job's role may not connect to the database", "job-wrong-target", before=True)
def _(world: World) -> None:
    world.admin.execute(f"revoke connect on database {world.database.name} from public, app_owner")
    world.admin.execute("do $$ begin create role left_out login; exception when duplicate_object then null; end $$")
    world.job("username = 'left_out'")


@fault("pg_partman has been dropped from the job's database", "job-wrong-target")
def _(world: World) -> None:
    world.admin.execute("drop extension pg_partman cascade")


@fault(
    "somebody holds pg_partman's lock while the job runs: it succeeds with nothing done",
    "job-noop",
    on=(17, 18),
    before=True,
    ran=lambda world: release_maintenance_lock(world),  # noqa: PLW0108 - it is defined below
)
def _(world: World) -> None:
    hold_maintenance_lock(world)


@fault("an idle session holds pg_partman's lock", "lock-leaked")
def _(world: World) -> None:
    session = hold_maintenance_lock(world)
    make_idle(world, session)


@fault(
    "a maintenance that failed has left pg_partman's lock behind",
    *("lock-leaked", "default-blocks-maintenance", "default-not-empty"),
    on=(15, 17),
)
def _(world: World) -> None:
    put_row_in_the_way(world.owner, "app.a")
    world.starve()
    session = world.another_session()
    try:
        session.execute(MAINTENANCE)
    except psycopg.Error:
        make_idle(world, session)
    else:
        raise AssertionError("maintenance did not fail")


# Jobs that don't run.


@fault("the job has been switched off", "job-inactive")
def _(world: World) -> None:
    world.job("active = false")


@fault(
    "the job has been removed, and maintenance is long ago",
    "job-missing",
    also={17: ["maintenance-stale"], 18: ["maintenance-stale"]},
)
def _(world: World) -> None:
    world.cron.execute("select cron.unschedule(%s::bigint)", (world.jobid,))
    for name in ("app.a", "app.b"):
        world.forget_maintenance(name)


@fault("an hourly job was not started for three hours", "job-overdue", runs=True)
def _(world: World) -> None:
    world.job("schedule = '0 * * * *'")
    world.rewrite_run(
        "start_time = date_trunc('hour', now()) - interval '3 hours', end_time = now() - interval '3 hours'"
    )


@fault("a job that is due every minute was not started for an hour", "job-overdue", runs=True)
def _(world: World) -> None:
    world.job("schedule = '* * * * *', active = true")
    world.rewrite_run("start_time = now() - interval '1 hour', end_time = now() - interval '59 minutes'")


@fault(
    "a run takes five hours",
    "job-stuck",
    on=(17, 18),  # with background workers, pg_cron 1.4 itself hangs for as long as one job runs
    before=True,
    command="select pg_sleep(600) /* run_maintenance_proc */",
    ran=lambda world: world.rewrite_run("start_time = now() - interval '5 hours'"),
)
def _(world: World) -> None:
    pass


@fault("a run is on record as running, and its process is gone", "job-stuck", runs=True)
def _(world: World) -> None:
    world.rewrite_run(
        "status = 'running', start_time = now() - interval '10 minutes', end_time = null, job_pid = 4194303"
    )


@fault("a run has been connecting for ever", "job-stuck")
def _(world: World) -> None:
    world.cron.execute(
        "insert into cron.job_run_details (jobid, database, username, command, status) "
        "values (%s, %s, 'app_owner', %s, 'connecting')",
        (world.jobid, world.database.name, MAINTENANCE),
    )
    # Ten minutes later another job has run.
    world.cron.execute(
        "insert into cron.job_run_details (jobid, database, username, command, status, start_time, end_time) "
        "values (-1, 'postgres', 'postgres', 'select 1', 'succeeded', now() - interval '5 minutes', now())"
    )


@fault("the schedule never comes: sat-sun", "job-never-fires")
def _(world: World) -> None:
    world.job("schedule = '0 0 * * sat-sun'")


@fault("the schedule never comes: February 30", "job-never-fires")
def _(world: World) -> None:
    world.job("schedule = '0 0 30 2 *'")


@fault("two jobs maintain the same database", "job-duplicate")
def _(world: World) -> None:
    world.cron.execute(
        "select cron.schedule_in_database('a second one', %s, %s, %s)",
        (far_from_now(), MAINTENANCE, world.database.name),
    )


@fault("the monitor has not looked for an hour", "monitor-overdue", with_partwarden=True)
def _(world: World) -> None:
    world.owner.execute("call partwarden.monitor()")
    world.owner.execute(
        "update partwarden.monitor_state set last_started_at = now() - interval '1 hour', "
        "last_finished_at = now() - interval '1 hour'"
    )


@fault("somebody changes what the file was applied to", "config-drift", with_partwarden=True)
def _(world: World) -> None:
    world.owner.execute(
        "insert into partwarden.wanted_set (parent_table, config) "
        "select parent_table, jsonb_build_object('premake', premake) from partman.part_config where parent_table = 'app.a'"
    )
    world.configure("premake = premake - 1")


@fault("the monitor was installed and never scheduled", "monitor-overdue", with_partwarden=True)
def _(world: World) -> None:
    world.owner.execute("update partwarden.installation set installed_at = now() - interval '1 hour'")


@fault("mails can't be delivered", "delivery-failing", "default-not-empty", with_partwarden=True)
def _(world: World) -> None:
    world.owner.execute("insert into app.a values (1, now() - interval '1 year')")
    try:
        world.owner.execute(
            "call partwarden.monitor('arn:aws:lambda:eu-central-1:123456789012:function:none', 'arn:none')"
        )
    except psycopg.Error:
        world.owner.execute("update partwarden.notification set created_at = now() - interval '1 hour'")
    else:
        raise AssertionError("a function that does not exist was invoked")


@fault("a channel of the agent's does not take what it is told", "delivery-failing", with_partwarden=True)
def _(world: World) -> None:
    world.owner.execute("update partwarden.setting set delivered_by = 'agent'")
    world.owner.execute(
        "insert into partwarden.notification (created_at, subject, message, payload, next_attempt_at, routed_at) "
        "values (now() - interval '1 hour', 's', 'm', '{}', now(), now())"
    )
    world.owner.execute(
        "insert into partwarden.delivery (notification_number, channel, incidents, attempts, next_attempt_at, last_error) "
        "values (1, 'chat', '{}', 9, now() + interval '15 minutes', 'Slack answered 404')"
    )


# Sets.


@fault("rows of last year in the default partition", "default-not-empty")
def _(world: World) -> None:
    world.owner.execute("insert into app.a select n, now() - interval '1 year' from generate_series(1, 5000) n")


@fault("a row lies a century ahead", "default-not-empty", also={15: ["default-blocks-maintenance"]})
def _(world: World) -> None:
    world.owner.execute("insert into app.a values (1, now() + interval '100 years')")


@fault("one set was left out of maintenance for three days", "maintenance-stale", on=(17, 18))
def _(world: World) -> None:
    world.forget_maintenance("app.a")


@fault("the partitions ahead have been dropped", "headroom-low")
def _(world: World) -> None:
    world.owner.execute(f"drop table {', '.join(world.child(days) for days in range(1, 6))}")
    drop_if_there(world, 6)


@fault("no partition for this moment", "headroom-low", "default-not-empty", "gap")
def _(world: World) -> None:
    world.owner.execute(f"drop table {world.child(0)}")
    world.owner.execute("insert into app.a values (2, now())")


@fault("premake reaches less far than the schedule", "headroom-low", outside_only=frozenset({"headroom-low"}))
def _(world: World) -> None:
    world.job("schedule = '0 0 1 * *'")


@fault("a set by id is filling its last partition", "headroom-low")
def _(world: World) -> None:
    id_set(world)
    world.owner.execute("insert into app.ids values (%s)", (highest_id(world) - 1,))
    if world.major > 15:
        world.configure("maintenance_last_run = now() - interval '3 hours'", "app.ids")


@fault("ids are used up faster than premake provides for", "headroom-low", with_partwarden=True)
def _(world: World) -> None:
    id_set(world)
    world.owner.execute(
        "insert into partwarden.id_usage (parent_table, seen_at, highest_id) values "
        "('app.ids', now() - interval '2 hours', 1), ('app.ids', now(), 900)"
    )


@fault("a partition of the past has been dropped", "gap")
def _(world: World) -> None:
    world.owner.execute(f"drop table {world.child(-2)}")


@fault("a partition ahead has been detached", "gap", "headroom-low", "child-name-taken")
def _(world: World) -> None:
    world.owner.execute(f"alter table app.a detach partition {world.child(2)}")


@fault("a table bears the name of the next partition", "child-name-taken")
def _(world: World) -> None:
    take_next_name(world)


@fault("the same, and maintenance has come by", "child-name-taken", "gap", before=True)
def _(world: World) -> None:
    take_next_name(world)
    world.configure("premake = premake + 3")


@fault("detached partitions of three years ago are still there", "leftovers")
def _(world: World) -> None:
    for day in (1, 2, 3):
        suffix = world.suffix(f"date_trunc('day', now()) - interval '3 years' + {day} * interval '1 day'")
        world.owner.execute(f"create table app.a_p{suffix} (like app.a)")
        world.owner.execute(f"insert into app.a_p{suffix} values (1, now() - interval '3 years')")


@fault("a set has been taken out of the configuration, its template is still there", "leftovers")
def _(world: World) -> None:
    world.owner.execute("delete from partman.part_config where parent_table = 'app.a'")


@fault("no rows for three days, and infinite_time_partitions is off", "stops-when-idle")
def _(world: World) -> None:
    world.owner.execute("truncate app.a")
    world.owner.execute("insert into app.a values (1, now() - interval '3 days')")
    world.configure("infinite_time_partitions = false")


@fault("partitions older than the retention are still attached", "retention-overdue")
def _(world: World) -> None:
    world.configure("retention = '1 day'")


@fault("retention of a set by id is behind", "retention-overdue")
def _(world: World) -> None:
    id_set(world)
    for highest in (3500, 6500):
        world.owner.execute("insert into app.ids values (%s)", (highest,))
        world.owner.execute("select partman.run_maintenance('app.ids')")
    world.configure("retention = '1000'", "app.ids")


@fault("automatic maintenance is off", "maintenance-disabled")
def _(world: World) -> None:
    world.configure("automatic_maintenance = 'off'")


@fault("undoing the partitioning was begun", "undo-in-progress")
def _(world: World) -> None:
    world.configure("undo_in_progress = true")


@fault("partition_data_async() was interrupted", "async-interrupted", on=(18,))
def _(world: World) -> None:
    world.configure("async_partitioning_in_progress = now()::text")


@fault("rows lie in the storage table of partition_data_async()", "async-interrupted", on=(18,))
def _(world: World) -> None:
    world.owner.execute("create table app.partman_tmp_storage_a (like app.a)")
    world.owner.execute("insert into app.partman_tmp_storage_a values (1, now())")


@fault("a configured table has been dropped", "config-orphan")
def _(world: World) -> None:
    world.owner.execute("drop table app.a cascade")


@fault("the control column has been renamed", "config-orphan")
def _(world: World) -> None:
    world.owner.execute("alter table app.a rename column created_at to made_at")


@fault("the configured interval is no interval", "config-orphan")
def _(world: World) -> None:
    world.configure("partition_interval = 'banana'")


@fault("the template table has been dropped", "config-orphan")
def _(world: World) -> None:
    world.owner.execute(
        world.one("select 'drop table ' || template_table from partman.part_config where parent_table = 'app.a'")
    )


@fault("a table that nobody manages comes to the end of its partitions", "set-unmanaged")
def _(world: World) -> None:
    unmanaged_set(world, first=-10, last=1)


@fault("a table that nobody manages has run out of partitions", "set-unmanaged")
def _(world: World) -> None:
    unmanaged_set(world, first=-10, last=-3)


@fault("a table by id that nobody manages fills its last partition", "set-unmanaged")
def _(world: World) -> None:
    world.owner.execute(
        "create table app.plain (id bigint) partition by range (id);"
        "create table app.plain_1 partition of app.plain for values from (0) to (1000);"
        "create table app.plain_2 partition of app.plain for values from (1000) to (2000);"
        "insert into app.plain values (1), (1001)"
    )


@fault("a partition lacks an index that the others have", "child-drift")
def _(world: World) -> None:
    for name in world.children()[1:]:
        world.owner.execute(f"create index on {name} (id)")


@fault("a partition lacks a constraint that the others have", "child-drift")
def _(world: World) -> None:
    for name in world.children()[1:]:
        world.owner.execute(f"alter table {name} add check (id > 0)")


@fault("a partition belongs to another role", "child-drift")
def _(world: World) -> None:
    world.admin.execute(f"alter table {world.child(1)} owner to postgres")


@fault("a partition lacks a privilege that the others have", "child-drift")
def _(world: World) -> None:
    for name in world.children()[1:]:
        world.owner.execute(f"grant select on {name} to pg_monitor")


@fault("a partition is unlogged", "child-drift")
def _(world: World) -> None:
    world.owner.execute(f"alter table {world.child(1)} set unlogged")


@fault("the parent's replica identity is full, its partitions' is not", "child-drift")
def _(world: World) -> None:
    world.owner.execute("alter table app.a replica identity full")


@fault("a partition is not in the publication", "child-drift")
def _(world: World) -> None:
    world.admin.execute(f"create publication most for table {', '.join(world.children()[1:])}")


@fault("an index of a partition is invalid", "child-drift")
def _(world: World) -> None:
    world.owner.execute(f"create index broken on {world.child(1)} (id)")
    world.admin.execute("update pg_index set indisvalid = false where indexrelid = 'app.broken'::regclass")


@fault("an index of the parent is not on every partition", "child-drift")
def _(world: World) -> None:
    world.owner.execute("create index halfway on only app.a (id)")


@fault("the configured interval was changed", "interval-drift")
def _(world: World) -> None:
    world.configure("partition_interval = '12:00:00'")


@fault("there is no default partition, and there has to be one", "no-default", thresholds={"require_default": True})
def _(world: World) -> None:
    world.owner.execute("drop table app.a_default")


@fault(
    "a transaction has been open for long, and has read the default partition",
    "maintenance-blocked",
    thresholds={"blocked_after": "1 millisecond"},
)
def _(world: World) -> None:
    session = world.another_session()
    session.execute("begin")
    session.execute("select count(*) from app.a_default")


@fault(
    "a prepared transaction holds a lock on the set",
    "maintenance-blocked",
    thresholds={"blocked_after": "1 millisecond"},
)
def _(world: World) -> None:
    session = world.another_session()
    session.execute("begin")
    session.execute("lock table app.a in share row exclusive mode")
    name = f"forgotten {world.database.name}"
    session.execute(f"prepare transaction '{name}'")
    world.held.callback(lambda: world.owner.execute(f"rollback prepared '{name}'"))


@fault("pg_partman's files are newer than the extension", "extension-outdated")
def _(world: World) -> None:
    world.admin.execute(
        "update pg_extension set extversion = case when extversion like '4%' then '4.6.0' else '5.0.0' end "
        "where extname = 'pg_partman'"
    )


@fault("the configuration is still that of pg_partman 4", "extension-outdated", on=(17, 18))
def _(world: World) -> None:
    world.admin.execute(
        "alter table partman.part_config drop constraint if exists part_config_type_check, "
        "drop constraint if exists control_constraint_col_chk"
    )
    world.configure("partition_type = 'native'")


@fault("DETACH CONCURRENTLY was interrupted", "detach-pending")
def _(world: World) -> None:
    world.owner.execute("drop table app.a_default")  # no set with a default partition can be detached from concurrently
    reader = world.another_session()
    reader.execute("begin isolation level repeatable read")
    reader.execute("select count(*) from app.a")
    detacher = world.another_session()
    detacher.execute("set statement_timeout = '1s'")
    try:
        detacher.execute(f"alter table app.a detach partition {world.child(-5)} concurrently")
    except psycopg.errors.QueryCanceled:
        reader.execute("rollback")
    else:
        raise AssertionError("it was not interrupted")


@fault("the ids come to the end of their type", "id-exhausted")
def _(world: World) -> None:
    world.owner.execute("create table app.short (id integer not null) partition by range (id)")
    create_parent(world.owner, "app.short", "1000", p_control="id", p_start_partition="2100000000")
    world.owner.execute("insert into app.short values (2100000001)")


# Servers.


@fault(
    "a job's role has been dropped: pg_cron's launcher dies of it", "job-wrong-target", "scheduler-down", settings={}
)
def _(world: World) -> None:
    world.job("username = 'dropped_long_ago'")
    world.cron.execute("select cron.schedule('any change', '0 0 1 1 *', 'select 1')")
    world.cron.execute("select cron.unschedule('any change')")
    wait_until(lambda: not has_launcher(world), "pg_cron's launcher has ended")


@fault("pg_cron's library is not loaded after a restart", "scheduler-down", settings={})
def _(world: World) -> None:
    world.cron.execute("alter system set shared_preload_libraries = 'plpgsql'")
    world.restart()


@fault(
    "cron.launch_active_jobs is off, and the job has not been started for an hour",
    "scheduler-down",
    "job-overdue",
    on=(17, 18),
    settings={},
)
def _(world: World) -> None:
    world.cron.execute("alter system set cron.launch_active_jobs = off")
    world.cron.execute("select pg_reload_conf()")
    world.job("schedule = '10 seconds'")
    world.cron.execute(
        "insert into cron.job_run_details (jobid, database, username, command, status, start_time, end_time) "
        "select jobid, database, username, command, 'succeeded', now() - interval '1 hour', now() - interval '1 hour' "
        "from cron.job"
    )


@fault("pg_cron records no runs", "run-log-off", settings={"cron.log_run": "off"})
def _(world: World) -> None:
    pass


@fault("pg_cron's record of runs has over a million rows", "run-log-bloat", settings={})
def _(world: World) -> None:
    world.cron.execute(
        "insert into cron.job_run_details (jobid, database, username, command, status, start_time, end_time) "
        "select -1, 'postgres', 'postgres', 'select 1', 'succeeded', at, at "
        "from (select now() - n * interval '1 minute' as at from generate_series(1, 1100000) n) runs"
    )
    world.cron.execute("analyze cron.job_run_details")


@fault(
    "pg_cron can't reach the host that it connects to",
    "job-cannot-connect",
    on=(17, 18),
    settings={"cron.use_background_workers": "off", "cron.host": "no-such-host.invalid"},
)
def _(world: World) -> None:
    world.job("nodename = 'no-such-host.invalid'")
    world.cron.execute("select cron.alter_job(%s::bigint, schedule => '1 second')", (world.jobid,))
    wait_until(lambda: article_sees(world), "pg_cron has recorded a run", seconds=60)


def has_launcher(world: World) -> bool:
    """Whether pg_cron's launcher is among the processes."""
    found = world.cron.execute("select from pg_stat_activity where backend_type = 'pg_cron launcher'").fetchone()
    return found is not None


def take_next_name(world: World) -> None:
    """Make a table that is called what the next partition has to be called."""
    suffix = world.suffix(
        "(select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz) "
        "from pg_class join pg_inherits on inhrelid = oid where inhparent = 'app.a'::regclass)"
    )
    world.owner.execute(f"create table app.a_p{suffix} (note text)")


def hold_maintenance_lock(world: World) -> psycopg.Connection[Any]:
    """A session with the lock that this pg_partman takes for its maintenance."""
    name = {15: "run_maintenance", 17: "run_maintenance procedure", 18: "run_maintenance_proc"}[world.major]
    session = world.another_session()
    session.execute("select pg_advisory_lock(hashtext('pg_partman ' || %s))", (name,))
    return session


def release_maintenance_lock(world: World) -> None:
    """End whoever holds an advisory lock in the world's database."""
    world.admin.execute(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
        "and database = (select oid from pg_database where datname = current_database())"
    )


def make_idle(world: World, session: psycopg.Connection[Any]) -> None:
    """Wait until the session counts as idle: a moment ago it was at work."""
    row = session.execute("select pg_backend_pid()").fetchone()
    assert row is not None
    world.admin.execute(
        "select pg_sleep(extract(epoch from state_change + interval '5.1 seconds' - clock_timestamp())) "
        "from pg_stat_activity where pid = %s",
        row,
    )


def drop_if_there(world: World, days: int) -> None:
    """In the afternoon there is one partition more."""
    try:
        world.owner.execute(f"drop table {world.child(days)}")
    except AssertionError:
        return


def id_set(world: World) -> None:
    """A set by id, a thousand a partition, with a few rows in the first one."""
    world.owner.execute("create table app.ids (id bigint not null) partition by range (id)")
    create_parent(world.owner, "app.ids", "1000", p_control="id", p_start_partition="0")
    world.owner.execute("insert into app.ids values (1), (2)")
    world.owner.execute("select partman.run_maintenance('app.ids')")


def highest_id(world: World) -> int:
    """Where the last partition of the set by id ends."""
    return int(
        world.one(
            "select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''?(\\d+)''?\\)'))[1]::bigint) "
            "from pg_class join pg_inherits on inhrelid = oid where inhparent = 'app.ids'::regclass"
        )
    )


def unmanaged_set(world: World, *, first: int, last: int) -> None:
    """A table partitioned by day, by hand, from and up to so many days from now."""
    world.owner.execute("create table app.plain (at timestamptz not null) partition by range (at)")
    world.owner.execute(
        f"do $$ begin for day in {first}..{last} loop execute format('create table app.plain_%s partition of app.plain "
        "for values from (%L) to (%L)', day + 100, date_trunc('day', now()) + day * interval '1 day', "
        "date_trunc('day', now()) + (day + 1) * interval '1 day'); end loop; end $$"
    )


@fault("a drain was interrupted before its new partitions were in place", "drain-interrupted", "default-not-empty")
def _(world: World) -> None:
    world.owner.execute(
        "insert into app.a (id, created_at) select n, now() - interval '20 days' from generate_series(1, 9) n"
    )
    reader = world.another_session()
    reader.execute("begin")
    reader.execute("select count(*) from app.a")
    with pytest.raises(DrainRefused):
        drain(world.database.owner_dsn, Drain("app.a", method=Method.SWAP, window=0.3), lambda _: None)
    reader.execute("commit")


@fault("a table was to become a partition set, and was interrupted before it did", "convert-interrupted")
def _(world: World) -> None:
    world.owner.execute("create table app.plain (id int, at timestamptz not null)")
    world.owner.execute("insert into app.plain select 1, now()")
    reader = world.another_session()

    def tell(event: object) -> None:
        if event == Step("exchanging"):
            reader.execute("begin")
            reader.execute("select from app.plain")

    with pytest.raises(LockNotAcquired):
        convert(world.database.owner_dsn, Wish("app.plain", "at", "1 day", window=0.2), tell)
    reader.execute("commit")
