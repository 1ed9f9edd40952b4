create function partwarden.describe_incident(p_incident jsonb)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- One incident as plain text: a heading, then a line a fact, further lines of a fact indented under it.
select concat_ws(E'\n',
    format('%s  %s  %s',
        case p_incident ->> 'event'
            when 'resolved' then 'RESOLVED'
            when 'reminder' then 'STILL ' || upper(p_incident ->> 'severity')
            when 'worsened' then 'NOW ' || upper(p_incident ->> 'severity')
            when 'reopened' then 'AGAIN ' || upper(p_incident ->> 'severity')
            else upper(p_incident ->> 'severity')
        end,
        p_incident ->> 'object', p_incident ->> 'check'),
    case p_incident ->> 'event'
        when 'resolved' then partwarden.fact('was', p_incident ->> 'summary', true)
        else partwarden.fact('what', p_incident ->> 'summary', true)
    end,
    partwarden.fact('since', partwarden.utc((p_incident ->> 'since')::timestamptz)),
    case when p_incident ->> 'event' = 'resolved' then
        partwarden.fact('until', partwarden.utc((p_incident ->> 'resolved_at')::timestamptz))
    end,
    partwarden.fact('repaired', p_incident ->> 'repaired', true),
    (
        select partwarden.fact('comes and goes', format(
            'It has come back %s.%s',
            case p_incident ->> 'reopened' when '1' then 'once' else format('%s times', p_incident ->> 'reopened') end,
            case when p_incident ->> 'event' <> 'resolved' then
                format(' From now on, its end is announced when it has stayed away for %s minutes.',
                       round(extract(epoch from setting.flap_window) / 60)) end),
            true)
        from partwarden.setting
        where (p_incident ->> 'reopened')::integer > 0
    ),
    partwarden.fact('note', nullif(p_incident ->> 'note', ''), true),
    case when p_incident ->> 'event' <> 'resolved' then concat_ws(E'\n',
        partwarden.fact('cause', p_incident -> 'detail' ->> 'cause', true),
        (
            select string_agg(partwarden.fact(replace(evidence.key, '_', ' '), evidence.value), E'\n')
            from jsonb_each_text(p_incident -> 'detail') evidence
            where evidence.key <> 'cause'
        ),
        -- On lines of its own, to be pasted.
        '  next' || E'\n    ' || replace(p_incident ->> 'remedy', E'\n', E'\n    '))
    end)
$$;
