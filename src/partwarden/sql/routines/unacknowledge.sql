create function partwarden.unacknowledge(p_incident bigint, p_by text default session_user)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Nobody is at it any more: reminders resume. The note goes, unless a silence still stands on it. partwarden.audit has a
-- record of it.
begin
    perform partwarden.refuse_closed(p_incident, 'unacknowledge');
    update partwarden.incident
    set acknowledged_at = null,
        acknowledged_by = null,
        note = case when silenced_until > clock_timestamp() then note end
    where id = p_incident and acknowledged_at is not null;
    if found then
        perform partwarden.note_of_incident(p_incident, p_by, 'unacknowledge');
    end if;
end
$$;
comment on function partwarden.unacknowledge(bigint, text) is 'Takes acknowledge() back: reminders resume.';
