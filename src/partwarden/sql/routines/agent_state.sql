create function partwarden.agent_state(
    out now timestamptz, out delivers boolean, out has_new boolean, out due text[], out next_at timestamptz, out jobs jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What there is to do for an agent: the one question that it asks again and again, so it reads no more than what waits.
-- "has_new": notifications for which no channel has been chosen yet, or that may be settled. "due": the channels that have
-- something to send; "next_at": when the next one has, whatever it is now.
begin
    now := clock_timestamp();
    select setting.delivered_by <> 'aws_lambda' into delivers from partwarden.setting;
    select coalesce(bool_or(
            waiting.routed_at is null
            or not exists (select from partwarden.delivery
                           where delivery.notification_number = waiting.number and delivery.delivered_at is null)), false)
    into has_new
    from partwarden.notification waiting
    where waiting.delivered_at is null and delivers;
    select
        coalesce(array_agg(distinct waiting.channel) filter (where waiting.next_attempt_at <= agent_state.now), '{}'),
        min(waiting.next_attempt_at) filter (where waiting.next_attempt_at > agent_state.now)
    into due, next_at
    from partwarden.delivery waiting
    where waiting.delivered_at is null and delivers;
    select coalesce(jsonb_agg(jsonb_build_object(
        'kind', job.kind,
        'schedule', job.schedule,
        'last_started_at', coalesce(job.last_started_at, job.since))), '[]')
    into jobs
    from partwarden.agent_job job;
end
$$;
comment on function partwarden.agent_state() is 'What there is to do for an agent.';
