-- concern: trigger-based
-- uses: part_config, part_config_sub
-- why: pg_partman 5 knows declarative partitioning only, and its update refuses to run while one set of the other kind is
--      configured. The set has to be made a declarative one first, with pg_partman 4
select
    '5.0.0'::text    as since,
    'critical'::text as severity,
    found.object,
    format('it is partitioned by triggers (type %s)', found.type) as what,
    '{}'::text[]     as before,
    '{}'::text[]     as after
from (
    select config ->> 'parent_table', config ->> 'partition_type' from part_config
    union
    select config ->> 'sub_parent', config ->> 'sub_partition_type' from part_config_sub
) found (object, type)
where found.type in ('partman', 'time-custom', 'time-static', 'time-dynamic', 'id-static', 'id-dynamic')
