create function partwarden.incidents_of(p_notification partwarden.notification)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- All incidents that a notification tells of: those in its payload, which is bounded, as they were then, and the others as
-- they are now.
select coalesce(p_notification.payload -> 'incidents', '[]') || coalesce((
    select jsonb_agg(partwarden.told_of(incident.*, link.event)
                     order by link.event = 'resolved', incident.severity, incident.object, incident.check_id)
    from partwarden.notification_incident link
    join partwarden.incident on incident.id = link.incident_id
    where link.notification_number = p_notification.number
      and (p_notification.payload ->> 'incident_count')::integer > jsonb_array_length(p_notification.payload -> 'incidents')
      and not exists (select from jsonb_array_elements(p_notification.payload -> 'incidents') as told (fact)
                      where (told.fact ->> 'id')::bigint = incident.id)
), '[]')
$$;
