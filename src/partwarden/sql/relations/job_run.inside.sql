-- relation: job_run
-- uses: -
-- why: the newest finished run of each pg_cron job, as the monitor has taken note of it
select * from partwarden.job_run
