-- relation: given
-- uses: -
-- why: what the checks can't read for themselves, as one JSON object. Inside the database a function reads it with its
--      owner's rights; from outside it is sent along
select partwarden.given() as fact
