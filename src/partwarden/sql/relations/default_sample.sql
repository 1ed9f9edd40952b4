-- relation: default_sample
-- uses: setting, partition_set, headroom, locked, partman
-- why: what lies in each default partition, from a bounded look: up to 2,000 pages all of it, of a bigger one 1,001 rows
--      of the first and all of the last 1,000 pages; and the next row behind the last partition by an index on the
--      control column. is_whole says whether nothing can have been missed, blind why nothing was looked at, and
--      cure what to do about the rows
select
    looked.parent,
    looked.default_partition,
    case
        when looked.blind = 'forbidden'
            then format('grant pg_read_all_data to %I;  -- or SELECT on the default partitions', current_user)
        when looked.blind = 'locked' then 'another session has locked it'
        when looked.is_one_too_many then 'rows lie in over 300 default partitions, and no more are opened at a time'
    end as blind,
    looked.bytes,
    looked.is_whole,
    looked.is_indexed,
    sample.rows,
    sample.lowest,
    sample.highest,
    sample.nearest,
    case
        -- Draining a row that is absurdly far ahead would make a partition there, and pg_partman count from it.
        when reach.is_far then
            format('select * from %s where %I >= %L;  -- correct or remove rows that are far ahead, before draining',
                looked.default_partition::regclass, looked.control, looked.last_upper_text)
        -- The procedure moves a partition's rows under a lock; much is better copied beside the set, by the command.
        when looked.is_managed and partman.is_guarded and looked.bytes <= 2000 * current_setting('block_size')::bigint then
            format(E'call partwarden.drain(%L);\n%s', looked.parent_table, partman.maintain)
        when looked.is_managed then
            'partwarden repair ' || case when looked.parent_table ~ '^[A-Za-z0-9_.]+$' then looked.parent_table
                -- A shell takes a name in apostrophes as it is.
                else '''' || replace(looked.parent_table, '''', '''\''''') || '''' end
        else
            format('select * from %s order by %I limit 20;  -- make partitions for them, or remove them',
                looked.default_partition::regclass, looked.control)
    end as cure
from (
    select
        file.*,
        setting.count_rows,
        headroom.last_upper_text,
        headroom.last_upper_at + 2 * file.premake * file.step  as far_at,
        headroom.last_upper_id + 2 * file.premake * file.width as far_id,
        file.bytes / current_setting('block_size')::bigint as pages,
        coalesce(file.bytes <= 2000 * current_setting('block_size')::bigint, false) or setting.count_rows as is_whole,
        exists (
            select from pg_index index
            join pg_attribute attribute on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
            where index.indrelid = file.default_partition
              and index.indisvalid and index.indpred is null
              and attribute.attname = file.control
        ) as is_indexed,
        -- What is opened stays locked, with its indexes, until the statement ends, and the table of locks is not ours.
        row_number() over (
            partition by file.blind is null and file.bytes is distinct from 0 order by file.parent
        ) > 300 and file.bytes is distinct from 0 as is_one_too_many
    from (
        select
            seen.*,
            -- What has no file to speak of (a default partition that is partitioned itself) may hold anything.
            case when seen.barrier is distinct from 'locked' and seen.relation_kind = 'r'
                 then pg_relation_size(seen.default_partition) end as bytes,
            case when seen.barrier = 'locked' or seen.relation_kind <> 'r' or pg_relation_size(seen.default_partition) > 0
                 then seen.barrier end as blind
        from (
            select
                partition_set.*,
                child.relkind as relation_kind,
                case
                    when child.oid in (select locked.table_oid from locked) then 'locked'
                    when not has_schema_privilege(child.relnamespace, 'usage')
                        or not has_table_privilege(child.oid, 'select') then 'forbidden'
                end as barrier
            from partition_set
            join pg_class child on child.oid = partition_set.default_partition
        ) seen
    ) file
    cross join setting
    left join headroom on headroom.parent = file.parent
) looked
-- An empty file is not opened at all: most default partitions are empty, and there may be thousands.
left join lateral xmltable(
    '/table/row'
    passing case when looked.blind is null and looked.bytes is distinct from 0 and not looked.is_one_too_many
    then query_to_xml(
        format(
            case when looked.count_rows
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
            || case when looked.last_upper_text is null then ' null as nearest, null as farthest '
                    when looked.is_indexed and not looked.count_rows then
                       '(select %1$I::text from %2$s where %1$I >= %4$L::%5$s order by %1$I limit 1) as nearest,
                        (select %1$I::text from %2$s where %1$I >= %4$L::%5$s order by %1$I desc limit 1) as farthest '
                    else
                       '(select seen::text from sample where seen >= %4$L::%5$s order by seen limit 1) as nearest,
                        (select seen::text from sample where seen >= %4$L::%5$s order by seen desc limit 1) as farthest '
               end
            || ' from sample',
            looked.control,
            looked.default_partition::regclass,
            looked.pages - 1000,
            looked.last_upper_text,
            looked.control_type::regtype),
        false, false, '') end
    columns rows bigint, lowest text, highest text, nearest text, farthest text
) sample on true
cross join lateral (
    select case looked.kind
        when 'time' then sample.farthest::timestamptz > looked.far_at
        when 'id' then sample.farthest::numeric > looked.far_id
    end as is_far
) reach
left join partman on true
