create function partwarden.settle_notifications()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
-- Settles what waits for nobody any more, because somebody else was to have it when it was sent.
select partwarden.settle_notification(number) from partwarden.settleable() as number
$$;
