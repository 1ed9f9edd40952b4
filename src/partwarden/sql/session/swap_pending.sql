create function partwarden.swap_pending(p_parent regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
-- A SELECT of what the log has and the copy lacks: columns sign and image, and take, what tells one entry from another.
-- A change that the copy of its page has seen already is left out.
select format(
    'select entry.sign, entry.image
     from %s entry
     left join %s chunk on entry.page >= chunk.page and entry.page < chunk.until_page
     where entry.sign <> 0
       and (chunk.page is null or not pg_visible_in_snapshot(entry.writer, chunk.copied_as_of))',
    swap.log, swap.chunks)
from partwarden.swap_names(p_parent) swap
$$;
