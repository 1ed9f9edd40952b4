-- Who did what: a record of what people did to incidents and sets; and calls of maintain() for one set only.

create table partwarden.audit (
    id       bigint generated always as identity primary key,
    at       timestamptz not null default clock_timestamp(),
    actor    text not null,
    role     text not null default session_user,
    action   text not null,
    object   text not null,
    detail   jsonb not null default '{}',
    outcome  text not null check (outcome in ('begun', 'done', 'failed', 'cancelled')),
    began_as bigint
);
comment on table partwarden.audit is
    'What people did: acknowledged, silenced, drained, maintained. Kept for setting.keep_history, and never changed.';
comment on column partwarden.audit.actor is 'Who did it, as they are known to the page, or else to the database.';
comment on column partwarden.audit.role is 'The role that the session had logged in as.';
comment on column partwarden.audit.object is 'The partition set, or what the incident is about.';
comment on column partwarden.audit.outcome is
    'What takes long has two rows: begun, and how it ended. With no second one its process ended before it did.';
comment on column partwarden.audit.began_as is 'Of how it ended: the id of the row that tells of its beginning.';
create index on partwarden.audit (at);

alter table partwarden.maintenance add column parent_table text;
comment on column partwarden.maintenance.parent_table is
    'The only set that it was called for, by pg_partman''s name of it; NULL: all of them.';
