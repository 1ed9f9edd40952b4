create function partwarden.silence(p_incident bigint, p_until timestamptz, p_note text default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Says nothing of the incident until then, neither reminder nor end, unless it gets worse. NULL, or a time that is
-- over, ends the silence; that may also be done to a resolved one, which would else come back in silence.
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
end
$$;
comment on function partwarden.silence(bigint, timestamptz, text) is
    'Says nothing of this incident until then, unless it gets worse. NULL ends the silence.';
