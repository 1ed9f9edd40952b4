-- concern: background-worker
-- uses: -
-- why: from 5.5 on, pg_partman_bgw.role is partman_maintainer where nobody has set it. The background worker then fails,
--      unless there is such a role that may maintain
select
    '5.5.0'::text as since,
    case when worker.source = 'default' then 'critical'
         when role.rolsuper then 'warning'
         else 'note' end as severity,
    'pg_partman_bgw'::text as object,
    case when worker.source = 'default' then format('nobody has set its role, which is %I until the update', worker.setting)
         when role.rolsuper then format('it maintains as superuser %I, which pg_partman warns against: whoever may write into '
                                        'its configuration can run code as that role', worker.setting)
         else 'its library is the new one after a restart of the server only' end as what,
    case when worker.source = 'default' or role.rolsuper then array[
        format('alter system set pg_partman_bgw.role = %L;', coalesce((
            select pg_get_userbyid(parent.relowner)
            from pg_partitioned_table partitioned join pg_class parent on parent.oid = partitioned.partrelid
            group by parent.relowner order by count(*) desc limit 1), worker.setting)),
        'select pg_reload_conf();'] else '{}' end as before,
    '{}'::text[]  as after
from pg_settings worker
left join pg_roles role on role.rolname = worker.setting
where worker.name = 'pg_partman_bgw.role'
  -- Without a database it does nothing.
  and coalesce(current_setting('pg_partman_bgw.dbname', true), '') <> ''
