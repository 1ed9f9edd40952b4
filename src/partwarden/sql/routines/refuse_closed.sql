create function partwarden.refuse_closed(p_incident bigint, p_attempt text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Raises an error when there is no such incident, or when there is nothing more to say of it because it is resolved.
-- One whose end has not been announced yet, because it comes and goes, may be spoken of.
declare
    v_incident partwarden.incident;
begin
    select * into v_incident from partwarden.incident where id = p_incident for update;
    if v_incident.id is null then
        raise exception 'could not % incident %: there is none with that number', p_attempt, coalesce(p_incident::text, 'NULL')
            using errcode = 'no_data_found',
                hint = 'Those that are open: select id, check_id, object from partwarden.incident '
                       'where resolved_at is null or held_back order by id;';
    end if;
    if v_incident.resolved_at is not null and not v_incident.held_back then
        raise exception 'could not % incident %: it is resolved since %',
                p_attempt, p_incident, partwarden.utc(v_incident.resolved_at)
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('If %s has %s again, that has a number of its own.',
                              v_incident.object, v_incident.check_id);
    end if;
end
$$;
