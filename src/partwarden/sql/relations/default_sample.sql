-- relation: default_sample
-- uses: setting, partition_set, headroom, locked
-- why: what lies in each default partition, from a bounded look: up to 2,000 pages all of it, of a bigger one 1,001 rows
--      of the first and all of the last 1,000 pages; and the next row behind the last partition by an index on the control column. is_whole says whether nothing can
--      have been missed, blind why nothing was looked at
select
    partition_set.parent,
    partition_set.default_partition,
    looked.blind,
    looked.bytes,
    looked.is_whole,
    looked.is_indexed,
    sample.rows,
    sample.lowest,
    sample.highest,
    sample.nearest,
    sample.farthest
from partition_set
cross join setting
left join headroom on headroom.parent = partition_set.parent
cross join lateral (
    select
        case
            when exists (select from locked where locked.table_oid = partition_set.default_partition) then 'locked'
            when not has_schema_privilege(child.relnamespace, 'usage')
                or not has_table_privilege(child.oid, 'select') then 'forbidden'
        end as blind,
        child.relkind as kind
    from pg_class child
    where child.oid = partition_set.default_partition
) seen
cross join lateral (
    select
        case when seen.blind = 'locked' or seen.kind <> 'r' then null
             else pg_relation_size(partition_set.default_partition) end as bytes
) file
cross join lateral (
    select
        -- What has no file to speak of (a default partition that is partitioned itself) may hold anything.
        case when file.bytes = 0 then null else seen.blind end as blind,
        file.bytes,
        coalesce(file.bytes <= 2000 * current_setting('block_size')::bigint, false) or setting.count_rows as is_whole,
        (file.bytes / current_setting('block_size')::bigint) as pages,
        exists (
            select from pg_index index
            join pg_attribute attribute on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
            where index.indrelid = partition_set.default_partition
              and index.indisvalid and index.indpred is null
              and attribute.attname = partition_set.control
        ) as is_indexed
) looked
-- An empty file is not opened at all: most default partitions are empty, and there may be thousands.
left join lateral xmltable(
    '/table/row'
    passing case when looked.blind is null and looked.bytes is distinct from 0 then query_to_xml(
        format(
            case when setting.count_rows
                 then 'with sample as materialized (select %1$I as seen from %2$s)'
                 when looked.bytes is null
                 then 'with sample as materialized (select %1$I as seen from %2$s limit 1001)'
                 when looked.is_whole
                 then 'with sample as materialized (select %1$I as seen from %2$s where ctid < ''(2000,0)'')'
                 else 'with sample as materialized (
                           (select %1$I as seen from %2$s where ctid < ''(1000,0)'' limit 1001)
                           union all
                           (select %1$I as seen from %2$s where ctid >= ''(%3$s,0)''))'
            end
            -- Not min() and max(): not every type that can be partitioned by has them (uuid).
            || ' select count(*) as rows,
                        (select seen::text from sample order by seen limit 1) as lowest,
                        (select seen::text from sample order by seen desc limit 1) as highest, '
            || case when headroom.last_upper_text is null then ' null as nearest, null as farthest '
                    when looked.is_indexed and not setting.count_rows then
                       '(select %1$I::text from %2$s where %1$I >= %4$L::%5$s order by %1$I limit 1) as nearest,
                        (select %1$I::text from %2$s where %1$I >= %4$L::%5$s order by %1$I desc limit 1) as farthest '
                    else
                       '(select seen::text from sample where seen >= %4$L::%5$s order by seen limit 1) as nearest,
                        (select seen::text from sample where seen >= %4$L::%5$s order by seen desc limit 1) as farthest '
               end
            || ' from sample',
            partition_set.control,
            partition_set.default_partition::regclass,
            looked.pages - 1000,
            headroom.last_upper_text,
            partition_set.control_type::regtype),
        false, false, '') end
    columns rows bigint, lowest text, highest text, nearest text, farthest text
) sample on true
where partition_set.default_partition is not null
