create procedure {{schema}}.{{name}}(p_lambda_arn varchar, p_sns_topic_arn varchar)
language plpgsql
as $$
-- A procedure of the AWS article, so that its commands go on working. Repeats, lost messages and broken JSON do not.
begin
    call partwarden.monitor(p_lambda_arn, p_sns_topic_arn);
end
$$;
comment on procedure {{schema}}.{{name}}(varchar, varchar) is
    'partwarden: the procedure of the AWS article, now a door to partwarden.monitor()';
