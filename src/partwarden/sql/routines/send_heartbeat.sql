create function partwarden.send_heartbeat(p_lambda_arn text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Tells the Lambda function that the monitor has looked and has nothing that it could not tell, at most once in a minute
-- of the clock. The function is not waited for. What goes wrong is written down, and nothing is raised. While a
-- notification can't be delivered no heartbeat is sent: then the alarm that goes off without one is the only voice left.
declare
    c_patience constant interval := '5 seconds';
    v_now         timestamptz := clock_timestamp();
    v_undelivered partwarden.notification;
    v_error       text;
    v_detail      text;
begin
    perform partwarden.use_lock_timeout();
    perform from partwarden.heartbeat cross join partwarden.setting
    where setting.heartbeat and date_trunc('minute', last_tried_at) is distinct from date_trunc('minute', v_now)
    for update of heartbeat skip locked;  -- somebody else is at it
    if not found then
        return;
    end if;
    begin
        select * into v_undelivered from partwarden.notification
        where delivered_at is null and last_error is not null
        order by number limit 1;
        if found then
            v_error := format('withheld, since notification %s can''t be delivered: %s',
                v_undelivered.number, v_undelivered.last_error);
        else
            perform partwarden.invoke_function(
                p_lambda_arn,
                jsonb_build_object('heartbeat', jsonb_build_object(
                    'cluster', coalesce(nullif(left(partwarden.cluster_name(), 500), ''), '-'),
                    'database', current_database(),
                    'at', v_now)),
                'Event', c_patience);
        end if;
    exception when others then
        get stacked diagnostics v_error = message_text, v_detail = pg_exception_detail;
        v_error := concat_ws(': ', v_error, nullif(v_detail, ''));
    end;
    update partwarden.heartbeat
    set last_tried_at = v_now,
        last_heartbeat = case when v_error is null then v_now else last_heartbeat end,
        last_error = v_error;
exception when others then
    get stacked diagnostics v_error = message_text;
    raise warning 'whether the heartbeat was sent could not be written down: %', v_error;
end
$$;
