create function partwarden.silence(p_incident bigint, p_until timestamptz, p_note text default null, p_by text default session_user)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Says nothing of the incident until then, neither reminder nor end, unless it gets worse. NULL, or a time that is
-- over, ends the silence; that may also be done to a resolved one, which would else come back in silence.
-- partwarden.audit has a record of it.
begin
    if p_until > clock_timestamp() + interval '10 years' then
        raise exception 'could not silence incident %: until % is as good as for ever', p_incident, p_until
            using errcode = 'invalid_parameter_value', hint = 'Ten years are the most.';
    end if;
    if p_until > clock_timestamp() then
        perform partwarden.refuse_closed(p_incident, 'silence');
        update partwarden.incident
        set silenced_until = p_until,
            silenced_severity = severity,
            note = case when p_note is null then note else nullif(btrim(p_note), '') end
        where id = p_incident;
        perform partwarden.note_of_incident(
            p_incident, p_by, 'silence', jsonb_build_object('until', p_until, 'note', p_note));
        return;
    end if;
    if not exists (select from partwarden.incident where id = p_incident and silenced_until > clock_timestamp()) then
        perform partwarden.refuse_closed(p_incident, 'unsilence');
    end if;
    update partwarden.incident
    set silenced_until = null,
        silenced_severity = null,
        note = case when p_note is not null then nullif(btrim(p_note), '')
                    when acknowledged_at is not null then note end
    where id = p_incident and silenced_until is not null;
    if found then
        perform partwarden.note_of_incident(p_incident, p_by, 'unsilence', jsonb_build_object('note', p_note));
    end if;
end
$$;
comment on function partwarden.silence(bigint, timestamptz, text, text) is
    'Says nothing of this incident until then, unless it gets worse. NULL ends the silence.';
