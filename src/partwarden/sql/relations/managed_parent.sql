-- relation: managed_parent
-- uses: part_config
-- why: the tables that pg_partman is configured for and that exist
select parent.oid as parent, part_config.config
from part_config
join pg_catalog.pg_namespace namespace
    on namespace.nspname = split_part(part_config.config ->> 'parent_table', '.', 1)::name
join pg_catalog.pg_class parent
    on parent.relnamespace = namespace.oid
    and parent.relname = split_part(part_config.config ->> 'parent_table', '.', 2)::name
