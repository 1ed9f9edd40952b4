create function partwarden.next_step(p_facts jsonb, p_rounds integer, p_may_guard boolean)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What comes next for a set of which this is known: 'stand back' while it is being drained; 'repair' when rows are in the
-- way and may be moved (that may bring pg_partman to make more, so that others are: up to ten times); 'guard'
-- when attaching a partition would read a big default partition under a lock that excludes everybody; or 'create'.
begin
    return (
        select case
            when p_facts ->> 'drain' is not null then 'stand back'
            when (p_facts ->> 'due')::integer > 0 and (p_facts ->> 'in_the_way')::bigint > 0 then
                case when p_rounds < 10
                      and (p_facts ->> 'in_the_way')::bigint
                          <= partwarden.most_to_move(p_facts ->> 'parent_table', (p_facts ->> 'default_bytes')::bigint)
                     then 'repair' else 'create' end
            when (p_facts ->> 'due')::integer > 0 and p_may_guard
                and (p_facts ->> 'default_bytes')::bigint > 16 * 1024 * 1024 then 'guard'
            else 'create'
        end
    );
end
$$;
