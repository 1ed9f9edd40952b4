create function partwarden.observe()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Checks -> findings -> incidents -> one notification of all that changed, in one transaction. Two at once take
-- turns: the second finds what the first has written.
declare
    v_now      timestamptz := clock_timestamp();
    v_findings jsonb;
    v_skipped  jsonb;
    v_events   jsonb;
begin
    perform partwarden.use_lock_timeout();
    perform pg_advisory_xact_lock(hashtext('partwarden observe'));
    perform partwarden.note_job_runs();

    select
        coalesce(jsonb_agg(to_jsonb(result)) filter (where result.skipped is null), '[]'),
        coalesce(jsonb_agg(jsonb_build_object('check', result.check_id, 'reason', result.skipped))
                 filter (where result.skipped is not null), '[]')
    into v_findings, v_skipped
    from partwarden.run_checks() result;

    with finding as (
        select distinct on (found.check_id, found.object) found.*
        from jsonb_to_recordset(v_findings) as found (
            check_id text, severity text, object text, summary text, detail jsonb, remedy text, since timestamptz)
        order by found.check_id, found.object, found.severity
    ),
    -- What a check that was not done had found before is neither gone nor found again.
    resolved as (
        update partwarden.incident
        set resolved_at = v_now, last_announced_at = v_now
        where incident.resolved_at is null
          and not exists (select from finding
                          where finding.check_id = incident.check_id and finding.object = incident.object)
          and not exists (select from jsonb_array_elements(v_skipped) skipped
                          where skipped ->> 'check' = incident.check_id)
        returning incident.id, 'resolved' as event
    ),
    opened as (
        insert into partwarden.incident (
            check_id, object, severity, summary, detail, remedy, since, opened_at, last_announced_at)
        select finding.check_id, finding.object, finding.severity, finding.summary, finding.detail, finding.remedy,
               least(coalesce(finding.since, v_now), v_now), v_now, v_now
        from finding
        where not exists (select from partwarden.incident
                          where incident.check_id = finding.check_id and incident.object = finding.object
                            and incident.resolved_at is null)
        returning incident.id, 'opened' as event
    ),
    continued as (
        select
            incident.id,
            finding.severity, finding.summary, finding.detail, finding.remedy,
            case
                when finding.severity = 'critical' and incident.severity = 'warning' then 'worsened'
                when incident.last_announced_at + setting.remind_after <= v_now then 'reminder'
            end as event
        from finding
        join partwarden.incident
            on incident.check_id = finding.check_id and incident.object = finding.object and incident.resolved_at is null
        cross join partwarden.setting
        where (incident.severity, incident.summary, incident.detail, incident.remedy)
              is distinct from (finding.severity, finding.summary, finding.detail, finding.remedy)
           or incident.last_announced_at + setting.remind_after <= v_now
    ),
    updated as (
        update partwarden.incident
        set severity = continued.severity,
            summary = continued.summary,
            detail = continued.detail,
            remedy = continued.remedy,
            last_announced_at = case when continued.event is null then incident.last_announced_at else v_now end
        from continued
        where incident.id = continued.id
        returning incident.id, continued.event
    )
    select jsonb_agg(jsonb_build_object('incident', id, 'event', event))
    into v_events
    from (
        select * from opened
        union all select * from updated where event is not null
        union all select * from resolved
    ) changed;

    if v_events is not null then
        perform partwarden.notify_of(v_events, v_now);
    end if;

    update partwarden.monitor_state set last_started_at = v_now, last_finished_at = clock_timestamp(), skipped = v_skipped;
    perform partwarden.forget_history();
end
$$;
