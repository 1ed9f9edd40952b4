create function partwarden.swap_begin(p_parent regclass, p_interval text, p_plan jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- Begins a swap: from the end of this transaction on, every change of the default partition is logged, by a trigger that
-- fires for replicated changes as well. Waits for writers of the default partition, as lock_timeout says.
declare
    v_set    record := partwarden.drain_set(p_parent, p_interval);
    v_prefix text := (partwarden.swap_names(p_parent)).prefix;
    v_steps  text := format('%I.%I', v_set.schema, v_prefix);
    v_log    text := format('%I.%I', v_set.schema, v_prefix || '_log');
    v_note   text := format('%I.%I', v_set.schema, v_prefix || '_note');
begin
    execute format('create table %s (number integer primary key, lower_bound text, upper_bound text, child name not null,
        rows bigint not null default 0, relation oid, is_ready boolean not null default false)', v_steps);
    execute format('comment on table %s is %L', v_steps, format('partwarden drains %s', v_set.default_partition));
    execute format('insert into %s (number, lower_bound, upper_bound, child, rows)
        select * from jsonb_to_recordset($1)
            as step (number integer, lower_bound text, upper_bound text, child name, rows bigint)
        where child is not null', v_steps)
    using p_plan;
    execute format('create table %s (page bigint primary key, until_page bigint not null, rows bigint,
        copied_as_of pg_snapshot)', format('%I.%I', v_set.schema, v_prefix || '_chunk'));
    execute format('create table %s (sign smallint not null, page bigint, image text,
        writer xid8 not null default pg_current_xact_id())', v_log);
    -- The image is text: whatever becomes of the columns, no writer is refused because of us.
    execute format($function$
create function %1$s() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC'
set extra_float_digits = 1 set bytea_output = 'hex' set xmloption = 'content'
as $body$
-- Notes what changes in the default partition while partwarden copies it.
begin
    if tg_op in ('UPDATE', 'DELETE') then
        insert into %2$s (sign, page, image) values (-1, (old.ctid::text::point)[0]::bigint, old::text);
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
        insert into %2$s (sign, page, image) values (1, (new.ctid::text::point)[0]::bigint, new::text);
    elsif tg_op = 'TRUNCATE' then
        insert into %2$s (sign) values (0);
    end if;
    return null;
end
$body$
$function$, v_note, v_log);
    execute format('revoke all on function %s() from public', v_note);
    execute format('create trigger partwarden_drain_note after insert or update or delete on %s for each row execute function %s()',
        v_set.default_partition, v_note);
    execute format('create trigger partwarden_drain_note_truncate after truncate on %s execute function %s()',
        v_set.default_partition, v_note);
    execute format('alter table %s enable always trigger partwarden_drain_note, enable always trigger partwarden_drain_note_truncate',
        v_set.default_partition);
end
$$;
