create function partwarden.purge_job_runs(
    p_keep_successes interval default '7 days',
    p_keep_failures interval default '90 days',
    p_at_most integer default 100000)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
-- However little the server knows about the table, it is read along its index, from where we are.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
-- Deletes old rows of cron.job_run_details, which pg_cron never does: all that are older than the one interval, and
-- successes that are older than the other. Returns how many. For either, it looks at no more rows than p_at_most, in
-- the order of runid, the only index there is, and remembers how far it has come: failures that are kept are passed
-- once, not at every call. A role sees, and purges, its own runs only, so each has its own place. Two at once take turns.
declare
    c_step      constant integer := 5000;
    c_in_flight constant bigint := 1000;
    v_pass    text;
    v_cursor  bigint;
    v_before  timestamptz;
    v_left    integer;
    v_looked  integer;
    v_first   bigint;
    v_last    bigint;
    v_last_at timestamptz;
    v_old     bigint;
    v_batch   bigint;
    v_deleted bigint := 0;
begin
    if partwarden.extension_schema('pg_cron') is null then
        raise exception 'could not purge runs of jobs: pg_cron is not installed in database %', current_database()
            using errcode = 'undefined_object', hint = 'Call it in the database that pg_cron lives in, often postgres.';
    end if;
    if p_keep_successes is null or p_keep_failures is null or p_at_most is null or p_at_most < 1
        or p_keep_successes < interval '0' or p_keep_failures < p_keep_successes then
        raise exception 'could not purge runs of jobs: failures have to be kept as long as successes, or longer, and '
                        'p_at_most has to be 1 or more (p_keep_successes %, p_keep_failures %, p_at_most %)',
                coalesce(p_keep_successes::text, 'NULL'), coalesce(p_keep_failures::text, 'NULL'),
                coalesce(p_at_most::text, 'NULL')
            using errcode = 'invalid_parameter_value';
    end if;
    perform pg_advisory_xact_lock(hashtext('partwarden purge'));
    insert into partwarden.purge_state (username) values (current_user) on conflict do nothing;
    -- pg_cron was made anew, and counts from the beginning.
    update partwarden.purge_state set all_up_to = 0, successes_up_to = 0
    where username = current_user
      and greatest(all_up_to, successes_up_to) > (select last_value from cron.runid_seq);

    foreach v_pass in array array['all', 'successes'] loop
        v_left := p_at_most;
        v_before := now() - case v_pass when 'all' then p_keep_failures else p_keep_successes end;
        select case v_pass when 'all' then all_up_to else greatest(all_up_to, successes_up_to) end
        into v_cursor
        from partwarden.purge_state where username = current_user;

        while v_left > 0 loop
            -- Runs start in the order of runid. One without a time, which pg_cron leaves behind when it is stopped
            -- in the wrong moment, is older than the next one that has a time.
            select count(*), min(runid), max(runid), (array_agg(at order by runid desc) filter (where at is not null))[1],
                   max(runid) filter (where at < v_before)
            into v_looked, v_first, v_last, v_last_at, v_old
            from (
                select run.runid, coalesce(run.start_time, run.end_time) as at
                from cron.job_run_details run
                where run.runid > v_cursor
                order by run.runid
                limit least(c_step, v_left)
            ) step;
            if v_looked = 0 then
                -- There may be millions of other roles' runs, which are passed once as well.
                v_cursor := greatest(v_cursor, (select last_value from cron.runid_seq) - c_in_flight);
                exit;
            end if;
            v_left := v_left - v_looked;
            if v_last_at is null then
                select coalesce(run.start_time, run.end_time) into v_last_at
                from cron.job_run_details run
                where run.runid > v_last and coalesce(run.start_time, run.end_time) is not null
                order by run.runid
                limit 1;
                v_old := case when v_last_at < v_before then v_last end;
            end if;
            if v_old is null then
                v_cursor := v_first - 1;
                exit;
            end if;

            delete from cron.job_run_details run
            where run.runid > v_cursor and run.runid <= v_old
              and (run.status = 'succeeded' or v_pass = 'all')
              and coalesce(run.start_time, run.end_time, v_before - interval '1 second') < v_before;
            get diagnostics v_batch = row_count;
            v_deleted := v_deleted + v_batch;
            v_cursor := v_old;
            exit when v_last_at >= v_before or v_last_at is null;
        end loop;

        update partwarden.purge_state
        set all_up_to = case v_pass when 'all' then v_cursor else all_up_to end,
            successes_up_to = case v_pass when 'successes' then v_cursor else successes_up_to end
        where username = current_user;
    end loop;
    return v_deleted;
end
$$;
comment on function partwarden.purge_job_runs(interval, interval, integer) is
    'Deletes old runs from cron.job_run_details, failures later than successes, a bounded number at a time.';
