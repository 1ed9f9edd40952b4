create function partwarden.convert_boundary(p_step interval, p_trunc text, p_after timestamptz)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- The first moment after another at which pg_partman can be told to begin: one that it leaves as it is, since it cuts down
-- what it is given to a whole month, day, hour … . Of those it prefers one where a calendar would begin an interval: quarters
-- in January, weeks on Monday, hours from midnight; unless that is far ahead. All in the time zone of the session, as
-- pg_partman reckons.
declare
    v_unit    text := coalesce(p_trunc, case
        when p_step >= '1000 years' then 'millennium' when p_step >= '100 years' then 'century'
        when p_step >= '10 years' then 'decade' when p_step >= '1 year' then 'year'
        when p_step >= '1 month' then 'month' when p_step >= '1 day' then 'day'
        when p_step >= '1 minute' then 'hour' else 'minute' end);
    v_length  interval := case v_unit when 'quarter' then '3 months' else '1 ' || v_unit end;
    v_months  integer := extract(year from p_step) * 12 + extract(month from p_step);
    v_seconds numeric := extract(epoch from p_step - make_interval(months => v_months));
    v_local   timestamp := p_after;
    v_begin   timestamp;
    v_found   timestamptz;
begin
    if v_months > 0 and v_seconds = 0 then
        v_begin := make_timestamp(1, 1, 1, 0, 0, 0) - interval '1 year' + make_interval(months =>
            (extract(year from v_local) * 12 + extract(month from v_local) - 1)::integer / v_months * v_months);
    elsif v_months = 0 then
        v_begin := timestamp '2001-01-01'  -- a Monday
            + floor(extract(epoch from v_local - timestamp '2001-01-01')::numeric / v_seconds) * p_step;
    end if;
    select candidate.at into v_found
    from generate_series(0, 200) as number
    cross join lateral (select (v_begin + number * p_step)::timestamptz as at) candidate
    where candidate.at > p_after and candidate.at <= p_after + 2 * p_step + v_length
      and candidate.at = date_trunc(v_unit, candidate.at)
    order by number
    limit 1;
    if v_found is null then
        v_found := date_trunc(v_unit, p_after);
        while v_found <= p_after loop
            v_found := date_trunc(v_unit, v_found + v_length);
        end loop;
    end if;
    return v_found;
end
$$;
