create function partwarden.given()
returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
-- What the checks can't read for themselves, with the rights of partwarden's owner: what pg_cron shows to that role,
-- and what partwarden remembers. A role that may call this can run every check; it is shown nothing else.
declare
    v_given jsonb := '{}';
    v_part  jsonb;
begin
    if partwarden.extension_schema('pg_cron') is null then
        v_given := v_given || jsonb_build_object('cron_reason', 'pg_cron is not in this database');
    elsif not has_schema_privilege('cron', 'usage') then
        v_given := v_given || jsonb_build_object('cron_reason', format(
            'role %1$s may not look into schema cron: grant usage on schema cron to %1$s;', quote_ident(current_user)));
    else
        {{source cron_server}} into v_part;
        v_given := v_given || jsonb_build_object('cron', v_part);
        {{source cron_job}} into v_part;
        v_given := v_given || jsonb_build_object('cron_job', v_part);
    end if;
    return v_given || jsonb_build_object(
        'setting', (select to_jsonb(setting) from partwarden.setting),
        'cron_run', (select coalesce(jsonb_agg(to_jsonb(run)), '[]') from partwarden.job_run run),
        'maintenance_record', (select coalesce(jsonb_agg(to_jsonb(record)), '[]')
                               from partwarden.maintenance_record() record),
        'wanted_set', (select coalesce(jsonb_agg(to_jsonb(wanted)), '[]') from partwarden.wanted_set wanted),
        'last_good_call', (select max(started_at) from partwarden.maintenance
                           where outcome = 'succeeded' and parent_table is null),
        'id_usage', (select coalesce(jsonb_agg(to_jsonb(usage)), '[]') from (
            select
                parent_table,
                min(seen_at)    as first_seen,
                max(seen_at)    as last_seen,
                min(highest_id) as first_id,
                max(highest_id) as last_id
            from partwarden.id_usage
            group by parent_table
        ) usage),
        'monitor', (
            select to_jsonb(state)
            from (
                select
                    installation.installed_at,
                    monitor_state.last_started_at,
                    monitor_state.last_finished_at,
                    (select count(*) from partwarden.notification where delivered_at is null) as pending,
                    oldest.created_at as oldest_pending,
                    oldest.attempts,
                    oldest.last_error,
                    oldest.number as notification,
                    (select delivered_by from partwarden.setting) as delivered_by
                from partwarden.monitor_state
                cross join partwarden.installation
                left join lateral (
                    -- What waits for channels only is told of by channel, below.
                    select waiting.*
                    from partwarden.notification waiting
                    cross join partwarden.setting
                    where waiting.delivered_at is null
                      and (setting.delivered_by in ('aws_lambda', 'both') and waiting.invoked_at is null
                           or setting.delivered_by in ('agent', 'both') and waiting.routed_at is null)
                    order by waiting.number limit 1
                ) oldest on true
            ) state
        ),
        'delivery', (select coalesce(jsonb_agg(to_jsonb(waiting)), '[]') from (
            select
                oldest.channel,
                counted.pending,
                notification.created_at as oldest_pending,
                oldest.attempts,
                oldest.refused,
                oldest.last_error
            from (
                select channel, count(*) as pending, min(notification_number) as number
                from partwarden.delivery
                where delivered_at is null
                group by channel
            ) counted
            join partwarden.delivery oldest
                on oldest.notification_number = counted.number and oldest.channel = counted.channel
            join partwarden.notification on notification.number = counted.number
            where (select delivered_by from partwarden.setting) in ('agent', 'both')
            order by oldest.channel
        ) waiting),
        'agent_job', (select coalesce(jsonb_agg(to_jsonb(job)), '[]') from partwarden.agent_job job));
end
$$;
comment on function partwarden.given() is
    'What checks can''t read for themselves: pg_cron''s jobs and runs, and what partwarden remembers.';
