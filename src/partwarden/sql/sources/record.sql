-- source: record
-- why: what partwarden keeps in a database of incidents, notifications and maintenance, as one JSON object; every part is read
--      by an index, or is one row
select jsonb_build_object(
    'version', (select version from partwarden.installation),
    'cluster', (select cluster from partwarden.setting),
    'monitor_at', (select last_finished_at from partwarden.monitor_state),
    'heartbeat_at', (select last_heartbeat from partwarden.heartbeat),
    'open', (
        select jsonb_object_agg(counted.severity, counted.incidents)
        from (
            select severity, count(*) as incidents from partwarden.incident where resolved_at is null group by severity
        ) counted
    ),
    'pending', (select count(*) from partwarden.notification where delivered_at is null),
    'pending_since', (
        select created_at from partwarden.notification where delivered_at is null order by number limit 1
    ),
    'delivery_error', (
        select last_error from partwarden.notification where delivered_at is null order by number limit 1
    ),
    'delivered_at', (
        select delivered_at from partwarden.notification where delivered_at is not null order by delivered_at desc limit 1
    ),
    'maintenance', (
        select to_jsonb(newest) from (
            select id, started_at, finished_at, outcome, sets, sets_failed
            from partwarden.maintenance order by started_at desc limit 1
        ) newest
    ),
    'maintained_at', (
        select finished_at from (
            select finished_at, outcome, parent_table from partwarden.maintenance order by started_at desc limit 1000
        ) recent
        where outcome = 'succeeded' and parent_table is null limit 1
    ),
    'reach', (
        select jsonb_object_agg(a_day_ago.parent_table, a_day_ago.seen)
        from (
            select distinct on (parent_table)
                parent_table,
                jsonb_build_array(extract(epoch from seen_at), extract(epoch from edge_at)) as seen
            from partwarden.reach
            where seen_at between now() - interval '36 hours' and now() - interval '12 hours'
            order by parent_table, seen_at desc
        ) a_day_ago
    )
) as record
