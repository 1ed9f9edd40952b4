-- source: cron_job
-- why: pg_cron's jobs as a JSON array, with what the server knows of the database and the role of each
select coalesce(jsonb_agg(to_jsonb(job) || jsonb_build_object(
    'database_exists', target.oid is not null,
    'role_exists', role.oid is not null,
    'role_can_login', role.rolcanlogin,
    'role_can_connect', pg_catalog.has_database_privilege(role.oid, target.oid, 'connect')
)), '[]') as cron_job
from cron.job
left join pg_catalog.pg_database target on target.datname = job.database::name
left join pg_catalog.pg_roles role on role.rolname = job.username::name
