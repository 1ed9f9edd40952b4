create procedure {{schema}}.send_cron_job_failures(p_lambda_arn varchar, p_sns_topic_arn varchar)
language plpgsql
as $$
begin
    call partwarden.monitor(p_lambda_arn, p_sns_topic_arn);
end
$$;
comment on procedure {{schema}}.send_cron_job_failures(varchar, varchar) is
    'partwarden: the procedure of the AWS article, now a door to partwarden.monitor()';
