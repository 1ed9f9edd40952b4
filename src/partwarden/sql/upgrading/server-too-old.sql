-- concern: server-too-old
-- uses: -
-- why: pg_partman 5 needs PostgreSQL 14 or newer
select
    '5.0.0'::text                                as since,
    'critical'::text                             as severity,
    'PostgreSQL ' || current_setting('server_version') as object,
    'the server has to be upgraded first'::text  as what,
    '{}'::text[]                                 as before,
    '{}'::text[]                                 as after
where current_setting('server_version_num')::integer < 140000
