-- check: id-exhausted
-- severity: warning, critical when a twentieth is left
-- needs: sets
-- uses: partition_set, headroom
-- why: the ids of the set come to the end of what their type can hold; then every insert fails, whatever partitions
--      there are
select
    case when used.share >= 0.95 then 'critical' else 'warning' end                as severity,
    partition_set.name                                                             as object,
    format('%s has used %s%% of the ids that %s can hold', partition_set.name, floor(used.share * 100),
        partition_set.control_type::regtype)                                       as summary,
    jsonb_build_object(
        'cause', format('Column %I is of type %s.', partition_set.control, partition_set.control_type::regtype),
        'position', headroom.position_id)                                          as detail,
    format('-- plan the change to %s: the type of a partition key can''t be altered; %s',
        case when partition_set.control_type = 'bigint'::regtype then 'numeric' else 'bigint' end, partition_set.name) as remedy,
    null::timestamptz                                                              as since
from partition_set
join headroom on headroom.parent = partition_set.parent
cross join lateral (
    select headroom.position_id / case partition_set.control_type
        when 'smallint'::regtype then 32767
        when 'integer'::regtype then 2147483647
        when 'bigint'::regtype then 9223372036854775807
    end as share
) used
where partition_set.kind = 'id'
  and used.share >= 0.8
