create function partwarden.acknowledge(p_incident bigint, p_note text default null, p_by text default session_user)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Somebody is at it: no more reminders, unless it gets worse. The severity it has now has been seen. Without a note,
-- the one that is there stays; an empty one removes it. partwarden.audit has a record of it.
begin
    perform partwarden.refuse_closed(p_incident, 'acknowledge');
    update partwarden.incident
    set acknowledged_at = clock_timestamp(),
        acknowledged_by = p_by,
        note = case when p_note is null then note else nullif(btrim(p_note), '') end,
        told = severity
    where id = p_incident;
    perform partwarden.note_of_incident(p_incident, p_by, 'acknowledge', jsonb_build_object('note', p_note));
end
$$;
comment on function partwarden.acknowledge(bigint, text, text) is
    'Somebody is at this incident: no more reminders, unless it gets worse. Undone by unacknowledge().';
