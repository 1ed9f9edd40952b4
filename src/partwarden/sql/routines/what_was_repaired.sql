create function partwarden.what_was_repaired(p_incident partwarden.incident)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What was moved out of the default partition of an incident's set from its beginning to its end; NULL if nothing was.
-- An incident knows its set as SQL writes it, a repair as pg_partman does.
select format('%s %s moved from the default partition into %s %s, %s',
    to_char(sum(repair.rows_moved), 'FM999,999,999,999,990'),
    case sum(repair.rows_moved) when 1 then 'row' else 'rows' end,
    sum(repair.partitions),
    case sum(repair.partitions) when 1 then 'partition' else 'partitions' end,
    partwarden.utc(max(repair.at)))
from partwarden.repair
where repair.partitions > 0
  and repair.at >= least(p_incident.since, p_incident.opened_at)
  and repair.at <= coalesce(p_incident.resolved_at, clock_timestamp())
  and repair.parent_table in (
      select nspname || '.' || relname
      from pg_class
      join pg_namespace on pg_namespace.oid = relnamespace
      where pg_class.oid = case when p_incident.object ~ '^("([^"]|"")+"|[^".]+)\.("([^"]|"")+"|[^".]+)$'
                                then to_regclass(p_incident.object) end)
having count(*) > 0
$$;
