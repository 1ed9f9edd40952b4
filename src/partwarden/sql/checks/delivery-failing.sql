-- check: delivery-failing
-- severity: critical
-- needs: monitor
-- uses: setting, monitor_state
-- why: notifications have been waiting for too long: what partwarden has found reaches nobody
select
    'critical'                                                                     as severity,
    'notifications'                                                                as object,
    format('%s notifications have not been delivered, the oldest since %s', state.pending,
        to_char(state.oldest_pending at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) as summary,
    jsonb_strip_nulls(jsonb_build_object(
        'cause', coalesce(state.last_error, 'Nothing delivers them: the monitor is called without a function to send them to.'),
        'pending', state.pending,
        'attempts', state.attempts))                                               as detail,
    format(E'select * from partwarden.notification where number = %s;', state.notification) as remedy,
    state.oldest_pending                                                           as since
from monitor_state state
cross join setting
where state.oldest_pending < now() - setting.deliver_within
