-- relation: wanted_set
-- uses: given
-- why: what the file wants of each set, as partwarden apply has left it: columns of part_config, and of part_config_sub
select wanted.*
from given
cross join jsonb_to_recordset(coalesce(given.fact -> 'wanted_set', '[]')) as wanted (
    parent_table text,
    config       jsonb,
    sub          jsonb,
    applied_at   timestamptz
)
