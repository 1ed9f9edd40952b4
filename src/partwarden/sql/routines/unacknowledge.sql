create function partwarden.unacknowledge(p_incident bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Nobody is at it any more: reminders resume. The note goes, unless a silence still stands on it.
begin
    perform partwarden.refuse_closed(p_incident, 'unacknowledge');
    update partwarden.incident
    set acknowledged_at = null,
        acknowledged_by = null,
        note = case when silenced_until > clock_timestamp() then note end
    where id = p_incident and acknowledged_at is not null;
end
$$;
comment on function partwarden.unacknowledge(bigint) is 'Takes acknowledge() back: reminders resume.';
