create function partwarden.convert_guard(p_facts jsonb)
returns table (stage text, statement text, lock text, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- What proves where the rows of a table lie, so that nothing has to be read under a lock: a constraint that says so, with an
-- escape, so that it refuses nobody's row; and a trigger that tells when another one comes all the same. docs/maintenance.md
-- says why that is sound. place makes it, prove has the rows read.
with told as (
    select
        p_facts ->> 'name'                    as name,
        p_facts ->> 'escape'                  as escape,
        (p_facts ->> 'escape') || '_note'     as note,
        (p_facts ->> 'escape') || '_seen'     as seen,
        case p_facts ->> 'form'
            when 'first' then format('%1$I is not null and %1$I >= %2$L::%4$s and %1$I < %3$L::%4$s',
                p_facts ->> 'control', p_facts ->> 'lower_bound', p_facts ->> 'upper_bound', p_facts ->> 'control_type')
            else format('%1$s%2$I < %3$L::%5$s or %2$I >= %4$L::%5$s',
                case when (p_facts ->> 'has_nulls')::boolean then format('%I is null or ', p_facts ->> 'control')
                     else format('%I is not null and (', p_facts ->> 'control') end,
                p_facts ->> 'control', p_facts ->> 'upper_bound', p_facts ->> 'end_bound', p_facts ->> 'control_type')
                || case when (p_facts ->> 'has_nulls')::boolean then '' else ')' end
        end                                   as condition,
        case p_facts ->> 'form'
            when 'first' then format('new.%1$I is null or new.%1$I < %2$L::%4$s or new.%1$I >= %3$L::%4$s',
                p_facts ->> 'control', p_facts ->> 'lower_bound', p_facts ->> 'upper_bound', p_facts ->> 'control_type')
            else format('%1$snew.%2$I >= %3$L::%5$s and new.%2$I < %4$L::%5$s',
                case when (p_facts ->> 'has_nulls')::boolean then '' else format('new.%I is null or ', p_facts ->> 'control') end,
                p_facts ->> 'control', p_facts ->> 'upper_bound', p_facts ->> 'end_bound', p_facts ->> 'control_type')
        end                                   as intruder
)
select listed.*
from told
cross join lateral (
    values
        ('place', format('select partwarden.make_escape(%L, %L, %L)', escape, note, seen), null, seen),
        ('place', format('create trigger partwarden_convert after insert or update on %s for each row when (%s) '
            'execute function %s()', name, intruder, note), 'share row exclusive', name),
        ('place', format('alter table %s enable always trigger partwarden_convert, '
            'add constraint partwarden_convert check (%s or %s()) not valid', name, condition, escape), 'access exclusive', name),
        ('place', format('comment on constraint partwarden_convert on %s is %L', name,
            'partwarden: ' || (p_facts ->> 'purpose')), 'share update exclusive', name),
        ('prove', 'set local partwarden.guard = on', null, name),
        ('prove', format('alter table %s validate constraint partwarden_convert', name), 'share update exclusive', name)
) listed (stage, statement, lock, object)
$$;
