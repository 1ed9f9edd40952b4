create function partwarden.swap_copy(p_parent regclass, p_page bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
-- Copies one chunk of the default partition to where its rows belong, and notes as of when: what is logged later has to
-- be done again. To be called in a transaction of its own, REPEATABLE READ. Returns how many rows; none when another
-- connection has copied the chunk already.
declare
    v_swap    record := partwarden.swap_names(p_parent);
    v_default regclass := (select partdefid from pg_partitioned_table where partrelid = p_parent);
    v_columns text;
    v_until   bigint;
    v_copied  bigint;
begin
    execute format('select until_page from %s where page = $1 and copied_as_of is null for update', v_swap.chunks)
    into v_until using p_page;
    if v_until is null then
        return 0;
    end if;
    perform partwarden.swap_refuse_changed(p_parent);
    select string_agg(quote_ident(attname), ', ' order by attnum)
    into v_columns
    from pg_attribute
    where attrelid = v_default and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('insert into %1$s (%2$s) overriding system value
        select %2$s from only %3$s where ctid >= %4$L::tid and ctid < %5$L::tid',
        v_swap.stage, v_columns, v_default, format('(%s,0)', p_page), format('(%s,0)', v_until));
    get diagnostics v_copied = row_count;
    execute format('update %s set copied_as_of = pg_current_snapshot(), rows = $2 where page = $1', v_swap.chunks)
    using p_page, v_copied;
    return v_copied;
end
$$;
