-- relation: id_usage
-- uses: given
-- why: how fast the ids of each set have been used up, as far back as the monitor has looked
select usage.parent_table, usage.first_seen, usage.last_seen, usage.first_id, usage.last_id
from given
cross join jsonb_to_recordset(given.fact -> 'id_usage') as usage (
    parent_table text, first_seen timestamptz, last_seen timestamptz, first_id numeric, last_id numeric)
