create function partwarden.convert_unguard(p_table text, p_escape text)
returns table (statement text, lock text, object text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
-- What takes away what convert_guard() makes, wherever it has got to; p_table is what the table is called by then.
values
    (format('alter table %s drop constraint if exists partwarden_convert', p_table), 'access exclusive', p_table),
    (format('drop trigger if exists partwarden_convert on %s', p_table), 'access exclusive', p_table),
    (format('drop function if exists %s(), %s()', p_escape, p_escape || '_note'), null, p_escape),
    (format('drop sequence if exists %s', p_escape || '_seen'), 'access exclusive', p_escape || '_seen')
$$;
