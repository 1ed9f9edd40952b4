-- check: job-wrong-target
-- severity: critical
-- needs: pg_cron, jobs
-- uses: cron_job, partman
-- why: the job can't work as it is written: its database or role does not exist, it calls a procedure with SELECT, or it
--      calls what is not in that database
select
    'critical'                                                                     as severity,
    wrong.object                                                                   as object,
    format('pg_cron job %s can''t work: %s', wrong.jobid, wrong.reason)            as summary,
    jsonb_build_object(
        'cause', wrong.reason,
        'database', wrong.database,
        'user', wrong.username,
        'command', btrim(wrong.command))                                           as detail,
    wrong.remedy                                                                   as remedy,
    null::timestamptz                                                              as since
from (
    select cron_job.*, verdict.reason, verdict.remedy
    from cron_job
    left join partman on true
    cross join lateral regexp_match(cron_job.command, '(?:"((?:[^"]|"")+)"|(\w+))\s*\.\s*"?run_maintenance', 'i')
        as named (parts)
    cross join lateral (
        select case
            when not cron_job.is_local then null
            -- pg_cron looks the roles of all jobs up, active or not.
            when not cron_job.role_exists then format('role %s does not exist', cron_job.username)
            when not cron_job.active then null
            when not cron_job.database_exists then format('database %s does not exist', cron_job.database)
            when not cron_job.role_can_login then format('role %s may not log in', cron_job.username)
            when not cron_job.role_can_connect
                then format('role %s may not connect to database %s', cron_job.username, cron_job.database)
            when cron_job.command ~* '^\s*select\M[^;]*\m(run_maintenance_proc|partwarden\.(maintain|monitor)|send_cron_job_failures\w*)\s*\('
                then 'a procedure is run by CALL, not by SELECT'
            when cron_job.command ~* '^\s*call\M[^;]*\mrun_maintenance\s*\('
                then 'run_maintenance() is a function: SELECT it, or CALL run_maintenance_proc()'
            when cron_job.database <> current_database() then null
            when cron_job.command ~* '\mrun_maintenance' and partman.schema is null
                then format('database %s has no pg_partman', cron_job.database)
            when cron_job.command ~* '\mpartwarden\.' and to_regnamespace('partwarden') is null
                then format('database %s has no partwarden', cron_job.database)
            when cron_job.command !~* '\mrun_maintenance' then null
            when coalesce(replace(named.parts[1], '""', '"'), lower(named.parts[2])) <> partman.schema
                then format('pg_partman is in schema %I of database %s', partman.schema, cron_job.database)
        end as reason
    ) found
    cross join lateral (
        select found.reason, case
            when not cron_job.database_exists or not cron_job.role_exists
                then format('select cron.unschedule(%s);  -- or: select cron.alter_job(%1$s, database => %L, username => %L);',
                    cron_job.jobid, current_database(), current_user)
            when not cron_job.role_can_login then format('alter role %I login;', cron_job.username)
            when not cron_job.role_can_connect
                then format('grant connect on database %I to %I;', cron_job.database, cron_job.username)
            when cron_job.command ~* '\mpartwarden\.(maintain|monitor)|send_cron'
                then format('select cron.alter_job(%s, command => %L);', cron_job.jobid,
                    regexp_replace(cron_job.command, '^\s*select\M', 'call', 'i'))
            when partman.schema is not null
                then format('select cron.alter_job(%s, command => %L);', cron_job.jobid,
                    format('call %I.run_maintenance_proc();', partman.schema))
            else format('select cron.unschedule(%s);', cron_job.jobid)
        end as remedy
    ) verdict
    where found.reason is not null
) wrong
