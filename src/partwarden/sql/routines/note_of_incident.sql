create function partwarden.note_of_incident(p_incident bigint, p_actor text, p_action text, p_detail jsonb default '{}')
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Puts on record what somebody did about an incident.
select partwarden.note_action(
    p_actor, p_action, object, jsonb_build_object('incident', id, 'check', check_id) || p_detail)
from partwarden.incident
where id = p_incident;
$$;
