create function partwarden.partition_count(p_parent oid)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- How many partitions a table has, the default one included.
begin
    return (
        select count(*) from pg_inherits where inhparent = p_parent
    );
end
$$;
