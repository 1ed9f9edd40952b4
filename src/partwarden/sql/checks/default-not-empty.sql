-- check: default-not-empty
-- severity: warning
-- needs: pg_partman
-- uses: partition_set, headroom
-- why: rows in a default partition mean that a partition was missing when they came, and they stop the one
--      that should hold them from being created
select
    'warning'                                                                      as severity,
    waiting.name                                                                   as object,
    format('%s in the default partition of %s',
        case when waiting.rows > 1000 then 'more than 1,000 rows wait'
             when waiting.rows = 1 then '1 row waits'
             else waiting.rows || ' rows wait' end,
        waiting.name)                                                              as summary,
    jsonb_build_object(
        'cause', 'No partition existed for these rows when they were written.',
        'default_partition', waiting.default_partition::regclass::text,
        'rows', case when waiting.rows > 1000 then 'more than 1000' else waiting.rows::text end,
        'lowest_seen', waiting.lowest,
        'highest_seen', waiting.highest)                                           as detail,
    -- Draining a row that is absurdly far ahead would make a partition there, and pg_partman count from it.
    case
        when waiting.is_far then
            format('select * from %s where %I >= %L;  -- correct or remove rows that are far ahead, before draining',
                waiting.default_partition::regclass, waiting.control, waiting.last_upper_text)
        else
            format(E'call %I.partition_data_proc(%L);\ncall partwarden.maintain();',
                (select nspname from pg_namespace
                 where oid = (select extnamespace from pg_extension where extname = 'pg_partman')),
                waiting.parent_table)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.name,
        partition_set.parent_table,
        partition_set.control,
        partition_set.default_partition,
        headroom.last_upper_text,
        sample.*,
        case
            when partition_set.kind = 'time' then
                sample.highest::timestamptz
                > headroom.last_upper_at + 2 * partition_set.premake * partition_set.partition_interval::interval
            when partition_set.kind = 'id' then
                sample.highest::numeric
                > headroom.last_upper_id + 2 * partition_set.premake * partition_set.partition_interval::numeric
            else false
        end as is_far
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    -- At most 1,001 rows are read, however many there are.
    cross join lateral xmltable(
        '/table/row'
        passing query_to_xml(
            -- Not min() and max(): not every type that can be partitioned by has them (uuid).
            format('select count(*) as rows,
                           (array_agg(seen order by seen))[1]::text as lowest,
                           (array_agg(seen order by seen desc))[1]::text as highest
                    from (select %I as seen from %s limit 1001) first_rows',
                partition_set.control, partition_set.default_partition::regclass),
            false, false, '')
        columns rows integer, lowest text, highest text
    ) sample
    where partition_set.default_partition is not null
      and has_table_privilege(partition_set.default_partition, 'select')
) waiting
where waiting.rows > 0
