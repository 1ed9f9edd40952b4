-- check: default-blocks-maintenance
-- severity: critical, warning when the row blocks no more than a partition some way ahead
-- needs: pg_partman
-- uses: partition_set, headroom, default_sample
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
    blocked.cure                                                                   as remedy,
    null::timestamptz                                                              as since
from (
    select
        partition_set.*,
        default_sample.nearest,
        default_sample.cure,
        headroom.last_upper_text,
        headroom.last_upper_at,
        headroom.last_upper_id,
        case partition_set.kind
            when 'time' then default_sample.nearest::timestamptz
            when 'epoch' then to_timestamp(default_sample.nearest::numeric / partition_set.epoch_unit)
            when 'encoded' then (xpath('/row/at/text()', query_to_xml(
                format('select %s(%L) as at', partition_set.decoder, default_sample.nearest),
                false, true, '')))[1]::text::timestamptz
        end                                                                                as nearest_at,
        case when partition_set.kind = 'id' then default_sample.nearest::numeric end       as nearest_id
    from partition_set
    join headroom on headroom.parent = partition_set.parent
    join default_sample on default_sample.parent = partition_set.parent
    where partition_set.is_maintained
      and not partition_set.is_full
      and default_sample.nearest is not null
) blocked
where not blocked.ignores_default
   or blocked.nearest_at < blocked.last_upper_at + blocked.premake * blocked.step
   or blocked.nearest_id < blocked.last_upper_id + blocked.premake * blocked.width
union all
select
    'skipped',
    partition_set.name,
    case when default_sample.blind is not null then 'a default partition could not be looked into'
         else 'without an index on the control column only a part of a default partition was looked at' end,
    null,
    coalesce(default_sample.blind, 'create such an index, or count exactly: partwarden check --count-rows'),
    null
from default_sample
join partition_set on partition_set.parent = default_sample.parent
where partition_set.is_maintained
  and (default_sample.blind is not null
       or default_sample.bytes is not null and not default_sample.is_whole and not default_sample.is_indexed
          and default_sample.nearest is null)
