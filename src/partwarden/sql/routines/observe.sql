create function partwarden.observe()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Checks -> findings -> incidents -> one notification of all that changed, in one transaction. Two at once take
-- turns: the second finds what the first has written.
declare
    v_now      timestamptz;
    v_findings jsonb;
    v_skipped  jsonb;
    v_undone   text[];
    v_to_do    text[];
    v_resting  text[];
    v_unseen   text[];
    v_events   jsonb;
begin
    perform partwarden.use_lock_timeout();
    perform pg_advisory_xact_lock(hashtext('partwarden observe'));
    v_now := clock_timestamp();
    update partwarden.monitor_state set last_started_at = v_now;
    perform partwarden.note_job_runs();
    begin
        perform partwarden.note_id_usage();
        perform partwarden.note_reach();
    exception when others then
        null;  -- what stands in its way stands in a check's way too, and that check says so
    end;

    v_to_do := partwarden.checks_to_do(v_now);
    v_resting := array(select check_id from partwarden.checks() where check_id <> all (v_to_do));

    -- What a check that was not done had found before is neither gone nor found again. One that was done in part
    -- is listed as well, and what it no longer finds is gone.
    select
        coalesce(jsonb_agg(to_jsonb(result)) filter (where result.skipped is null), '[]'),
        coalesce(jsonb_agg(distinct jsonb_build_object('check', result.check_id, 'reason', result.skipped))
                 filter (where result.skipped is not null), '[]'),
        coalesce(array_agg(result.check_id)
                 filter (where result.skipped is not null
                           and not result.partly), '{}'),
        coalesce(array_agg(concat_ws(' ', result.check_id, result.object))
                 filter (where result.partly and result.object is not null), '{}')
    into v_findings, v_skipped, v_undone, v_unseen
    from partwarden.run_checks(v_to_do) result;
    v_undone := v_undone || v_resting;
    if v_resting = '{}' then
        update partwarden.monitor_state set sets_looked_at = v_now, sets_took = clock_timestamp() - v_now;
    end if;

    with finding as (
        select distinct on (found.check_id, found.object) found.*
        from jsonb_to_recordset(v_findings) as found (
            check_id text, severity text, object text, summary text, detail jsonb, remedy text, since timestamptz)
        order by found.check_id, found.object, found.severity
    ),
    -- The incident that a finding belongs to: the open one; else one that may be reopened, because it has been gone
    -- for a short while only, its end has not been told yet, or it is to be silent if it comes back.
    known as (
        select distinct on (incident.check_id, incident.object)
            incident.*,
            coalesce(greatest(
                incident.silenced_until, partwarden.silent_until(incident.check_id, incident.object)) > v_now, false)
                as silenced,
            incident.last_announced_at + setting.remind_after <= v_now as remind,
            not exists (select from finding
                        where finding.check_id = incident.check_id and finding.object = incident.object)
                and incident.check_id <> all (v_undone)
                and concat_ws(' ', incident.check_id, incident.object) <> all (v_unseen) as is_away
        from partwarden.incident
        cross join partwarden.setting
        where incident.resolved_at is null
           or incident.resolved_at + setting.flap_window > v_now
           or incident.held_back
           or incident.silenced_until > v_now
        order by incident.check_id, incident.object, incident.resolved_at is null desc, incident.id desc
    ),
    -- Gone. The first time, that is told at once. What has come back once may do so again: it is told when it has
    -- stayed away for a while.
    gone as (
        select
            known.id,
            known.told,
            known.silenced,
            known.reopened > 0 and not known.silenced and setting.flap_window > interval '0' as hold_back
        from known
        cross join partwarden.setting
        where known.resolved_at is null and known.is_away
    ),
    resolved as (
        update partwarden.incident
        set resolved_at = v_now,
            held_back = gone.hold_back,
            told = case when gone.hold_back or gone.silenced then incident.told else 'resolved' end,
            last_announced_at = case when gone.hold_back or gone.silenced then incident.last_announced_at else v_now end
        from gone
        where incident.id = gone.id
        returning incident.id,
            case when not gone.hold_back and not gone.silenced and gone.told is distinct from 'resolved'
                 then 'resolved' end as event
    ),
    stayed_away as (
        update partwarden.incident
        set held_back = false,
            told = case when known.silenced then incident.told else 'resolved' end,
            last_announced_at = case when known.silenced then incident.last_announced_at else v_now end
        from known
        cross join partwarden.setting
        where incident.id = known.id
          and known.held_back and known.is_away
          and known.resolved_at + setting.flap_window <= v_now
        returning incident.id, case when not known.silenced then 'resolved' end as event
    ),
    opened as (
        insert into partwarden.incident (
            check_id, object, severity, summary, detail, remedy, since, opened_at, last_announced_at, told)
        select finding.check_id, finding.object, finding.severity, finding.summary, finding.detail, finding.remedy,
               least(coalesce(finding.since, v_now), v_now), v_now, v_now,
               case when partwarden.silent_until(finding.check_id, finding.object) > v_now then null
                    else finding.severity end
        from finding
        where not exists (select from known
                          where known.check_id = finding.check_id and known.object = finding.object)
        returning incident.id, case when incident.told is not null then 'opened' end as event
    ),
    found_again as (
        select
            known.id,
            known.resolved_at is not null as reopens,
            finding.severity, finding.summary, finding.detail, finding.remedy,
            case
                when finding.severity = 'critical'
                    and case when known.silenced then known.silenced_severity else known.told end = 'warning'
                    then 'worsened'
                when known.silenced then null
                -- Nobody is left believing that it is over.
                when known.told = 'resolved' then 'reopened'
                when known.told is null then 'opened'
                when known.acknowledged_at is not null then null
                when known.remind then 'reminder'
            end as event
        from finding
        join known on known.check_id = finding.check_id and known.object = finding.object
    ),
    updated as (
        update partwarden.incident
        set severity = found_again.severity,
            summary = found_again.summary,
            detail = found_again.detail,
            remedy = found_again.remedy,
            resolved_at = null,
            held_back = false,
            reopened = incident.reopened + found_again.reopens::integer,
            told = case when found_again.event is null then incident.told else found_again.severity end,
            last_announced_at = case when found_again.event is null then incident.last_announced_at else v_now end,
            -- This is news: what somebody has said about it before holds no longer.
            acknowledged_at = case when found_again.event in ('worsened', 'reopened') then null
                                   else incident.acknowledged_at end,
            acknowledged_by = case when found_again.event in ('worsened', 'reopened') then null
                                   else incident.acknowledged_by end,
            silenced_until = case when found_again.event = 'worsened' then null else incident.silenced_until end,
            silenced_severity = case when found_again.event = 'worsened' then null else incident.silenced_severity end
        from found_again
        where incident.id = found_again.id
          and (found_again.event is not null
               or found_again.reopens
               or (incident.severity, incident.summary, incident.detail, incident.remedy)
                  is distinct from
                  (found_again.severity, found_again.summary, found_again.detail, found_again.remedy))
        returning incident.id, found_again.event
    )
    select jsonb_agg(jsonb_build_object('incident', id, 'event', event))
    into v_events
    from (
        select * from opened
        union all select * from updated
        union all select * from resolved
        union all select * from stayed_away
    ) changed
    where event is not null;

    if v_events is not null then
        perform partwarden.notify_of(v_events, v_now);
    end if;

    update partwarden.monitor_state set last_finished_at = clock_timestamp(), skipped = v_skipped;
    perform partwarden.forget_history();
end
$$;
