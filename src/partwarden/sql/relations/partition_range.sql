-- relation: partition_range
-- uses: partition_set, partition_child
-- why: the half-open range of every partition but the default, as a time or as a number. A side that is open, because it
--      has no end or one beyond what counts as a time or an id, has none
select
    bound.parent,
    bound.child,
    bound.child_kind,
    bound.lower_text,
    bound.upper_text,
    bound.is_open_below,
    bound.is_open_above,
    case when not bound.is_open_below then
        case bound.kind
            when 'time' then bound.lower_text::timestamptz
            when 'epoch' then to_timestamp(bound.lower_text::numeric / bound.epoch_unit)
            when 'encoded' then (xpath('/row/at/text()', query_to_xml(
                format('select %s(%L) as at', bound.decoder, bound.lower_text), false, true, '')))[1]::text::timestamptz
        end
    end                                                                              as lower_at,
    case when not bound.is_open_above then
        case bound.kind
            when 'time' then bound.upper_text::timestamptz
            when 'epoch' then to_timestamp(bound.upper_text::numeric / bound.epoch_unit)
            when 'encoded' then (xpath('/row/at/text()', query_to_xml(
                format('select %s(%L) as at', bound.decoder, bound.upper_text), false, true, '')))[1]::text::timestamptz
        end
    end                                                                              as upper_at,
    case when bound.kind = 'id' and not bound.is_open_below then bound.lower_text::numeric end as lower_id,
    case when bound.kind = 'id' and not bound.is_open_above then bound.upper_text::numeric end as upper_id
from (
    select
        literal.*,
        case
            when literal.lower_text = any (literal.endless) then true
            when literal.kind = 'time' then strpos(literal.lower_text, '-') > 6 and literal.lower_text ~ '^\d{6}'
            when literal.kind = 'epoch' then coalesce(
                literal.lower_text::numeric / literal.epoch_unit not between literal.first_second and literal.last_second,
                false)
            when literal.kind = 'id' then length(literal.lower_text) > 100
            else false
        end as is_open_below,
        case
            when literal.upper_text = any (literal.endless) then true
            when literal.kind = 'time' then strpos(literal.upper_text, '-') > 6 and literal.upper_text ~ '^\d{6}'
            when literal.kind = 'epoch' then coalesce(
                literal.upper_text::numeric / literal.epoch_unit not between literal.first_second and literal.last_second,
                false)
            when literal.kind = 'id' then length(literal.upper_text) > 100
            else false
        end as is_open_above
    from (
        select
            partition_set.parent,
            partition_set.kind,
            partition_set.epoch_unit,
            partition_set.decoder,
            partition_child.child,
            partition_child.child_kind,
            -- FOR VALUES FROM ('a') TO ('b'); a regular expression takes ten times as long, and there may be 100,000.
            btrim(split_part(substr(partition_child.bound, 18), ') TO (', 1), '''')             as lower_text,
            btrim(split_part(rtrim(partition_child.bound, ')'), ') TO (', 2), '''')             as upper_text,
            array['MINVALUE', 'MAXVALUE', 'infinity', '-infinity', 'Infinity', '-Infinity', 'NaN'] as endless,
            -- What PostgreSQL's to_timestamp() takes.
            -210866803200                                                                      as first_second,
            9224318015999                                                                      as last_second
        from partition_set
        join partition_child on partition_child.parent = partition_set.parent
        where partition_child.bound like 'FOR VALUES FROM (%) TO (%)'
        -- Worked out once for each partition, not wherever it is used.
        offset 0
    ) literal
    offset 0
) bound
