-- relation: maintenance_call
-- uses: given
-- why: the newest call of partwarden.maintain() in this database that succeeded
select (given.fact ->> 'last_good_call')::timestamptz as started_at from given
