create function partwarden.first_bound(p_parent regclass, p_interval text, out at timestamptz, out id numeric)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Where the partitions of a set that has none yet begin: the beginning of the year, month, week, day or hour that its
-- lowest row lies in, or a multiple of the interval.
declare
    v_set    record := partwarden.drain_set(p_parent, p_interval);
    v_lowest text;
begin
    execute format('select %1$I::text from %2$s where %1$I is not null order by %1$I limit 1',
        v_set.control, v_set.default_partition)
    into v_lowest;
    if v_lowest is null then
        return;
    end if;
    if v_set.kind = 'id' then
        id := floor(v_lowest::numeric / v_set.width) * v_set.width;
        return;
    end if;
    case v_set.kind
        when 'epoch' then at := to_timestamp(v_lowest::numeric / v_set.epoch_unit);
        when 'encoded' then execute format('select %s($1)', v_set.decoder) into at using v_lowest;
        else at := v_lowest::timestamptz;
    end case;
    at := date_trunc(case
        when v_set.step >= interval '1 year' then 'year'
        when v_set.step >= interval '1 month' then 'month'
        when v_set.step >= interval '1 week' then 'week'
        when v_set.step >= interval '1 day' then 'day'
        when v_set.step >= interval '1 hour' then 'hour'
        else 'minute' end, at);
end
$$;
