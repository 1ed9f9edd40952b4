create function partwarden.told_of(p_incident partwarden.incident, p_event text)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- One incident as a notification tells of it.
select jsonb_build_object(
    'id', p_incident.id,
    'event', p_event,
    'check', p_incident.check_id,
    'severity', p_incident.severity,
    'database', current_database(),
    'object', p_incident.object,
    'summary', p_incident.summary,
    'detail', p_incident.detail,
    'remedy', p_incident.remedy,
    'since', p_incident.since,
    'resolved_at', p_incident.resolved_at,
    'reopened', p_incident.reopened,
    'note', p_incident.note,
    'repaired', case when p_event = 'resolved' then partwarden.what_was_repaired(p_incident) end)
$$;
