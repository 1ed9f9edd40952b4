-- What the checks of jobs and of sets by id remember, and their thresholds.

alter table partwarden.setting
    add column headroom        integer check (headroom > 0),
    add column id_headroom     interval not null default '1 day' check (id_headroom >= interval '0'),
    add column overdue_grace   interval not null default '5 minutes' check (overdue_grace >= interval '0'),
    add column stuck_after     interval not null default '2 hours' check (stuck_after > interval '0'),
    add column blocked_after   interval not null default '5 minutes' check (blocked_after > interval '0'),
    add column deliver_within  interval not null default '15 minutes' check (deliver_within > interval '0'),
    add column monitor_within  interval not null default '10 minutes' check (monitor_within > interval '0'),
    add column leftovers_after interval not null default '30 days' check (leftovers_after >= interval '0'),
    add column run_log_rows    bigint not null default 1000000 check (run_log_rows > 0),
    add column require_default boolean not null default false,
    add column count_rows      boolean not null default false;
comment on column partwarden.setting.headroom is 'Partitions that have to lie ahead; NULL: half of premake.';
comment on column partwarden.setting.id_headroom is 'For how long the ids of a set have to last, at the rate seen.';
comment on column partwarden.setting.overdue_grace is 'How late a job may start.';
comment on column partwarden.setting.stuck_after is 'A run that takes longer, and five times its usual time, is stuck.';
comment on column partwarden.setting.blocked_after is 'A transaction that old, with a lock that maintenance needs, is told of.';
comment on column partwarden.setting.deliver_within is 'A notification that waits longer is told of.';
comment on column partwarden.setting.monitor_within is 'A monitor that has not looked for longer is told of.';
comment on column partwarden.setting.leftovers_after is 'For how long a detached partition may stay before it is told of.';
comment on column partwarden.setting.run_log_rows is 'More rows in cron.job_run_details are told of.';
comment on column partwarden.setting.require_default is 'Whether every set must have a default partition.';
comment on column partwarden.setting.count_rows is 'Whether rows in default partitions are counted exactly, which reads them all.';

alter table partwarden.job_run
    alter column runid drop not null,
    add column newest_runid   bigint,
    add column newest_status  text,
    add column newest_start   timestamptz,
    add column newest_pid     integer,
    add column last_started   timestamptz,
    add column usual          interval,
    add column schedule       text,
    add column schedule_since timestamptz;
comment on column partwarden.job_run.newest_runid is 'The newest run, which may not have finished; runid is the newest that has.';
comment on column partwarden.job_run.usual is 'How long a successful run takes, newer ones counting more.';
comment on column partwarden.job_run.schedule_since is 'Since when the job is known to have this schedule.';

create table partwarden.id_usage (
    parent_table text not null,
    seen_at      timestamptz not null,
    highest_id   numeric not null,
    primary key (parent_table, seen_at)
);
comment on table partwarden.id_usage is 'The highest id of each set by id, once an hour for a week: how fast ids are used up.';

alter table partwarden.monitor_state
    add column sets_looked_at timestamptz,
    add column sets_took      interval;
comment on column partwarden.monitor_state.sets_looked_at is 'When the checks of partition sets were last done.';
comment on column partwarden.monitor_state.sets_took is 'How long that took: what takes long is done less often.';
