-- Producers whose counts do not add up: what was received is committed, a duplicate or a dead
-- letter. None is right.
--
--     psql --file sql/checks/conservation.sql           as tickd_auditor
SELECT producer, received, committed, duplicates, dead_lettered,
       received - committed - duplicates - dead_lettered AS missing
  FROM tickd.producer
 WHERE received <> committed + duplicates + dead_lettered
 ORDER BY producer;
