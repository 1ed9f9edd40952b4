create procedure partwarden.monitor(p_lambda_arn text default null, p_sns_topic_arn text default null)
language plpgsql
as $$
-- Looks at everything once, then delivers what there is to tell through the Lambda function. Without arguments it
-- only looks. What was found is committed before anything is delivered: a delivery that fails, or a kill at any
-- point, loses nothing, and the next run tries again. Last comes the heartbeat: it says that all this has been done. Ends
-- with an error when a delivery failed.
declare
    v_patience_ends timestamptz := pg_catalog.clock_timestamp() operator(pg_catalog.+) interval '15 seconds';
    v_claimed       partwarden.notification;
    v_error         text;
begin
    -- Maintenance and monitor often start in the same second. What counts is how things stand after it.
    while partwarden.maintenance_is_working()
        and pg_catalog.clock_timestamp() operator(pg_catalog.<) v_patience_ends
    loop
        commit;
        perform pg_catalog.pg_sleep(0.2);
    end loop;
    if not partwarden.maintenance_is_working() then
        call partwarden.clear_guards();
    end if;
    perform partwarden.observe();
    commit;
    if p_lambda_arn is null then
        return;
    end if;
    perform partwarden.settle_notifications();
    commit;
    loop
        v_claimed := partwarden.claim_notification();
        commit;
        exit when v_claimed.number is null;
        v_error := partwarden.deliver(v_claimed, p_lambda_arn, p_sns_topic_arn);
        commit;
        exit when v_error is not null;
    end loop;
    perform partwarden.send_heartbeat(p_lambda_arn);
    commit;
    if v_error is not null then
        raise exception 'a notification could not be delivered: %', v_error
            using errcode = 'external_routine_invocation_exception',
                hint = pg_catalog.format('It is kept and tried again: select * from partwarden.notification '
                                         'where number = %s;', v_claimed.number);
    end if;
end
$$;
comment on procedure partwarden.monitor(text, text) is
    'Checks everything, keeps incidents, and tells of what changed through the Lambda function and the SNS topic.';
