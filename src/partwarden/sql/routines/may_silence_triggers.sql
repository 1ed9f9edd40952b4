create function partwarden.may_silence_triggers()
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- Whether this role may set session_replication_role, with which no foreign key's own triggers fire: a superuser, and
-- from PostgreSQL 15 on whoever was granted it.
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        return true;
    end if;
    if current_setting('server_version_num')::integer < 150000 then
        return false;
    end if;
    return has_parameter_privilege('session_replication_role', 'set');
end
$$;
