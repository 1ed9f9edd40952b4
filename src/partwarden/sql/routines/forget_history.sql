create function partwarden.forget_history()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Forgets what is over and older than the setting says; at most a thousand of each at a time. An incident is not over
-- as long as it may be reopened: its end has still to be announced, or it is to be silent if it comes back.
delete from partwarden.notification where number in (
    select notification.number from partwarden.notification cross join partwarden.setting
    where notification.delivered_at < now() - setting.keep_history limit 1000);
delete from partwarden.incident where id in (
    select incident.id from partwarden.incident cross join partwarden.setting
    where incident.resolved_at < now() - greatest(setting.keep_history, setting.flap_window)
      and not incident.held_back
      and coalesce(incident.silenced_until <= now(), true)
      and not exists (select from partwarden.notification_incident link
                      join partwarden.notification on notification.number = link.notification_number
                      where link.incident_id = incident.id and notification.delivered_at is null)
    limit 1000);
delete from partwarden.repair using partwarden.setting where repair.at < now() - setting.keep_history;
delete from partwarden.audit using partwarden.setting where audit.at < now() - setting.keep_history;
delete from partwarden.job_run using partwarden.setting where job_run.seen_at < now() - setting.keep_history;
$$;
