-- partwarden's tables. A migration is never edited once released, and never calls partwarden's own routines:
-- they are replaced whole at every install, the tables only ever change by the next number.

create table partwarden.installation (
    only_row     boolean primary key default true check (only_row),
    version      text not null,
    code_hash    text not null,
    installed_at timestamptz not null default now()
);
comment on table partwarden.installation is 'Which release of partwarden this database has.';

create table partwarden.setting (
    only_row                boolean primary key default true check (only_row),
    cluster                 text,
    remind_after            interval not null default '24 hours' check (remind_after > interval '0'),
    retry_after             interval not null default '10 seconds' check (retry_after >= interval '0'),
    lock_timeout            interval not null default '5 seconds' check (lock_timeout > interval '0'),
    maintenance_stale_after interval not null default '26 hours' check (maintenance_stale_after > interval '0'),
    headroom_grace          interval not null default '2 hours' check (headroom_grace >= interval '0'),
    invoke_timeout          interval not null default '25 seconds' check (invoke_timeout > interval '0'),
    keep_history            interval not null default '90 days' check (keep_history > interval '0')
);
comment on table partwarden.setting is 'One row: what a person may want otherwise. Change it by UPDATE.';
comment on column partwarden.setting.cluster is 'What messages call this server; NULL: cluster_name, or its address.';
comment on column partwarden.setting.remind_after is 'A reminder goes out when an incident was last announced so long ago.';
comment on column partwarden.setting.retry_after is 'First pause after a failed delivery; it doubles up to 15 minutes.';
comment on column partwarden.setting.lock_timeout is 'How long maintenance and monitor wait for a lock.';
comment on column partwarden.setting.maintenance_stale_after is 'A set whose last good maintenance is older is stale.';
comment on column partwarden.setting.headroom_grace is 'How late maintenance may be before few partitions ahead are told of.';
comment on column partwarden.setting.invoke_timeout is 'How long a delivery waits for the Lambda function.';
comment on column partwarden.setting.keep_history is 'Finished runs, resolved incidents and delivered notifications are kept so long.';
insert into partwarden.setting default values;

create table partwarden.maintenance (
    id          bigint generated always as identity primary key,
    started_at  timestamptz not null,
    finished_at timestamptz,
    outcome     text not null default 'running'
                check (outcome in ('running', 'succeeded', 'failed', 'interrupted')),
    pid         integer not null,
    sets        integer not null default 0,
    sets_failed integer not null default 0
);
comment on table partwarden.maintenance is 'One row a call of partwarden.maintain().';
create index on partwarden.maintenance (started_at);
create unique index maintenance_one_running on partwarden.maintenance (outcome) where outcome = 'running';

create table partwarden.maintenance_run (
    id                 bigint generated always as identity primary key,
    maintenance_id     bigint not null references partwarden.maintenance on delete cascade,
    parent_table       text not null,
    phase              text not null check (phase in ('create', 'retention')),
    started_at         timestamptz not null,
    finished_at        timestamptz not null,
    outcome            text not null check (outcome in ('succeeded', 'failed')),
    partitions_made    integer not null default 0,
    partitions_dropped integer not null default 0,
    sqlstate           text,
    message            text,
    detail             text,
    hint               text,
    context            text
);
comment on table partwarden.maintenance_run is 'One row a partition set and phase of a call of partwarden.maintain().';
create index on partwarden.maintenance_run (parent_table, phase, id);
create index on partwarden.maintenance_run (maintenance_id);

create table partwarden.job_run (
    jobid          bigint primary key,
    runid          bigint not null,
    database       text,
    username       text,
    command        text,
    status         text,
    return_message text,
    start_time     timestamptz,
    end_time       timestamptz,
    failing_since  timestamptz,
    seen_at        timestamptz not null default now()
);
comment on table partwarden.job_run is
    'The newest finished run of each pg_cron job, so that no check has to search cron.job_run_details.';

create table partwarden.monitor_state (
    only_row         boolean primary key default true check (only_row),
    last_started_at  timestamptz,
    last_finished_at timestamptz,
    run_cursor       bigint not null default 0,
    skipped          jsonb not null default '[]'
);
comment on table partwarden.monitor_state is 'One row: when the monitor last looked, and what it could not look at.';
comment on column partwarden.monitor_state.run_cursor is 'All runs of pg_cron up to this runid have been taken note of.';
insert into partwarden.monitor_state default values;

create table partwarden.incident (
    id                bigint generated always as identity primary key,
    check_id          text not null,
    object            text not null,
    severity          text not null check (severity in ('warning', 'critical')),
    summary           text not null,
    detail            jsonb not null default '{}',
    remedy            text,
    since             timestamptz not null,
    opened_at         timestamptz not null,
    last_announced_at timestamptz not null,
    resolved_at       timestamptz
);
comment on table partwarden.incident is 'A finding over time: opened when it is first found, resolved when it is gone.';
create unique index incident_one_open on partwarden.incident (check_id, object) where resolved_at is null;
create index on partwarden.incident (resolved_at);

create table partwarden.notification (
    number          bigint generated always as identity primary key,
    id              uuid not null unique default gen_random_uuid(),
    created_at      timestamptz not null,
    subject         text not null,
    message         text not null,
    payload         jsonb not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null,
    last_error      text,
    delivered_at    timestamptz,
    receipt         jsonb
);
comment on table partwarden.notification is 'The outbox: written with the incidents it tells of, delivered afterwards.';
create index on partwarden.notification (number) where delivered_at is null;
create index on partwarden.notification (delivered_at);

create table partwarden.notification_incident (
    notification_number bigint not null references partwarden.notification on delete cascade,
    incident_id         bigint not null references partwarden.incident on delete cascade,
    event               text not null check (event in ('opened', 'worsened', 'reminder', 'resolved')),
    primary key (notification_number, incident_id)
);
comment on table partwarden.notification_incident is 'What each notification tells of which incident.';
create index on partwarden.notification_incident (incident_id);
