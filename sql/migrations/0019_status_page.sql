-- The status page's chart: its connection logs in as tickd_compactor and goes on as tickd_reader. A reader
-- whose login belongs to no tenant sees ticks that everybody shares and no others, by the policies of
-- 0015_isolation.sql. Nothing is inherited: what the compactor may do stays as it is.
--
-- Membership belongs to the whole cluster, as roles do: see 0001_roles.sql.
DO $$
BEGIN
    IF NOT pg_has_role('tickd_compactor', 'tickd_reader', 'SET') THEN
        GRANT tickd_reader TO tickd_compactor WITH INHERIT FALSE, SET TRUE;
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL;  -- Made by another database's migrator after we looked.
END $$;
