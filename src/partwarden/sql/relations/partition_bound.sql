-- relation: partition_bound
-- uses: partition_set, partition_child
-- why: the half-open range of every partition but the default, as a time or as a number; one without an end on a side
--      has none
select
    bound.parent,
    bound.child,
    bound.child_kind,
    bound.lower_text,
    bound.upper_text,
    case bound.kind
        when 'time' then bound.lower_text::timestamptz
        when 'epoch' then to_timestamp(bound.lower_text::numeric / bound.epoch_unit)
        when 'encoded' then (xpath('/row/at/text()', query_to_xml(
            format('select %s(%L) as at', bound.decoder, bound.lower_text), false, true, '')))[1]::text::timestamptz
    end                                                                              as lower_at,
    case bound.kind
        when 'time' then bound.upper_text::timestamptz
        when 'epoch' then to_timestamp(bound.upper_text::numeric / bound.epoch_unit)
        when 'encoded' then (xpath('/row/at/text()', query_to_xml(
            format('select %s(%L) as at', bound.decoder, bound.upper_text), false, true, '')))[1]::text::timestamptz
    end                                                                              as upper_at,
    case when bound.kind = 'id' then bound.lower_text::numeric end                   as lower_id,
    case when bound.kind = 'id' then bound.upper_text::numeric end                   as upper_id
from (
    select
        partition_set.parent,
        partition_set.kind,
        partition_set.epoch_unit,
        partition_set.decoder,
        partition_child.child,
        partition_child.child_kind,
        literal.ends[1]    as lower_text,
        literal.ends[2]    as upper_text
    from partition_set
    join partition_child on partition_child.parent = partition_set.parent
    cross join lateral (
        -- FOR VALUES FROM ('a') TO ('b'); a regular expression takes ten times as long, and there may be 100,000.
        select array[
            btrim(split_part(substr(partition_child.bound, 18), ') TO (', 1), ''''),
            btrim(split_part(rtrim(partition_child.bound, ')'), ') TO (', 2), '''')
        ] as ends
        -- Worked out once for each partition, not wherever it is used.
        offset 0
    ) literal
    where partition_child.bound like 'FOR VALUES FROM (%) TO (%)'
      and not literal.ends && array['MINVALUE', 'MAXVALUE', 'infinity', '-infinity']
) bound
