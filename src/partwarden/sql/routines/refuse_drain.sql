create function partwarden.refuse_drain(p_parent regclass)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Raises why rows of this set can't be moved by this role, if they can't.
declare
    v_name  text := p_parent::text;
    v_key   record;
    v_table record;
begin
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
    select
        conname, conrelid::regclass as on_table,
        case confdeltype when 'c' then 'CASCADE' when 'n' then 'SET NULL' when 'd' then 'SET DEFAULT' else 'RESTRICT' end as act
    into v_key
    from partwarden.references_to(p_parent) as listed (key)
    join pg_constraint on pg_constraint.oid = key
    where confdeltype <> 'a'
    limit 1;
    if found and not partwarden.may_silence_triggers() then
        raise exception 'could not drain %: foreign key % of % has ON DELETE %, which moving a row would set off',
            v_name, v_key.conname, v_key.on_table, v_key.act
            using errcode = 'object_not_in_prerequisite_state',
                hint = format('As an administrator: grant set on parameter session_replication_role to %I; '
                              'or have a superuser drain it.', current_user);
    end if;
end
$$;
