create function partwarden.notify_of(p_events jsonb, p_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Writes one notification of all that changed in one run: [{"incident": id, "event": …}, …].
declare
    c_told_in_full constant integer := 40;
    v_cluster   text := partwarden.cluster_name();
    v_incidents jsonb;
    v_subject   text;
    v_message   text;
    v_number    bigint;
begin
    select jsonb_agg(
        partwarden.told_of(incident.*, event.event)
        -- What is new and critical comes first.
        order by event.event = 'resolved', incident.severity, incident.object, incident.check_id)
    into v_incidents
    from jsonb_to_recordset(p_events) as event (incident bigint, event text)
    join partwarden.incident on incident.id = event.incident;

    select * into v_subject, v_message from partwarden.write_message(v_cluster, v_incidents, p_at);

    insert into partwarden.notification (created_at, subject, message, payload, next_attempt_at)
    values (p_at, v_subject, v_message,
            jsonb_build_object(
                'cluster', v_cluster,
                'database', current_database(),
                'incident_count', jsonb_array_length(v_incidents),
                'incidents', (
                    select jsonb_agg(told order by number)
                    from jsonb_array_elements(v_incidents) with ordinality as listed (told, number)
                    where number <= c_told_in_full
                )),
            p_at)
    returning number into v_number;
    insert into partwarden.notification_incident (notification_number, incident_id, event)
    select v_number, event.incident, event.event
    from jsonb_to_recordset(p_events) as event (incident bigint, event text);
    -- An agent that listens need not wait for its next poll.
    perform pg_notify('partwarden', v_number::text);
end
$$;
