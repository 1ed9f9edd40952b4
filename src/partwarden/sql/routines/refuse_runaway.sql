create function partwarden.refuse_runaway(p_parent_table text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- With ignore_default_data off (pg_partman 4's default) one row with an absurd date in the default partition makes
-- pg_partman create every partition up to it, tens of thousands in one transaction. Such a row is refused instead.
declare
    c_most constant integer := 1000;
    v_set       record;
    v_farthest  text;
    v_intervals numeric;
begin
    if not exists (
        select from partwarden.part_config(p_parent_table) as listed (config)
        where not (config ->> 'ignore_default_data')::boolean
    ) then
        return;
    end if;
    {{with partition_set, headroom; part_config: select config from partwarden.part_config(p_parent_table) as listed (config)}}
    select partition_set.*, headroom.last_upper_at, headroom.last_upper_id
    into v_set
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    where partition_set.default_partition is not null and partition_set.kind in ('time', 'id');
    if not found then
        return;
    end if;
    execute format('select max(%I)::text from %s', v_set.control, v_set.default_partition::regclass) into v_farthest;
    v_intervals := case v_set.kind
        when 'time' then extract(epoch from v_farthest::timestamptz - v_set.last_upper_at)
                         / extract(epoch from v_set.partition_interval::interval)
        else (v_farthest::numeric - v_set.last_upper_id) / v_set.partition_interval::numeric
    end;
    if v_intervals > c_most then
        raise exception 'a row at % in the default partition of % lies % partitions ahead: pg_partman would try to make them all',
            v_farthest, v_set.name, round(v_intervals)
            using errcode = 'program_limit_exceeded',
                hint = format('Correct or remove the row, or: update part_config set ignore_default_data = true '
                              'where parent_table = %L;', p_parent_table);
    end if;
end
$$;
