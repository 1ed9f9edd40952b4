-- The monitor's heartbeat: that it looked, and could tell, is told once a minute, so that its silence is noticed elsewhere.

alter table partwarden.setting
    add column heartbeat boolean not null default true;
comment on column partwarden.setting.heartbeat is
    'Whether the monitor sends a heartbeat through the Lambda function, once a minute.';

create table partwarden.heartbeat (
    only_row       boolean primary key default true check (only_row),
    last_tried_at  timestamptz,
    last_heartbeat timestamptz,
    last_error     text
);
comment on table partwarden.heartbeat is 'One row: when the monitor last sent a heartbeat, and why it could not since.';
comment on column partwarden.heartbeat.last_tried_at is 'When one was last sent, or should have been; once a minute.';
comment on column partwarden.heartbeat.last_heartbeat is 'When Lambda last accepted one.';
comment on column partwarden.heartbeat.last_error is 'Why the last one was not sent; NULL: it was.';
insert into partwarden.heartbeat default values;
