create function partwarden.write_message(
    p_cluster text, p_incidents jsonb, p_at timestamptz, out subject text, out message text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Incidents as a mail for a person who was asleep a minute ago: where, what, since when, why, how we know, what to type
-- next. What is too much for a mail is counted.
declare
    c_told_in_full constant integer := 40;
begin
    select
        format('[partwarden] %s %s/%s: %s%s',
            case
                when bool_and(told ->> 'event' = 'resolved') then 'RESOLVED'
                when bool_and(told ->> 'event' in ('resolved', 'reminder')) then 'REMINDER'
                else upper(min(told ->> 'severity') filter (where told ->> 'event' <> 'resolved'))
            end,
            p_cluster, current_database(),
            (array_agg(told ->> 'object' order by number))[1]
                || ' ' || (array_agg(told ->> 'check' order by number))[1],
            case when count(*) > 1 then format(' (+%s more)', count(*) - 1) else '' end),
        concat_ws(E'\n',
            format('cluster   %s', p_cluster),
            format('database  %s', current_database()),
            format('seen at   %s', partwarden.utc(p_at)),
            '',
            string_agg(partwarden.describe_incident(told), E'\n\n' order by number)
                filter (where number <= c_told_in_full),
            case when count(*) > c_told_in_full then
                E'\n' || format('... and %s more: select * from partwarden.incident where resolved_at is null;',
                    count(*) - c_told_in_full)
            end)
    into subject, message
    from jsonb_array_elements(p_incidents) with ordinality as listed (told, number);
end
$$;
