-- relation: agent_job
-- uses: given
-- why: what the agent calls when it is due, where pg_cron does not
select job.*
from given
cross join jsonb_to_recordset(given.fact -> 'agent_job') as job (
    kind             text,
    schedule         text,
    command          text,
    since            timestamptz,
    last_started_at  timestamptz,
    last_finished_at timestamptz,
    last_error       text
)
