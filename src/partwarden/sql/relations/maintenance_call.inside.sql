-- relation: maintenance_call
-- uses: -
-- why: the calls of partwarden.maintain() in this database
select started_at, finished_at, outcome from partwarden.maintenance
