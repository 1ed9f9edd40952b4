-- check: default-not-empty
-- severity: warning
-- needs: sets
-- uses: partition_set, default_sample
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
    waiting.cure                                                                   as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.name,
        default_sample.*,
        case when default_sample.is_whole then default_sample.rows::text
             else 'more than ' || least(default_sample.rows, 1000) end as told_rows
    from partition_set
    join default_sample on default_sample.parent = partition_set.parent
    where default_sample.rows > 0
) waiting
union all
select
    'skipped',
    partition_set.name,
    'a default partition could not be looked into',
    null,
    default_sample.blind,
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
