create function partwarden.note_id_usage()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
set enable_nestloop = off
as $$
-- Takes note of the highest id of each set by id, once an hour, so that it can be told how long its partitions last.
-- Only the last partition with a row is looked into, by an index that starts with the control column.
declare
    v_set  record;
    v_high numeric;
begin
    if exists (select from partwarden.id_usage where seen_at > now() - interval '1 hour')
        or partwarden.extension_schema('pg_partman') is null
    then
        return;
    end if;
    for v_set in
        {{with partition_set, partition_bound, headroom; part_config: select config from partwarden.part_config() as listed (config)}}
        select partition_set.parent_table, partition_set.control, partition_bound.child
        from partition_set
        join headroom on headroom.parent = partition_set.parent
        join partition_bound
            on partition_bound.parent = partition_set.parent and partition_bound.lower_id = headroom.position_id
        where partition_set.kind = 'id'
          and has_table_privilege(partition_bound.child, 'select')
          and exists (
              select from pg_index index
              join pg_attribute attribute
                  on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
              where index.indrelid = partition_bound.child and index.indisvalid and index.indpred is null
                and attribute.attname = partition_set.control
          )
    loop
        execute format('select max(%I) from %s', v_set.control, v_set.child::regclass) into v_high;
        insert into partwarden.id_usage (parent_table, seen_at, highest_id)
        select v_set.parent_table, now(), v_high where v_high is not null;
    end loop;
    delete from partwarden.id_usage where seen_at < now() - interval '7 days';
end
$$;
