create function partwarden.invoke_function(p_lambda_arn text, p_payload jsonb, p_invocation_type text, p_patience interval)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Invokes a Lambda function through aws_lambda, and returns what that says: status_code, payload, executed_version,
-- log_result. The answer is waited for as long as p_patience, where this role may say so. Raises what aws_lambda raises.
declare
    v_answer record;
begin
    if to_regnamespace('aws_lambda') is null then
        raise exception 'the extension aws_lambda is not installed in database %', current_database()
            using errcode = 'undefined_object', hint = 'create extension aws_lambda cascade;';
    end if;
    begin
        perform set_config('aws_lambda.request_timeout_ms', (extract(epoch from p_patience) * 1000)::bigint::text, true);
    exception when insufficient_privilege or cant_change_runtime_param then
        null;  -- where only the administrator may say how long, it is for as long as that
    end;
    select * into v_answer
    from aws_lambda.invoke(
        p_lambda_arn, p_payload::json, nullif(split_part(p_lambda_arn, ':', 4), ''), p_invocation_type);
    return to_jsonb(v_answer);
end
$$;
