create function partwarden.make_loose_child(
    p_parent regclass, p_interval text, p_child name, p_lower text, p_upper text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Makes a table that is to become a partition, like those that pg_partman makes, but not attached and without what
-- finish_child() adds when it is full. Its bound stands in a constraint, so that attaching it later need not read it.
declare
    v_set    record := partwarden.drain_set(p_parent, p_interval);
    v_name   text := format('%I.%I', v_set.schema, p_child);
    v_space  name;
    v_plain  boolean := true;
begin
    select spcname into v_space
    from pg_class join pg_tablespace on pg_tablespace.oid = reltablespace where pg_class.oid = p_parent;
    if v_set.is_managed and v_set.config ->> 'template_table' is not null then
        select relpersistence <> 'u' into v_plain
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname || '.' || relname = v_set.config ->> 'template_table';
    end if;
    execute format(
        'create %s table %s (like %s including comments including compression including constraints including defaults
             including generated including statistics including storage) %s',
        case when v_plain then '' else 'unlogged' end, v_name, p_parent,
        coalesce('tablespace ' || quote_ident(v_space), ''));
    execute format(
        'alter table %1$s add constraint partwarden_drain_bound
             check (%2$I is not null and %2$I >= %3$L::%5$s and %2$I < %4$L::%5$s)',
        v_name, v_set.control, p_lower, p_upper, v_set.control_type);
    perform partwarden.check_time_of_epoch(p_parent, p_interval, p_child, p_lower, p_upper);
end
$$;
