-- check: no-default
-- severity: warning
-- needs: sets
-- uses: setting, partition_set
-- why: without a default partition, a row that has no partition is refused; only told of where the setting
--      require_default asks for one
select
    'warning'                                                                      as severity,
    partition_set.name                                                             as object,
    format('%s has no default partition', partition_set.name)                      as summary,
    jsonb_build_object('cause', 'It was made without one, or somebody detached it.') as detail,
    case when to_regclass(named.default_name) is null
         then format('create table %s partition of %s default;', named.default_name, partition_set.name)
         else format('alter table %s attach partition %s default;', partition_set.name, named.default_name) end as remedy,
    null::timestamptz                                                              as since
from partition_set
cross join setting
cross join lateral (
    select format('%I.%I', partition_set.schema, left(partition_set.table_name, 55) || '_default') as default_name
) named
where setting.require_default
  and partition_set.default_partition is null
