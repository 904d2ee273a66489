-- Rows of the activity log whose stored hash is not the hash of what is stored. None is right.
--
--     psql --file sql/checks/activity_hashes.sql        as tickd_auditor
--
-- In the database that is under suspicion this is a convenience, not evidence: a superuser can
-- replace the functions it calls.
SET row_security = off;  -- a policy that would hide rows becomes an error
SELECT l.id, l.timestamp, l.tenant_id, l.hash_sha256 AS stored,
       tickd.activity_row_hash(l) AS computed
  FROM public.unified_activity_log l
 WHERE l.hash_sha256 <> tickd.activity_row_hash(l)
 ORDER BY l.id
 LIMIT 100;
