create function partwarden.refuse_drain(p_parent regclass)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Raises why rows of this set can't be moved by this role, if they can't.
declare
    c_most_tables constant integer := 300;
    c_most_bytes  constant bigint := 256 * 1024 * 1024;
    v_name   text := p_parent::text;
    v_config jsonb;
    v_key    record;
    v_table  record;
begin
    select listed.config
    into v_config
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    cross join partwarden.part_config(nspname || '.' || relname) as listed (config)
    where pg_class.oid = p_parent;
    if v_config ->> 'async_partitioning_in_progress' is not null then
        raise exception 'could not drain %: partition_data_async() works on it, or was interrupted', v_name
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('When nothing works on it any more: partwarden repair %s', v_name);
    end if;
    if (v_config ->> 'undo_in_progress')::boolean then
        raise exception 'could not drain %: its partitioning is being undone (undo_in_progress)', v_name
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('If it is to be partitioned all the same: partwarden repair %s', v_name);
    end if;
    select relid::regclass::text as name
    into v_table
    from (select p_parent as relid union all select partdefid::regclass from pg_partitioned_table where partrelid = p_parent) listed
    join pg_class on pg_class.oid = relid
    where relrowsecurity
      and row_security_active(pg_class.oid)
    limit 1;
    if found then
        raise exception 'could not drain %: row-level security hides rows of % from role %', v_name, v_table.name, current_user
            using errcode = 'insufficient_privilege',
                hint = 'Drain as a role with BYPASSRLS, or as the owner without FORCE ROW LEVEL SECURITY.';
    end if;
    select pg_get_userbyid(relowner) as name
    into v_table
    from pg_class
    where oid = p_parent and not pg_has_role(relowner, 'usage');
    if found then
        raise exception 'could not drain %: role % does not own it', v_name, current_user
            using errcode = 'insufficient_privilege',
                hint = format('Drain as %I, or grant %I to %I;', v_table.name, v_table.name, current_user);
    end if;
    if partwarden.may_silence_triggers() then
        return;
    end if;
    -- A foreign key that references the set has to be dropped for a moment and made anew.
    select
        conname,
        conrelid::regclass as on_table,
        case
            when not pg_has_role(relowner, 'usage') then format('role %s does not own that table', current_user)
            when tables.number > c_most_tables then
                format('it ties %s tables together, and making it anew would take long', tables.number)
            when not partwarden.is_validated_later(conrelid) and tables.bytes > c_most_bytes then
                format('all %s of it would be checked anew while nobody can write', pg_size_pretty(tables.bytes))
        end as reason
    into v_key
    from partwarden.references_to(p_parent) as listed (key)
    join pg_constraint on pg_constraint.oid = key
    join pg_class on pg_class.oid = conrelid
    cross join lateral (
        select count(*) as number, sum(pg_relation_size(tree.relid)) as bytes
        from (select relid from pg_partition_tree(p_parent) union select relid from pg_partition_tree(conrelid)
              union select conrelid) tree
    ) tables
    order by 3 nulls last
    limit 1;
    if v_key.reason is not null then
        raise exception 'could not drain %: foreign key % of % references it, and %',
            v_name, v_key.conname, v_key.on_table, v_key.reason
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('As an administrator: grant set on parameter session_replication_role to %I; '
                              '(PostgreSQL 15 or newer), or drain as one.', current_user);
    end if;
end
$$;
