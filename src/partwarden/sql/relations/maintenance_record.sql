-- relation: maintenance_record
-- uses: given
-- why: what partwarden.maintain() itself remembers of each set: its newest run in each phase, and how long
--      that phase has been failing
select record.*
from given
cross join jsonb_to_recordset(given.fact -> 'maintenance_record') as record (
    parent_table   text,
    phase          text,
    id             bigint,
    maintenance_id bigint,
    outcome        text,
    finished_at    timestamptz,
    sqlstate       text,
    message        text,
    hint           text,
    failing_since  timestamptz
)
