-- check: default-blocks-maintenance
-- severity: critical
-- needs: pg_partman
-- uses: partition_set, headroom
-- why: rows of the default partition lie where one of the next partitions has to go, so that PostgreSQL will
--      refuse to create it: maintenance of the set fails from then on, or is skipped with a warning
select
    case when blocked.nearest_at < blocked.last_upper_at + blocked.step
           or blocked.nearest_id < blocked.last_upper_id + blocked.width
           or not blocked.ignores_default
         then 'critical' else 'warning' end                                        as severity,
    blocked.name                                                                   as object,
    format('a row in the default partition of %s lies where one of its next partitions has to go: '
           'maintenance will fail', blocked.name)                                  as summary,
    jsonb_build_object(
        'cause', format('The row at %s belongs into a partition that does not exist yet, and its presence in the '
                        'default partition forbids to create that one.', blocked.nearest),
        'default_partition', blocked.default_partition::regclass::text,
        'nearest_row', blocked.nearest,
        'last_partition_ends', blocked.last_upper_text)                            as detail,
    -- Draining a row that is absurdly far ahead would make a partition there, and pg_partman count from it.
    case
        when blocked.farthest_at > blocked.last_upper_at + 2 * blocked.premake * blocked.step
          or blocked.farthest_id > blocked.last_upper_id + 2 * blocked.premake * blocked.width
        then
            format('select * from %s where %I >= %L;  -- correct or remove rows that are far ahead, before draining',
                blocked.default_partition::regclass, blocked.control, blocked.last_upper_text)
        else
            format(E'call %I.partition_data_proc(%L);\ncall partwarden.maintain();',
                (select nspname from pg_namespace
                 where oid = (select extnamespace from pg_extension where extname = 'pg_partman')),
                blocked.parent_table)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from (
    select
        nearest_row.*,
        case nearest_row.kind
            when 'time' then nearest_row.nearest::timestamptz
            when 'epoch' then to_timestamp(nearest_row.nearest::numeric / nearest_row.epoch_unit)
            when 'encoded' then (xpath('/row/at/text()', query_to_xml(
                format('select %s(%L) as at', nearest_row.decoder, nearest_row.nearest),
                false, true, '')))[1]::text::timestamptz
        end                                                                        as nearest_at,
        case when nearest_row.kind = 'time' then nearest_row.farthest::timestamptz end as farthest_at,
        case when nearest_row.kind = 'id' then nearest_row.nearest::numeric end    as nearest_id,
        case when nearest_row.kind = 'id' then nearest_row.farthest::numeric end   as farthest_id,
        case when nearest_row.kind <> 'id'
             then nearest_row.partition_interval::interval end                     as step,
        case when nearest_row.kind = 'id'
             then nearest_row.partition_interval::numeric end                      as width
    from (
        select
            partition_set.*,
            headroom.last_upper_text,
            headroom.last_upper_at,
            headroom.last_upper_id,
            found.nearest,
            found.farthest
        from partition_set
        join headroom on headroom.parent = partition_set.parent
        cross join lateral (
            select exists (
                select from pg_index index
                join pg_attribute attribute
                    on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
                where index.indrelid = partition_set.default_partition
                  and index.indisvalid and index.indpred is null
                  and attribute.attname = partition_set.control
            )
        ) as indexed (exists)
        cross join lateral xmltable(
            '/table/row'
            passing query_to_xml(
                format('with candidate as %5$s (select %1$I as seen from %2$s %6$s)
                        select (select seen::text from candidate where seen >= %3$L::%4$s order by seen limit 1)
                                   as nearest,
                               (select seen::text from candidate where seen >= %3$L::%4$s order by seen desc limit 1)
                                   as farthest',
                    partition_set.control,
                    partition_set.default_partition::regclass,
                    headroom.last_upper_text,
                    partition_set.control_type::regtype,
                    -- Without an index that starts with the control column, only so many rows are looked at.
                    case when indexed.exists then 'not materialized' else 'materialized' end,
                    case when indexed.exists then '' else 'limit 200000' end),
                false, false, '')
            columns nearest text, farthest text
        ) found
        where partition_set.default_partition is not null
          and partition_set.is_maintained
          and not partition_set.is_full
          and headroom.last_upper_text is not null
          and has_table_privilege(partition_set.default_partition, 'select')
    ) nearest_row
    where nearest_row.nearest is not null
) blocked
where not blocked.ignores_default
   or blocked.nearest_at < blocked.last_upper_at + blocked.premake * blocked.step
   or blocked.nearest_id < blocked.last_upper_id + blocked.premake * blocked.width
