-- concern: sub-control-nullable
-- uses: managed_parent, part_config_sub, partman
-- why: pg_partman 5 makes no partitions by a column that may be null, unless sub_control_not_null (5.2) says so; the next
--      partition of the level above can't be made
select
    '5.0.0'::text    as since,
    'critical'::text as severity,
    config.sub_parent as object,
    format('its column %I, which the level below is partitioned by, may be null', config.sub_control) as what,
    '{}'::text[]     as before,
    array[format('update %I.part_config_sub set sub_control_not_null = false where sub_parent = %L;', partman.schema,
        config.sub_parent)] as after
from partman
cross join managed_parent
join lateral (
    select config ->> 'sub_parent' as sub_parent, config ->> 'sub_control' as sub_control,
        config ->> 'sub_control_not_null' as must_not
    from part_config_sub
) config on config.sub_parent = managed_parent.config ->> 'parent_table'
join pg_attribute attribute
    on attribute.attrelid = managed_parent.parent and attribute.attname = config.sub_control and not attribute.attnotnull
where coalesce(config.must_not, 'true') = 'true'
