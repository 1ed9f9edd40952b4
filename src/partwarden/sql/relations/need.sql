-- relation: need
-- uses: given
-- why: what checks need and this database, or this role, does not give, with what would help. The check is then done
--      "not" at all, or "partly", for what can be seen; or it is "pointless": there is nothing that it could find
select need.name, need.reason, need.done
from given
cross join (
    select
        coalesce(given.fact -> 'cron', 'null') as cron,
        coalesce(given.fact ->> 'cron_reason', 'pg_cron is not in this database') as cron_reason,
        given.fact -> 'monitor' as monitor,
        jsonb_array_length(coalesce(given.fact -> 'agent_job', '[]')) as agent_jobs,
        quote_ident(current_user) as role,
        (select nspname from pg_namespace join pg_extension on extnamespace = pg_namespace.oid
         where extname = 'pg_partman') as partman
    from given
) found
cross join lateral (
    select case
        when found.partman is null then 'pg_partman is not in this database'
        when not has_schema_privilege(found.partman, 'usage')
            or not has_table_privilege(format('%I.part_config', found.partman), 'select')
            then format('role %1$s may not read pg_partman''s configuration: grant usage on schema %2$I to %1$s; '
                        'grant select on all tables in schema %2$I to %1$s;', found.role, found.partman)
    end as reason
) partman
cross join lateral (
    select
        case when (found.cron ->> 'hidden')::boolean
             then format('row-level security hides other roles'' jobs from %1$s; where their owner installs partwarden: '
                         'partwarden install --reader %1$s', found.role) end as jobs,
        case when not pg_has_role('pg_read_all_stats', 'member')
             then format('what other roles'' sessions do is hidden: grant pg_read_all_stats to %s;', found.role)
        end as activity
) hidden
cross join lateral (
    values
        ('pg_partman', partman.reason, 'not'),
        ('sets', case when found.partman is not null then partman.reason end, 'not'),
        ('sets', case
            when not exists (
                select from pg_partitioned_table join pg_class on oid = partrelid
                join pg_namespace on pg_namespace.oid = relnamespace where nspname !~ '^(pg_|information_schema$)')
                then 'no table is partitioned'
         end, 'pointless'),
        -- Where an agent keeps the schedule, pg_cron may be missing.
        ('pg_cron', case when found.cron = 'null' then found.cron_reason end,
            case when found.agent_jobs > 0 then 'pointless' else 'not' end),
        ('jobs', hidden.jobs, 'partly'),
        ('all_jobs', hidden.jobs, 'not'),
        ('runs', case
            when found.cron ->> 'log_run' = 'off' then 'cron.log_run is off: pg_cron records no runs'
         end, 'not'),
        ('timezone', case
            when not (found.cron ->> 'sees_settings')::boolean
                then format('cron.timezone is hidden, so only jobs of every hour and more often are looked at: '
                            'grant pg_read_all_settings to %s;', found.role)
         end, 'partly'),
        ('cron_settings', case
            when not (found.cron ->> 'sees_settings')::boolean
                then format('the server''s settings are hidden: grant pg_monitor to %s;', found.role)
         end, 'not'),
        ('activity', hidden.activity, 'partly'),
        ('all_activity', hidden.activity, 'not'),
        ('monitor', case
            when found.monitor is null then coalesce(given.fact ->> 'monitor_reason', 'partwarden is not installed in this database')
         end, 'not'),
        ('primary', case when pg_is_in_recovery() then 'this server is a standby' end, 'not')
) need (name, reason, done)
where need.reason is not null
