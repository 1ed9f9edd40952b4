create function partwarden.swap_apply(p_parent regclass, p_interval text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set row_security = off
set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC'
set extra_float_digits = 1 set bytea_output = 'hex' set xmloption = 'content'
as $$
-- Does with the copy what has been done to the default partition since, as far as this transaction sees it, and forgets
-- these entries of the log; returns how many there were. The copy and the log are sets of rows, so the order of changes
-- does not matter: what came and went again in the meantime is nothing. Raises data_corrupted when a row that went is not
-- in the copy as often as it must be.
declare
    v_set     record := partwarden.drain_set(p_parent, p_interval);
    v_swap    record := partwarden.swap_names(p_parent);
    v_key     name[] := partwarden.swap_key(p_parent);
    v_all     text;
    v_columns text;
    v_entries bigint;
    v_target  record;
    v_changed bigint;
begin
    select
        string_agg('copy.' || quote_ident(attname), ', ' order by attnum),
        string_agg(quote_ident(attname), ', ' order by attnum) filter (where attgenerated = '')
    into v_all, v_columns
    from pg_attribute
    where attrelid = v_set.default_partition and attnum > 0 and not attisdropped;

    execute format('create temporary table partwarden_net on commit drop as
        select image, null::%s as control, 0::bigint as number, null::regclass as target from %s where false',
        v_set.control_type, v_swap.log);
    execute format(
        'with taken as (delete from %1$s returning *), pending as (%2$s), net as (
             insert into pg_temp.partwarden_net
             select image, (image::%3$s).%4$I, sum(sign) from pending group by image having sum(sign) <> 0
         )
         select count(*) from taken',
        v_swap.log, partwarden.swap_pending(p_parent), v_set.default_partition, v_set.control)
    into v_entries;
    execute format(
        'update pg_temp.partwarden_net set target = coalesce((
             select relation::regclass from %1$s where control >= lower_bound::%2$s and control < upper_bound::%2$s), %3$L)',
        v_swap.steps, v_set.control_type, v_swap.rest);

    for v_target in
        select
            target,
            coalesce(sum(-number) filter (where number < 0), 0) as gone,
            coalesce(sum(number) filter (where number > 0), 0)  as come
        from pg_temp.partwarden_net
        group by target
    loop
        if v_target.gone > 0 then
            -- A row may be there twice for a while: as it was, and as it has become in a page that was copied later.
            -- Only what has the key is turned into text, which takes twenty times as long as to compare the key.
            execute format(
                'delete from %1$s where ctid in (
                     select numbered.partwarden_place
                     from (
                         select
                             partwarden_place, partwarden_number,
                             row_number() over (partition by partwarden_image) as partwarden_copy
                         from (
                             select
                                 copy.ctid as partwarden_place, partwarden_number, partwarden_image,
                                 row(%4$s)::text as partwarden_text
                             from %1$s copy
                             join (
                                 select image as partwarden_image, number as partwarden_number, (image::%2$s).*
                                 from pg_temp.partwarden_net where target = $1 and number < 0 offset 0
                             ) gone on %3$s
                             offset 0
                         ) alike
                         where partwarden_text = partwarden_image
                     ) numbered
                     where numbered.partwarden_copy <= -numbered.partwarden_number)',
                v_target.target, v_set.default_partition,
                coalesce((select string_agg(format('copy.%1$I = gone.%1$I', attname), ' and ') from unnest(v_key) as attname),
                    format('row(%s)::text = partwarden_image', v_all)),
                v_all)
            using v_target.target;
            get diagnostics v_changed = row_count;
            if v_changed <> v_target.gone then
                raise exception 'the copy of % is not what it was copied from: % rows went, % of them were in %',
                    v_set.default_partition, v_target.gone, v_changed, v_target.target
                    using errcode = 'data_corrupted', hint = 'Nothing has been changed but the copy. Drain with --abandon.';
            end if;
        end if;
        if v_target.come > 0 then
            execute format(
                'insert into %1$s (%2$s) overriding system value
                 select %3$s
                 from (
                     select image::%4$s as come, number from pg_temp.partwarden_net
                     where target = $1 and number > 0 offset 0
                 ) listed
                 cross join generate_series(1, number)',
                v_target.target, v_columns,
                (select string_agg(format('(come).%I', attname), ', ' order by attnum)
                 from pg_attribute
                 where attrelid = v_set.default_partition and attnum > 0 and not attisdropped and attgenerated = ''),
                v_set.default_partition)
            using v_target.target;
        end if;
    end loop;
    drop table pg_temp.partwarden_net;
    return v_entries;
end
$$;
