create function partwarden.convert_names(p_facts jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- What the table will be called (child), and how SQL writes that right after it has lost its name (new_name) and in the end
-- (final_name); what pg_partman calls the default partition and the template table. pg_partman 4 counts characters where
-- PostgreSQL counts bytes: sample_name shows whether the name of a partition fits.
declare
    v_names jsonb;
begin
    execute format(
        'select jsonb_build_object(
             ''default_name'', %1$I.check_name_length($1, ''_default'', false),
             ''template_name'', %1$I.check_name_length(''template_'' || $2 || ''_'' || $1),
             ''sample_name'', %1$I.check_name_length($1, coalesce($3, to_char(now(), ''YYYYMMDD'')), true))',
        p_facts ->> 'partman')
    into v_names
    using p_facts ->> 'table_name', p_facts ->> 'schema', p_facts ->> 'suffix';
    v_names := v_names || jsonb_build_object('child',
        v_names ->> case p_facts ->> 'form' when 'first' then 'sample_name' else 'default_name' end);
    return v_names || jsonb_build_object(
        'final_name', format('%I.%I', p_facts ->> 'schema', v_names ->> 'child'),
        'new_name', format('%I.%I', p_facts ->> 'schema',
            case p_facts ->> 'form' when 'first' then v_names ->> 'child' else p_facts ->> 'prefix' end));
end
$$;
