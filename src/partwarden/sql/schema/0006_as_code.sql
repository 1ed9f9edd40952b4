-- Partitions as code: what the file wants of each set, so that drift is found, and the silences that the file keeps.

create table partwarden.wanted_set (
    parent_table text primary key,
    config       jsonb not null,
    sub          jsonb,
    applied_at   timestamptz not null default now()
);
comment on table partwarden.wanted_set is
    'What partwarden apply has last seen to, a row for each set: columns of part_config and of part_config_sub.';

create table partwarden.silence (
    check_id text not null,
    object   text not null,
    until    timestamptz not null,
    note     text,
    primary key (check_id, object)
);
comment on table partwarden.silence is
    'Incidents that nothing is said of until then, whatever becomes of them; * in check or object stands for anything.';
