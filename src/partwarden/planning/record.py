"""Takes note in the database of what the file wants, so that the monitor finds what is changed by hand afterwards."""

from __future__ import annotations

from psycopg import sql
from psycopg.types.json import Jsonb

from partwarden.config import Database
from partwarden.database import Connection
from partwarden.planning.meant import Meant, meant
from partwarden.planning.view import has_table, look
from partwarden.planning.wanted import in_partmans_words

_RECORD = """
insert into partwarden.wanted_set as kept (parent_table, config, sub)
select
    config.parent_table,
    (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(config)) where key = any (wanted.columns)),
    (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(sub)) where key = any (wanted.sub_columns))
from jsonb_to_recordset(%s) as wanted (parent_table text, columns text[], sub_columns text[])
join {config} config on config.parent_table = wanted.parent_table
left join {sub} sub on sub.sub_parent = wanted.parent_table
on conflict (parent_table) do update set config = excluded.config, sub = excluded.sub, applied_at = now()
where (kept.config, kept.sub) is distinct from (excluded.config, excluded.sub)
"""


def record(connection: Connection, database: Database) -> None:
    """Keep what is there now of all that the file says of its sets; it is as the file says, for it has been applied."""
    view = look(connection)
    if view.partman is None or not has_table(connection, "partwarden.wanted_set"):
        return
    sets = [each for each in meant(view, database) if isinstance(each, Meant)]
    rows = [
        {
            "parent_table": each.table.bare,
            "columns": sorted(in_partmans_words(each.wanted, view.partman).columns),
            "sub_columns": []
            if each.wanted.sub is None
            else [f"sub_{column}" for column in in_partmans_words(each.wanted.sub, view.partman).columns],
        }
        for each in sets
    ]
    with connection.transaction():
        connection.execute("set local lock_timeout = '5s'")
        connection.execute(
            sql.SQL(_RECORD).format(
                config=sql.Identifier(view.partman.schema, "part_config"),
                sub=sql.Identifier(view.partman.schema, "part_config_sub"),
            ),
            (Jsonb(rows),),
        )
        connection.execute(
            "delete from partwarden.wanted_set where parent_table <> all (%s)", ([row["parent_table"] for row in rows],)
        )
