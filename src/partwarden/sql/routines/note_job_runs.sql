create function partwarden.note_job_runs()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes note of pg_cron's jobs, and of the runs since the last time. Only rows behind the cursor are read, by the one
-- index that cron.job_run_details has. An unfinished run holds the cursor back for a day; one that never got a start
-- time (pg_cron leaves such rows behind for ever), for as long as it is among the newest.
declare
    c_in_flight constant bigint := 1000;
    c_look_back constant bigint := 100000;
    v_cursor bigint;
    v_newest bigint;
begin
    if partwarden.extension_schema('pg_cron') is null or not has_schema_privilege('cron', 'usage') then
        return;
    end if;
    select run_cursor into v_cursor from partwarden.monitor_state;
    select last_value into v_newest from cron.runid_seq;
    if v_newest < v_cursor then
        v_cursor := 0;  -- pg_cron was made anew, and counts from 1
        delete from partwarden.job_run;
    end if;
    v_cursor := greatest(v_cursor, v_newest - c_look_back, 0);

    insert into partwarden.job_run as known (jobid, schedule, schedule_since)
    select job.jobid, job.schedule, now() from cron.job
    where not exists (select from partwarden.job_run seen where seen.jobid = job.jobid and seen.schedule = job.schedule)
    on conflict (jobid) do update
    set schedule = excluded.schedule, schedule_since = excluded.schedule_since;

    insert into partwarden.job_run as known (
        jobid, newest_runid, newest_status, newest_start, newest_pid, last_started)
    select distinct on (run.jobid)
        run.jobid, run.runid, run.status, run.start_time, run.job_pid,
        -- The time of a run that never started is when we saw it.
        max(coalesce(run.start_time, run.end_time, now())) over (partition by run.jobid)
    from cron.job_run_details run
    where run.runid > v_cursor
    order by run.jobid, run.runid desc
    on conflict (jobid) do update
    set newest_runid = excluded.newest_runid,
        newest_status = excluded.newest_status,
        newest_start = excluded.newest_start,
        newest_pid = excluded.newest_pid,
        last_started = excluded.last_started,
        seen_at = now()
    where (known.newest_runid, known.newest_status, known.newest_start, known.newest_pid) is distinct from
          (excluded.newest_runid, excluded.newest_status, excluded.newest_start, excluded.newest_pid);

    insert into partwarden.job_run as known (
        jobid, runid, database, username, command, status, return_message, start_time, end_time, failing_since, usual)
    select distinct on (run.jobid)
        run.jobid, run.runid, run.database, run.username, run.command, run.status, run.return_message,
        run.start_time, run.end_time,
        case when run.status = 'failed' then coalesce(run.start_time, run.end_time, now()) end,
        avg(run.end_time - run.start_time) filter (where run.status = 'succeeded') over (partition by run.jobid)
    from cron.job_run_details run
    where run.runid > v_cursor and run.status in ('succeeded', 'failed')
    order by run.jobid, run.runid desc
    on conflict (jobid) do update
    set runid = excluded.runid,
        database = excluded.database,
        username = excluded.username,
        command = excluded.command,
        status = excluded.status,
        return_message = excluded.return_message,
        start_time = excluded.start_time,
        end_time = excluded.end_time,
        failing_since = case when excluded.status = 'failed'
                             then coalesce(known.failing_since, excluded.failing_since) end,
        usual = coalesce((known.usual * 3 + excluded.usual) / 4, excluded.usual, known.usual),
        seen_at = excluded.seen_at
    where excluded.runid > coalesce(known.runid, 0);

    update partwarden.monitor_state
    set run_cursor = coalesce(
        (
            select min(run.runid) - 1
            from cron.job_run_details run
            where run.runid > v_cursor
              and run.status not in ('succeeded', 'failed')
              and (run.start_time > now() - interval '1 day'
                   or run.start_time is null and run.runid > v_newest - c_in_flight)
        ),
        -- Other roles' runs are hidden from us: pass them by, but none that may not be committed yet.
        greatest(v_newest - c_in_flight, v_cursor, (select max(run.runid) from cron.job_run_details run where run.runid > v_cursor)));
end
$$;
