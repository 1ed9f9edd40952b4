-- incidents ---------------------------------------------------------------------------------------------------------
-- Acknowledged, silenced, reopened; and how far old runs of pg_cron have been purged.

alter table partwarden.setting
    add column flap_window interval not null default '15 minutes' check (flap_window >= interval '0');
comment on column partwarden.setting.flap_window is
    'What comes back within this time is the same incident; and then its end is announced after so long.';

alter table partwarden.incident
    add column acknowledged_at timestamptz,
    add column acknowledged_by text,
    add column note text,
    add column silenced_until timestamptz,
    add column silenced_severity text check (silenced_severity in ('warning', 'critical')),
    add column reopened integer not null default 0 check (reopened >= 0),
    add column told text check (told in ('warning', 'critical', 'resolved')),
    add column held_back boolean not null default false;
comment on column partwarden.incident.acknowledged_at is 'Since when somebody is at it: there are no reminders.';
comment on column partwarden.incident.acknowledged_by is 'Who said so.';
comment on column partwarden.incident.note is 'What people wrote when they acknowledged or silenced it.';
comment on column partwarden.incident.silenced_until is 'Until then nothing is said of it, unless it gets worse.';
comment on column partwarden.incident.silenced_severity is 'Its severity when it was silenced.';
comment on column partwarden.incident.reopened is 'How often it was found again after it had been resolved.';
comment on column partwarden.incident.told is
    'What people were last told of it: its severity then, or that it is resolved; NULL: nothing yet.';
comment on column partwarden.incident.held_back is
    'It comes and goes, and is gone: that is announced when it has stayed away for setting.flap_window.';
update partwarden.incident set told = case when resolved_at is null then severity else 'resolved' end;
alter table partwarden.incident
    add constraint incident_silence_has_severity check ((silenced_until is null) = (silenced_severity is null)),
    add constraint incident_held_back_is_gone check (not held_back or resolved_at is not null);

alter table partwarden.notification_incident
    drop constraint notification_incident_event_check,
    add constraint notification_incident_event_check
        check (event in ('opened', 'worsened', 'reminder', 'resolved', 'reopened'));

create table partwarden.purge_state (
    username        text primary key,
    all_up_to       bigint not null default 0,
    successes_up_to bigint not null default 0
);
comment on table partwarden.purge_state is
    'Up to which run of pg_cron old ones have been purged, a row for each role: a role sees its own runs only.';
