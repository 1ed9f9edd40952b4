create function partwarden.swap_verify(p_parent regclass, p_interval text)
returns table (target text, rows_wanted bigint, rows_copied bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC'
set extra_float_digits = 1 set bytea_output = 'hex' set xmloption = 'content'
as $$
-- Where the copy, together with what the log still has, is not the default partition: by the number of rows and by the
-- sum of their hashes, for each partition to be. No rows: all agrees. To be called in a transaction of its own, REPEATABLE
-- READ, before the stage is taken down.
--
-- That all is there as a whole is enough: each row has gone where its bounds say. Where it differs is looked for when it does.
declare
    v_set  record := partwarden.drain_set(p_parent, p_interval);
    v_swap record := partwarden.swap_names(p_parent);
    v_hash text := partwarden.swap_hash(v_set.default_partition);
    v_same boolean;
    v_bad  jsonb;
begin
    execute format(
        'select wanted.rows + pending.rows = copied.rows and wanted.hash + pending.hash = copied.hash
         from (select count(*) as rows, coalesce(sum(%1$s), 0) as hash from only %2$s) wanted
         cross join (select count(*) as rows, coalesce(sum(%1$s), 0) as hash from %4$s) copied
         cross join (
             select coalesce(sum(partwarden_sign), 0) as rows, coalesce(sum(partwarden_sign * (%1$s)::numeric), 0) as hash
             from (select sign as partwarden_sign, (image::%2$s).* from (%3$s) noted offset 0) parsed
         ) pending',
        v_hash, v_set.default_partition, partwarden.swap_pending(p_parent), v_swap.stage)
    into v_same;
    if v_same then
        return;
    end if;

    execute format(
        'with step as (
             select relation, lower_bound::%1$s as lower_bound, upper_bound::%1$s as upper_bound from %2$s
             where lower_bound is not null
         ), threshold as (
             select coalesce(array_agg(distinct edge order by edge), ''{}'') as edges
             from (select lower_bound as edge from step union all select upper_bound from step) listed
         ), wanted as (
             select width_bucket(%3$I, (select edges from threshold)) as bucket, count(*) as rows, sum(%4$s) as hash
             from only %5$s group by 1
         ), pending as (
             select width_bucket(entry.%3$I, (select edges from threshold)) as bucket,
                 sum(partwarden_sign) as rows, sum(partwarden_sign * partwarden_hash) as hash
             from (
                 select partwarden_sign, %3$I, (%4$s)::numeric as partwarden_hash
                 from (select sign as partwarden_sign, (image::%5$s).* from (%6$s) noted offset 0) parsed
             ) entry
             group by 1
         ), copied as (
             select tableoid, count(*) as rows, sum(%4$s) as hash from %7$s group by 1
         ), agreed as (
             select
                 coalesce(step.relation, %8$L::regclass) as relation,
                 side.rows, side.hash, side.is_copy
             from (
                 select bucket, rows, hash, false as is_copy from wanted
                 union all select bucket, rows, hash, true from pending
             ) side
             left join step on step.lower_bound = (select edges from threshold)[side.bucket]
             union all
             select tableoid, rows, hash, true from copied
         ), compared as (
             select
                 relation,
                 coalesce(sum(rows) filter (where not is_copy), 0)::bigint as wanted,
                 coalesce(sum(rows) filter (where is_copy), 0)::bigint     as copied,
                 coalesce(sum(hash) filter (where not is_copy), 0)
                     = coalesce(sum(hash) filter (where is_copy), 0)       as is_same
             from agreed group by relation
         )
         select jsonb_agg(to_jsonb(compared)) from compared where wanted <> copied or not is_same',
        v_set.control_type, v_swap.steps, v_set.control, v_hash, v_set.default_partition,
        partwarden.swap_pending(p_parent), v_swap.stage, v_swap.rest)
    into v_bad;
    return query
    select bad.relation::regclass::text, bad.wanted, bad.copied
    from jsonb_to_recordset(v_bad) as bad (relation oid, wanted bigint, copied bigint);
end
$$;
