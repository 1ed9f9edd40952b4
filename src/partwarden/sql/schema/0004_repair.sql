-- Maintenance that nobody notices: short tries for locks, and what may be repaired before it, set by set.

alter table partwarden.setting
    add column repair      text not null default 'small' check (repair in ('off', 'small', 'always')),
    add column repair_rows bigint not null default 100000 check (repair_rows >= 0),
    add column lock_wait   interval not null default '20 milliseconds'
        check (lock_wait >= interval '1 millisecond' and lock_wait <= interval '10 seconds');
comment on column partwarden.setting.repair is
    'Whether maintain() moves rows that are in the way of new partitions: off, small (few), always.';
comment on column partwarden.setting.repair_rows is 'Up to so many rows are few.';
comment on column partwarden.setting.lock_wait is
    'How long one try waits for a lock on a table, and with it all who come after: everybody else''s longest wait.';
comment on column partwarden.setting.lock_timeout is
    'For how long maintenance tries again to get a lock, and how long others of ours wait for one.';

create table partwarden.set_policy (
    parent_table text primary key,
    repair       text not null check (repair in ('off', 'small', 'always'))
);
comment on table partwarden.set_policy is
    'What goes for one partition set, by pg_partman''s name of it, instead of the setting of the same name.';

create table partwarden.repair (
    id             bigint generated always as identity primary key,
    maintenance_id bigint references partwarden.maintenance on delete set null,
    parent_table   text not null,
    at             timestamptz not null default clock_timestamp(),
    partitions     integer not null,
    rows_moved     bigint not null,
    note           text
);
comment on table partwarden.repair is 'What was repaired: rows moved out of a default partition, and into how many partitions.';
create index on partwarden.repair (parent_table, at);
create index on partwarden.repair (maintenance_id);

alter table partwarden.maintenance_run
    drop constraint maintenance_run_phase_check,
    add constraint maintenance_run_phase_check check (phase in ('repair', 'create', 'retention')),
    drop constraint maintenance_run_outcome_check,
    add constraint maintenance_run_outcome_check check (outcome in ('succeeded', 'failed', 'left out'));
comment on table partwarden.maintenance_run is
    'One row a partition set and phase (repair, create, retention) of a call of partwarden.maintain().';
