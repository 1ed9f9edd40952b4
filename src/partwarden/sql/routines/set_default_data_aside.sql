create function partwarden.set_default_data_aside(p_parent_table text, p_facts jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Keeps pg_partman, for this transaction only, from searching a big default partition for its farthest row while everybody
-- waits: we know already that there is none behind the last partition. Whether that had to be said to it.
begin
    if (p_facts ->> 'may_ignore_default')::boolean is not true or (p_facts ->> 'ignores_default')::boolean then
        return false;
    end if;
    execute format('update %I.part_config set ignore_default_data = true where parent_table = $1 and not ignore_default_data',
        partwarden.extension_schema('pg_partman'))
    using p_parent_table;
    return found;
end
$$;
