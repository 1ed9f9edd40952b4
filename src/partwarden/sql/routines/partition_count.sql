create function partwarden.partition_count(p_parent_table text)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select count(*)
        from pg_inherits
        join pg_class parent on parent.oid = inhparent
        join pg_namespace on pg_namespace.oid = parent.relnamespace
        where nspname = split_part(p_parent_table, '.', 1)::name
          and parent.relname = split_part(p_parent_table, '.', 2)::name
    );
end
$$;
