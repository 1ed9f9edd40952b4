create function partwarden.close_guard(p_table regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Takes a guard's constraint and trigger off a table. What is left of it, a sequence and two functions, is in nobody's way.
begin
    execute format('alter table %s drop constraint if exists partwarden_guard', p_table);
    execute format('drop trigger if exists partwarden_guard on %s', p_table);
end
$$;
