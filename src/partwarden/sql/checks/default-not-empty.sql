-- check: default-not-empty
-- severity: warning
-- needs: sets
-- uses: partition_set, headroom, default_sample, partman
-- why: rows in a default partition mean that a partition was missing when they came, and they stop the one
--      that should hold them from being created
select
    'warning'                                                                      as severity,
    waiting.name                                                                   as object,
    format('%s in the default partition of %s',
        case when waiting.rows = 1 then '1 row waits' else waiting.told_rows || ' rows wait' end, waiting.name) as summary,
    jsonb_build_object(
        'cause', 'No partition existed for these rows when they were written.',
        'default_partition', waiting.default_partition::regclass::text,
        'rows', waiting.told_rows,
        'bytes', waiting.bytes,
        'lowest_seen', waiting.lowest,
        'highest_seen', waiting.highest)                                           as detail,
    -- Draining a row that is absurdly far ahead would make a partition there, and pg_partman count from it.
    case
        when waiting.is_far then
            format('select * from %s where %I >= %L;  -- correct or remove rows that are far ahead, before draining',
                waiting.default_partition::regclass, waiting.control, waiting.last_upper_text)
        when waiting.is_managed then
            format(E'call %I.partition_data_proc(%L);\n%s', waiting.partman, waiting.parent_table, waiting.maintain)
        else
            format('select * from %s order by %I limit 20;  -- make partitions for them, or remove them',
                waiting.default_partition::regclass, waiting.control)
    end                                                                            as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.*,
        default_sample.rows,
        default_sample.bytes,
        default_sample.lowest,
        default_sample.highest,
        case when default_sample.is_whole then default_sample.rows::text
             else 'more than ' || least(default_sample.rows, 1000) end as told_rows,
        headroom.last_upper_text,
        partman.schema as partman,
        partman.maintain,
        case partition_set.kind
            when 'time' then default_sample.highest::timestamptz
                             > headroom.last_upper_at + 2 * partition_set.premake * partition_set.step
            when 'id' then default_sample.highest::numeric
                           > headroom.last_upper_id + 2 * partition_set.premake * partition_set.width
            else false
        end as is_far
    from partition_set
    join default_sample on default_sample.parent = partition_set.parent
    left join headroom on headroom.parent = partition_set.parent
    left join partman on true
    where default_sample.rows > 0
) waiting
union all
select
    'skipped',
    partition_set.name,
    'a default partition could not be looked into',
    null,
    case default_sample.blind
        when 'forbidden' then format('grant pg_read_all_data to %I;  -- or SELECT on the default partitions', current_user)
        when 'locked' then 'another session has locked it'
        else 'rows lie in over 300 default partitions, and no more are opened at a time' end,
    null
from default_sample
join partition_set on partition_set.parent = default_sample.parent
where default_sample.blind is not null
union all
select
    'skipped',
    partition_set.name,
    'only a part of a default partition was looked at, and no row found there',
    null,
    'vacuum it, or count exactly: partwarden check --count-rows',
    null
from default_sample
join partition_set on partition_set.parent = default_sample.parent
where default_sample.blind is null and not default_sample.is_whole and default_sample.rows = 0
  and default_sample.bytes is not null
