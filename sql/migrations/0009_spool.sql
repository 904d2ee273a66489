-- How far each spool is committed. A spool keeps blocks on the daemon's disk while the database is
-- away; when they come, their numbers are settled in the transaction that carries their rows, so
-- a daemon that dies before it has deleted a block does not commit it twice.

SET LOCAL ROLE tickd_owner;

CREATE TABLE tickd.spool (
    spool        uuid        PRIMARY KEY,  -- the name it gave itself when it was made
    lane         integer     NOT NULL,     -- that it was replayed by
    committed    bigint      NOT NULL,     -- every block up to this number is in
    committed_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Settles blocks p_first to p_last inside the transaction that carries their rows.
-- TK001: the lane has a newer holder. TK003: some of these blocks are in already.
CREATE FUNCTION tickd.settle_spool(
    p_lane integer, p_epoch bigint, p_spool uuid, p_first bigint, p_last bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM tickd.fence(p_lane, p_epoch);
    INSERT INTO tickd.spool AS known (spool, lane, committed) VALUES (p_spool, p_lane, p_last)
    ON CONFLICT (spool) DO UPDATE
       SET lane = p_lane, committed = p_last, committed_at = now()
     WHERE known.committed < p_first;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'spool % is committed beyond block %', p_spool, p_first - 1
            USING ERRCODE = 'TK003';
    END IF;
END $$;

-- Blocks up to p_last came in by other transactions: those of a batch that was in doubt when it
-- was spooled, or that was spooled while it was being committed.
CREATE FUNCTION tickd.pass_spool(p_lane integer, p_epoch bigint, p_spool uuid, p_last bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM tickd.fence(p_lane, p_epoch);
    INSERT INTO tickd.spool AS known (spool, lane, committed) VALUES (p_spool, p_lane, p_last)
    ON CONFLICT (spool) DO UPDATE
       SET lane = p_lane, committed = greatest(known.committed, p_last), committed_at = now();
END $$;

-- The newest committed block of a spool; 0 for one never seen. Only after take_lane is it final.
CREATE FUNCTION tickd.spool_committed(p_spool uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT committed FROM tickd.spool WHERE spool = p_spool), 0)
$$;

REVOKE ALL ON tickd.spool FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    tickd.settle_spool(integer, bigint, uuid, bigint, bigint),
    tickd.pass_spool(integer, bigint, uuid, bigint),
    tickd.spool_committed(uuid)
TO tickd_ingest;
