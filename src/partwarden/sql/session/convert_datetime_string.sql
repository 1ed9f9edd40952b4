create function partwarden.convert_datetime_string(p_facts jsonb)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What pg_partman names the partitions of such an interval after.
declare
    v_step interval := (p_facts ->> 'interval')::interval;
    v_text text;
begin
    if not (p_facts ->> 'is_partman_4')::boolean then
        execute format('select datetime_string from %I.calculate_time_partition_info($1, $2, $3)', p_facts ->> 'partman')
        into v_text using v_step, now(), p_facts ->> 'date_trunc_interval';
        return v_text;
    end if;
    if p_facts ->> 'date_trunc_interval' is not null then
        return case when v_step >= '1 day' then 'YYYY_MM_DD' else 'YYYY_MM_DD_HH24MISS' end;
    end if;
    return case
        when v_step >= '1 year' then 'YYYY' when v_step >= '1 month' then 'YYYY_MM' when v_step >= '1 day' then 'YYYY_MM_DD'
        when v_step >= '1 minute' then 'YYYY_MM_DD_HH24MI' else 'YYYY_MM_DD_HH24MISS' end;
end
$$;
