-- relation: delivery
-- uses: given
-- why: of each channel of the agent's that something waits for, how much that is, and the oldest of it
select delivery.*
from given
cross join jsonb_to_recordset(given.fact -> 'delivery') as delivery (
    channel        text,
    pending        bigint,
    oldest_pending timestamptz,
    attempts       integer,
    refused        boolean,
    last_error     text
)
