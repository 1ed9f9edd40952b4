-- check: delivery-failing
-- severity: critical
-- needs: monitor
-- uses: setting, monitor_state, delivery
-- why: notifications have been waiting for too long: what partwarden has found reaches nobody, or not everybody
select
    'critical'                                                                     as severity,
    failing.object                                                                 as object,
    failing.summary                                                                as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', failing.cause,
        'pending', failing.pending,
        'attempts', failing.attempts))                                             as detail,
    failing.remedy                                                                 as remedy,
    failing.oldest_pending                                                         as since
from (
    select
        'notifications' as object,
        format('%s notifications have not been delivered, the oldest since %s', state.pending,
            to_char(state.oldest_pending at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) as summary,
        coalesce(
            state.last_error,
            case when state.delivered_by = 'aws_lambda'
                 then 'Nothing delivers them: the monitor is called without a function to send them to.'
                 else 'No agent takes them: partwarden agent does not run, or does not reach this database.' end) as cause,
        state.pending,
        state.attempts,
        format('select * from partwarden.notification where number = %s;', state.notification) as remedy,
        state.oldest_pending
    from monitor_state state
    union all
    select
        'channel ' || delivery.channel,
        format('%s notifications have not reached channel %s, the oldest since %s', delivery.pending, delivery.channel,
            to_char(delivery.oldest_pending at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')),
        coalesce(
            delivery.last_error,
            'No agent has tried: partwarden agent does not run, or its file has no such channel any more.'),
        delivery.pending,
        delivery.attempts,
        format('partwarden test-alert --channel %s', delivery.channel)
            || case when delivery.refused
                    then format('  -- what it will never take: select partwarden.give_up_deliveries(%L);', delivery.channel)
                    else '' end,
        delivery.oldest_pending
    from delivery
) failing
cross join setting
where failing.oldest_pending < now() - setting.deliver_within
