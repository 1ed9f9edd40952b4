"""What is the case where a page says what to do about it: SQL that sets the scene before a block."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """Before the block of ``page`` that holds ``before``, ``sql`` is run, as the tables' owner."""

    page: str
    before: str
    sql: str


def _check(name: str, before: str, sql: str) -> Scene:
    return Scene(f"docs/checks/{name}.md", before, sql)


_DETACH_30 = "alter table app.events detach partition app.events_p20261130"
_END_AT_30 = """
do $$
declare
    v_partition text;
begin
    for v_partition in
        select inhrelid::regclass::text from pg_inherits
        where inhparent = 'app.events'::regclass and inhrelid::regclass::text > 'app.events_p20261130'
    loop
        execute 'drop table ' || v_partition;
    end loop;
end
$$;
"""
_BY_ITSELF = "create table {0} (like app.events including all); insert into {0} values (4711, '2026-11-01 12:00+00')"
_STORAGE = _BY_ITSELF.format("app.partman_tmp_storage_events")
_OLD = _BY_ITSELF.format("app.events_p20230401")
_PENDING = "update pg_inherits set inhdetachpending = true where inhrelid = 'app.events_p20261101'::regclass"

_FROM_NOTHING = """
drop table app.events, app.orders, app.visits, partman.template_app_events, partman.template_app_orders cascade;
delete from partman.part_config;
drop schema partwarden cascade
"""

_SKIPPED = """
drop schema partwarden cascade;
select cron.schedule_in_database('maintenance', '0 * * * *', 'call partman.run_maintenance_proc()', 'app');
insert into cron.job_run_details
    (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
select jobid, nextval('cron.runid_seq'), 1, database, username, command, 'succeeded', 'CALL',
    date_trunc('hour', now()), date_trunc('hour', now())
from cron.job where jobname = 'maintenance';
update partman.part_config set maintenance_last_run = date_trunc('hour', now())
    - case parent_table when 'app.events' then interval '5 days' else interval '0' end;
update partman.part_config set premake = 14 where parent_table = 'app.events'
"""
_A_WEEK = """
insert into app.events (created_at)
select last_bound + n * interval '1 week' / 42000 from generate_series(0, 41999) as n,
    lateral (select max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \\(''(.+)''\\)'))[1]::timestamptz) as last_bound
             from pg_inherits join pg_class on oid = inhrelid where inhparent = 'app.events'::regclass);
insert into app.events (created_at) values ('2199-01-01');
delete from app.events_default where id = (select min(id) from app.events_default)
"""

_VISITS = """
drop table app.visits;
create table app.visits (created_at timestamptz not null) partition by range (created_at);
do $$
begin
    for v_month in 0..4 loop
        execute format('create table app.visits_%s partition of app.visits for values from (%L) to (%L)', v_month,
            date_trunc('month', now()) + v_month * interval '1 month',
            date_trunc('month', now()) + (v_month + 1) * interval '1 month');
    end loop;
end
$$
"""

_A_PLAIN_TABLE = """
create table app.clicks (id bigint generated always as identity primary key, created_at timestamptz not null, page text);
insert into app.clicks (created_at, page) select now() - hour * interval '1 hour', '/' from generate_series(1, 240) as hour;
analyze app.clicks
"""

_NO_CLICKS = """
drop table app.clicks;
delete from partman.part_config where parent_table = 'app.clicks';
drop table partman.template_app_clicks;
"""

SCENES = (
    Scene("README.md", "partwarden check", _SKIPPED),
    Scene("docs/convert.md", "--dry-run", _A_PLAIN_TABLE),
    Scene("docs/convert.md", "app.clicks --undo", _NO_CLICKS + _A_PLAIN_TABLE),
    Scene("docs/drain.md", "$ partwarden drain", _A_WEEK),
    Scene("docs/status.md", "$ partwarden status", _VISITS),
    Scene("docs/index.md", "create table app.events", _FROM_NOTHING),
    Scene("docs/aws-lambda-for-postgresql.md", "to app;", "create role app"),
    _check(
        "async-interrupted",
        "from app.partman_tmp_storage_events;\nselect exists",
        _STORAGE
        + "; update partman.part_config set async_partitioning_in_progress = now()::text where parent_table = 'app.events'",
    ),
    _check("convert-interrupted", "convert app.clicks\n", "create table app.clicks (created_at timestamptz not null) "
        "partition by range (created_at); select partman.create_parent('app.clicks', 'created_at', '1 day')"),
    _check("convert-interrupted", "--undo", _NO_CLICKS + _A_PLAIN_TABLE),
    _check("child-name-taken", "select relkind", _DETACH_30),
    _check("child-name-taken", "rename to", _END_AT_30 + _DETACH_30),
    _check("async-interrupted", "create_partition_time", _STORAGE.replace("4711", "4712")),
    _check("default-not-empty", "events_p21990101", "create table app.events_p21990101 partition of app.events "
        "for values from ('2199-01-01') to ('2199-01-02')"),
    _check("detach-pending", "finalize", _PENDING),
    _check("gap", "create table", "drop table app.events_p20261130, app.events_p20261201, app.events_p20261202, "
        "app.events_p20261203, app.events_p20261204, app.events_p20261205"),
    _check("interval-drift", "create table", _END_AT_30 + "drop table app.events_p20261130"),
    _check("leftovers", "select oid::regclass", _OLD),
    _check("leftovers", "set schema archive", f"create schema archive; {_OLD}"),
    _check("no-default", "attach partition", "alter table app.events detach partition app.events_default"),
    _check("no-default", "lock_timeout", "drop table app.events_default"),
    _check("retention-overdue", "drop_partition_time", "update partman.part_config set retention = '10 days'"),
    _check("set-unmanaged", "create_parent", "drop table app.visits_2027_01"),
    _check("undo-in-progress", "undo_partition_proc", _BY_ITSELF.format("app.events_plain")),
)  # fmt: skip


def scenes(page: str, text: str) -> list[str]:
    """What has to be the case for this block."""
    return [scene.sql for scene in SCENES if scene.page == page and scene.before in text]
