create function partwarden.agent_state(
    p_channels text[],
    out now timestamptz, out delivers boolean, out has_new boolean, out due text[], out next_at timestamptz, out jobs jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What there is to do for an agent with these channels: the one question that it asks again and again, so it reads no more
-- than the head of each channel, however much waits. "has_new": notifications for which no channel has been chosen yet, or
-- that may be settled. "due": the channels that have something to send; "next_at": when the next one has, whatever it is now.
begin
    now := clock_timestamp();
    select setting.delivered_by in ('agent', 'both') into delivers from partwarden.setting;
    has_new := delivers and (
        exists (select from partwarden.notification waiting where waiting.delivered_at is null and waiting.routed_at is null)
        or exists (select from partwarden.settleable()));
    select
        coalesce(array_agg(asked.name) filter (where head.next_attempt_at <= agent_state.now), '{}'),
        min(head.next_attempt_at) filter (where head.next_attempt_at > agent_state.now)
    into due, next_at
    from unnest(p_channels) as asked (name)
    cross join lateral (
        select coalesce(
            (select waiting.next_attempt_at from partwarden.delivery waiting
             where waiting.channel = asked.name and waiting.delivered_at is null and not waiting.refused
             order by waiting.notification_number limit 1),
            (select waiting.next_attempt_at from partwarden.delivery waiting
             where waiting.channel = asked.name and waiting.delivered_at is null and waiting.refused
             order by waiting.next_attempt_at limit 1))
    ) head (next_attempt_at)
    where delivers;
    select coalesce(jsonb_agg(jsonb_build_object(
        'kind', job.kind,
        'schedule', job.schedule,
        'last_started_at', coalesce(job.last_started_at, job.since))), '[]')
    into jobs
    from partwarden.agent_job job;
end
$$;
comment on function partwarden.agent_state(text[]) is 'What there is to do for an agent.';
