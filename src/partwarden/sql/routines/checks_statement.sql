create function partwarden.checks_statement(p_checks text[], p_met text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- The SELECT that runs the given checks as one statement, so that what they share is worked out once.
select coalesce('with ' || string_agg(needed.text, E',\n' order by needed.number) || E'\n', '') || (
    select string_agg(
        format(E'select %L::text as check_id, found.* from (%s) found', listed.check_id, listed.statement), E'\nunion all\n')
    from partwarden.checks() listed
    where listed.check_id = any (p_checks))
from (
    select
        relation.number,
        format(E'%I as materialized (%s)', relation.name,
            case when relation.needs is not null and relation.needs <> all (p_met) then relation.instead
                 else replace(relation.statement, '{{pg_partman}}',
                              coalesce(quote_ident(partwarden.extension_schema('pg_partman')), '')) end) as text
    from partwarden.relations() relation
    where relation.name in (
        select unnest(listed.uses) from partwarden.checks() listed where listed.check_id = any (p_checks))
) needed
$$;
