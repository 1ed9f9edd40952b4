create function partwarden.notify_of(p_events jsonb, p_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Writes one notification of all that changed in one run: [{"incident": id, "event": …}, …]. It is written for a
-- person who was asleep a minute ago: where, what, since when, why, how we know, what to type next.
declare
    c_told_in_full constant integer := 40;
    v_cluster   text := partwarden.cluster_name();
    v_incidents jsonb;
    v_subject   text;
    v_message   text;
    v_number    bigint;
begin
    select jsonb_agg(
        jsonb_build_object(
            'id', incident.id,
            'event', event.event,
            'check', incident.check_id,
            'severity', incident.severity,
            'database', current_database(),
            'object', incident.object,
            'summary', incident.summary,
            'detail', incident.detail,
            'remedy', incident.remedy,
            'since', incident.since,
            'resolved_at', incident.resolved_at,
            'reopened', incident.reopened,
            'note', incident.note,
            'repaired', case when event.event = 'resolved' then partwarden.what_was_repaired(incident.*) end)
        -- What is new and critical comes first.
        order by event.event = 'resolved', incident.severity, incident.object, incident.check_id)
    into v_incidents
    from jsonb_to_recordset(p_events) as event (incident bigint, event text)
    join partwarden.incident on incident.id = event.incident;

    select
        format('[partwarden] %s %s/%s: %s%s',
            case
                when bool_and(told ->> 'event' = 'resolved') then 'RESOLVED'
                when bool_and(told ->> 'event' in ('resolved', 'reminder')) then 'REMINDER'
                else upper(min(told ->> 'severity') filter (where told ->> 'event' <> 'resolved'))
            end,
            v_cluster, current_database(),
            (array_agg(told ->> 'object' order by number))[1]
                || ' ' || (array_agg(told ->> 'check' order by number))[1],
            case when count(*) > 1 then format(' (+%s more)', count(*) - 1) else '' end)
    into v_subject
    from jsonb_array_elements(v_incidents) with ordinality as listed (told, number);

    select
        concat_ws(E'\n',
            format('cluster   %s', v_cluster),
            format('database  %s', current_database()),
            format('seen at   %s', partwarden.utc(p_at)),
            '',
            string_agg(partwarden.describe_incident(told), E'\n\n' order by number)
                filter (where number <= c_told_in_full),
            case when count(*) > c_told_in_full then
                E'\n' || format('... and %s more: select * from partwarden.incident where resolved_at is null;',
                    count(*) - c_told_in_full)
            end)
    into v_message
    from jsonb_array_elements(v_incidents) with ordinality as listed (told, number);

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
end
$$;
