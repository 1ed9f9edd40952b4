create function partwarden.refuse_rows_in_the_way(p_facts jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Raises what PostgreSQL would raise when the first partition is attached, before anybody has to wait for it: it would
-- search a big default partition for the row that stands in the way, under a lock that excludes everybody.
begin
    if (p_facts ->> 'in_the_way')::bigint > 0 and (p_facts ->> 'default_bytes')::bigint > 1024 * 1024 then
        raise exception 'updated partition constraint for default partition "%" would be violated by some row',
                (select relname from pg_class where oid = (p_facts ->> 'default_partition')::oid)
            using errcode = 'check_violation',
                detail = format('Rows from %s up to %s belong into partitions that are to be made.',
                    p_facts ->> 'last_upper_text', p_facts ->> 'until'),
                hint = format('partwarden drain %s', p_facts ->> 'name');
    end if;
end
$$;
