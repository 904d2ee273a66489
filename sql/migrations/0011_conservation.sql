-- What `tickd db health` asks about conservation: every record received is in a table, was there
-- before, or is a dead letter. The counts of a batch are added in its own transaction, so they
-- must add up at every moment; those on their way are counted by the daemon.

SET LOCAL ROLE tickd_owner;

-- The producers whose counts do not add up, and by how much: none is right. `missing` is negative
-- when more was settled than received.
CREATE FUNCTION tickd.conservation_breaches(
    OUT producer text, OUT tenant_id uuid, OUT received bigint, OUT committed bigint,
    OUT duplicates bigint, OUT dead_lettered bigint, OUT missing bigint)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT known.producer, known.tenant_id, known.received, known.committed, known.duplicates,
           known.dead_lettered,
           known.received - known.committed - known.duplicates - known.dead_lettered
      FROM tickd.producer known
     WHERE known.received <> known.committed + known.duplicates + known.dead_lettered
        OR least(known.received, known.committed, known.duplicates, known.dead_lettered) < 0
     ORDER BY known.producer
$$;

-- The same sums for each tenant, of those that the caller may see; the first row may have no tenant.
CREATE VIEW tickd.tenant_conservation WITH (security_invoker = true) AS
    SELECT tenant_id, count(*) AS producers, sum(received) AS received,
           sum(committed) AS committed, sum(duplicates) AS duplicates,
           sum(dead_lettered) AS dead_lettered,
           sum(received - committed - duplicates - dead_lettered) AS missing
      FROM tickd.producer GROUP BY tenant_id ORDER BY tenant_id NULLS FIRST;

GRANT EXECUTE ON FUNCTION tickd.conservation_breaches() TO tickd_ingest, tickd_auditor;
