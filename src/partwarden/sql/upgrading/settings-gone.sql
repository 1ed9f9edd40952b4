-- concern: settings-gone
-- uses: part_config, part_config_sub
-- why: pg_partman 5 has no such columns. They did something for sets with triggers only
select
    '5.0.0'::text    as since,
    'note'::text     as severity,
    found.object,
    format('what is set there goes: %s', string_agg(format('%s = %s', setting.name, setting.value), ', ' order by setting.name))
                     as what,
    '{}'::text[]     as before,
    '{}'::text[]     as after
from (
    select config ->> 'parent_table', '', config from part_config
    union all
    select config ->> 'sub_parent', 'sub_', config from part_config_sub
) found (object, prefix, config)
cross join (values
    ('upsert', ''), ('trigger_return_null', 'true'), ('trigger_exception_handling', 'false'), ('optimize_trigger', '4'),
    ('inherit_fk', 'true'), ('drop_cascade_fk', 'false')
) usual (name, value)
cross join lateral (
    select found.prefix || usual.name as name, found.config ->> (found.prefix || usual.name) as value
) setting
where setting.value <> usual.value
group by found.object
