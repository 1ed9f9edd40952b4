-- source: set_record
-- why: what partwarden keeps of one set: its last runs of maintenance, its repairs, its incidents, how far its partitions
--      reached, and what the file wants; by indexes, and not more than a page of each
select jsonb_build_object(
    'runs', (
        select jsonb_agg(to_jsonb(run) order by run.started_at desc)
        from (
            select newest.* from (values ('repair'), ('create'), ('retention')) as phases (name)
            cross join lateral (
                select
                    phase, started_at, finished_at, outcome, partitions_made, partitions_dropped, sqlstate, message, hint,
                    case when phase = 'repair' then (
                        select sum(repair.rows_moved) from partwarden.repair
                        where repair.maintenance_id = maintenance_run.maintenance_id
                          and repair.parent_table = maintenance_run.parent_table
                    ) end as rows_moved
                from partwarden.maintenance_run
                where parent_table = %(parent_table)s and phase = phases.name
                order by id desc limit 30
            ) newest
        ) run
    ),
    'repairs', (
        select jsonb_agg(to_jsonb(repair) order by repair.at desc)
        from (
            select at, partitions, rows_moved, note from partwarden.repair
            where parent_table = %(parent_table)s order by at desc limit 30
        ) repair
    ),
    'incidents', (
        select jsonb_agg(to_jsonb(incident) order by incident.since desc)
        from (
            select id, check_id, object, severity, summary, since, resolved_at
            from partwarden.incident where object = %(name)s order by id desc limit 30
        ) incident
    ),
    'reach', (
        select jsonb_agg(jsonb_build_array(extract(epoch from seen_at), extract(epoch from edge_at)) order by seen_at)
        from partwarden.reach where parent_table = %(parent_table)s
    ),
    'wanted', (select config from partwarden.wanted_set where parent_table = %(parent_table)s)
) as record
