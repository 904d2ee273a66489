-- Producers whose counts do not add up: what was received is committed, a duplicate or a dead
-- letter. None is right; `tickd db health` asks the same.
--
--     psql --file sql/checks/conservation.sql           as tickd_auditor
SELECT * FROM tickd.conservation_breaches();
-- The same sums for each tenant; `missing` is 0.
SELECT * FROM tickd.tenant_conservation;
