create function partwarden.deliver(p_claimed partwarden.notification, p_lambda_arn text, p_sns_topic_arn text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Invokes the Lambda function with one claimed notification and notes the outcome. Returns the error, or NULL.
-- The answer is waited for longer than the function may run, so that "no answer" hardly ever hides a success; the
-- notification's id goes along, so that a repeat can be told from a second message.
declare
    v_setting partwarden.setting;
    v_answer  jsonb;
    v_error   text;
    v_detail  text;
begin
    select * into v_setting from partwarden.setting;
    begin
        v_answer := partwarden.invoke_function(
            p_lambda_arn,
            p_claimed.payload || jsonb_build_object(
                'message', p_claimed.message
                    || E'\n\n--\n' || format('notification %s, attempt %s', p_claimed.id, p_claimed.attempts),
                'sns_topic_arn', p_sns_topic_arn,
                'subject', p_claimed.subject,
                'notification_id', p_claimed.id,
                'attempt', p_claimed.attempts),
            'RequestResponse', v_setting.invoke_timeout);
    exception when others then
        get stacked diagnostics v_error = message_text, v_detail = pg_exception_detail;
        v_error := concat_ws(': ', v_error, nullif(v_detail, ''));
    end;
    update partwarden.notification
    set invoked_at = case when v_error is null then clock_timestamp() end,
        receipt = case when v_error is null then v_answer end,
        last_error = v_error,
        -- The function has answered, so there is no need to wait for it any longer.
        next_attempt_at = next_attempt_at - v_setting.invoke_timeout
    where number = p_claimed.number;
    perform partwarden.settle_notification(p_claimed.number);
    return v_error;
end
$$;
