-- What the page shows of the past: how far ahead the partitions of each set reached.

create table partwarden.reach (
    parent_table text not null,
    seen_at      timestamptz not null,
    edge_at      timestamptz not null,
    primary key (parent_table, seen_at)
);
create index on partwarden.reach (seen_at);
comment on table partwarden.reach is
    'Where the unbroken row of partitions of each set by time ended, once an hour for eight days: whether it gets shorter.';

alter table partwarden.monitor_state add column reach_noted_at timestamptz;
comment on column partwarden.monitor_state.reach_noted_at is 'When it was last noted how far partitions reach.';
