-- Notifications that leave from outside: which channel is told what, and how that went. And the schedule that an agent keeps
-- where pg_cron does not.

alter table partwarden.setting
    add column delivered_by text not null default 'aws_lambda' check (delivered_by in ('aws_lambda', 'agent', 'both', 'nobody'));
comment on column partwarden.setting.delivered_by is
    'Who delivers notifications: aws_lambda, through the function that the monitor is called with; agent, partwarden agent; both; nobody.';
comment on column partwarden.setting.invoke_timeout is 'How long a delivery waits for the Lambda function, or a channel.';

alter table partwarden.notification
    add column invoked_at timestamptz,
    add column routed_at timestamptz;
comment on column partwarden.notification.invoked_at is 'When the Lambda function took it.';
comment on column partwarden.notification.routed_at is 'When an agent wrote down which channels are to have it.';

create table partwarden.delivery (
    notification_number bigint not null references partwarden.notification on delete cascade,
    channel             text not null,
    incidents           bigint[] not null,
    attempts            integer not null default 0,
    next_attempt_at     timestamptz not null,
    claimed_until       timestamptz,
    refused             boolean not null default false,
    last_error          text,
    delivered_at        timestamptz,
    primary key (notification_number, channel)
);
comment on table partwarden.delivery is 'One row a notification and channel of the agent''s that is to have it.';
comment on column partwarden.delivery.incidents is 'Those of the notification''s incidents that the channel is told of.';
comment on column partwarden.delivery.next_attempt_at is 'While it is being sent: when somebody else may take it over.';
comment on column partwarden.delivery.claimed_until is 'While it is being sent: how long nothing else is sent to its channel.';
comment on column partwarden.delivery.refused is
    'The last attempt failed for a reason that does not pass by itself; later ones need not wait for it.';
create index on partwarden.delivery (channel, refused, notification_number) where delivered_at is null;
create index on partwarden.delivery (channel, next_attempt_at) where delivered_at is null and refused;
create index on partwarden.delivery (channel) where delivered_at is null and claimed_until is not null;

create table partwarden.agent_job (
    kind             text primary key check (kind in ('maintain', 'monitor')),
    schedule         text not null,
    command          text not null,
    since            timestamptz not null default now(),
    last_started_at  timestamptz,
    last_finished_at timestamptz,
    last_error       text
);
comment on table partwarden.agent_job is 'What partwarden agent calls when it is due, where pg_cron does not.';
comment on column partwarden.agent_job.schedule is 'As pg_cron reads it, in GMT.';
comment on column partwarden.agent_job.last_error is 'Why the last call failed; NULL: it did not, or has not ended.';
