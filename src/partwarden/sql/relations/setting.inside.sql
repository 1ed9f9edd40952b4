-- relation: setting
-- uses: -
-- why: the thresholds that a person may have changed
select * from partwarden.setting
