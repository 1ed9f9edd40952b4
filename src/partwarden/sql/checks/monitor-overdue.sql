-- check: monitor-overdue
-- severity: critical, warning when it has never looked
-- needs: monitor, primary
-- uses: setting, monitor_state, agent_job
-- why: partwarden's monitor has not looked for too long, so nobody is told of anything; only a look from outside can
--      tell of that
select
    case when state.last_finished_at is null then 'warning' else 'critical' end    as severity,
    'partwarden'                                                                   as object,
    case when state.last_finished_at is null
         then format('partwarden is installed in database %s, and its monitor has never run', current_database())
         else format('the monitor of database %s last looked at %s', current_database(),
                     to_char(state.last_finished_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', case when kept.kind is null then 'Its job is missing, switched off, or fails.'
                      else coalesce('The agent calls it, and it fails: ' || kept.last_error,
                                    'The agent calls it, and does not run, or does not reach this database.') end))
                                                                                   as detail,
    case when kept.kind is null
         then 'select jobid, schedule, command, database, active from cron.job where command ~ ''partwarden\.monitor'';  '
              '-- partwarden schedule puts it there'
         else 'partwarden agent --once  -- says what is wrong; then see that the agent runs' end as remedy,
    coalesce(state.last_finished_at, state.installed_at)                           as since
from monitor_state state
cross join setting
left join agent_job kept on kept.kind = 'monitor'
where coalesce(greatest(state.last_started_at, state.last_finished_at), state.installed_at) < now() - setting.monitor_within
