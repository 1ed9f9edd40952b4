-- relation: setting
-- uses: given
-- why: the thresholds that a person may have changed
select setting.*
from given
cross join jsonb_to_record(given.fact -> 'setting') as setting (
    maintenance_stale_after interval,
    headroom_grace          interval,
    headroom                integer,
    id_headroom             interval,
    overdue_grace           interval,
    stuck_after             interval,
    blocked_after           interval,
    deliver_within          interval,
    monitor_within          interval,
    leftovers_after         interval,
    run_log_rows            bigint,
    require_default         boolean,
    count_rows              boolean
)
