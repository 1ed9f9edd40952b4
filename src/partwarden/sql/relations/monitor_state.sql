-- relation: monitor_state
-- uses: given
-- why: when the monitor last looked, and the oldest notification that nobody has taken out; one row where it is installed
select state.*
from given
cross join jsonb_to_record(given.fact -> 'monitor') as state (
    installed_at     timestamptz,
    last_started_at  timestamptz,
    last_finished_at timestamptz,
    pending          bigint,
    oldest_pending   timestamptz,
    attempts         integer,
    last_error       text,
    notification     bigint,
    delivered_by     text
)
where given.fact ->> 'monitor' is not null
