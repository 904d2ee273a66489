-- What the database knows of delivery: who holds a lane, which batches are in, how far each
-- producer has come. The daemon reaches these tables through the functions below and no other way.

SET LOCAL ROLE tickd_owner;

-- --- lanes --------------------------------------------------------------------------------------

CREATE TABLE tickd.lane (
    lane     integer     PRIMARY KEY CHECK (lane >= 0),
    epoch    bigint      NOT NULL,   -- counts the take-overs; only the newest may commit
    holder   text        NOT NULL,   -- host, process: for people
    taken_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Raises TK001 when somebody else has taken the lane since p_holder held it under p_epoch: who was
-- passed by must not push back. Epoch 0: the caller has never held it and may take it from anyone.
CREATE FUNCTION tickd.check_lane(p_lane integer, p_holder text, p_epoch bigint) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held tickd.lane;
BEGIN
    SELECT * INTO held FROM tickd.lane l WHERE l.lane = p_lane;
    IF p_epoch <> 0 AND held.epoch <> p_epoch AND held.holder <> p_holder THEN
        RAISE EXCEPTION 'lane % has been taken by %', p_lane, held.holder USING ERRCODE = 'TK001';
    END IF;
END $$;

-- Makes the caller's session the lane's holder and gives its epoch, or raises TK001 as check_lane.
-- Waits until every commit under the epochs before has been decided (they hold the row, see
-- fence): after it returns, batch_committed answers for good. Bound the wait with lock_timeout.
-- The session keeps a shared advisory lock as a sign of life, by which clear_lane finds it.
CREATE FUNCTION tickd.take_lane(p_lane integer, p_holder text, p_epoch bigint DEFAULT 0)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_epoch bigint;
BEGIN
    INSERT INTO tickd.lane (lane, epoch, holder, taken_at)
    VALUES (p_lane, 0, p_holder, clock_timestamp())
    ON CONFLICT (lane) DO NOTHING;
    PERFORM FROM tickd.lane l WHERE l.lane = p_lane FOR UPDATE;
    PERFORM tickd.check_lane(p_lane, p_holder, p_epoch);
    -- Past p_epoch too: a restored backup must not give an epoch out twice.
    UPDATE tickd.lane l
       SET epoch = greatest(l.epoch, p_epoch) + 1, holder = p_holder, taken_at = clock_timestamp()
     WHERE l.lane = p_lane
    RETURNING l.epoch INTO new_epoch;
    PERFORM pg_advisory_lock_shared(1953063788, p_lane);
    RETURN new_epoch;
END $$;

-- Ends every other session that took the lane and still lives, and says how many were told to: for
-- a holder that is cut off in the middle of a transaction. Runs with the caller's rights: the same
-- role, or pg_signal_backend.
CREATE FUNCTION tickd.clear_lane(p_lane integer) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))
      FROM (SELECT DISTINCT l.pid
              FROM pg_locks l
             WHERE l.locktype = 'advisory' AND l.classid = 1953063788::oid
               AND l.objid = p_lane::oid AND l.objsubid = 2
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND l.pid <> pg_backend_pid()) AS others
$$;

-- Raises TK001 unless the epoch is the lane's newest. The row stays locked to the end of the
-- transaction, so a take-over waits for this commit. FOR SHARE and no less: FOR KEY SHARE lets an
-- UPDATE of epoch pass.
CREATE FUNCTION tickd.fence(p_lane integer, p_epoch bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held tickd.lane;
BEGIN
    SELECT * INTO held FROM tickd.lane l WHERE l.lane = p_lane FOR SHARE;
    IF held.epoch IS DISTINCT FROM p_epoch THEN
        RAISE EXCEPTION 'lane % is at epoch % of %, not at %', p_lane, coalesce(held.epoch, 0),
            coalesce(held.holder, 'nobody'), p_epoch USING ERRCODE = 'TK001';
    END IF;
END $$;

-- --- ledger and producers -----------------------------------------------------------------------

CREATE TABLE tickd.batch_ledger (
    lane         integer     NOT NULL,
    epoch        bigint      NOT NULL,
    batch_no     bigint      NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    ticks        integer     NOT NULL,
    events       integer     NOT NULL,
    dead_letters integer     NOT NULL,
    PRIMARY KEY (lane, epoch, batch_no)
);
CREATE INDEX batch_ledger_committed_at ON tickd.batch_ledger (committed_at);

-- A page keeps room for newer versions: every batch updates its producers' rows.
CREATE TABLE tickd.producer (
    producer      text        PRIMARY KEY,
    tenant_id     uuid,
    watermark     bigint      NOT NULL DEFAULT 0,  -- every seq up to it is settled
    received      bigint      NOT NULL DEFAULT 0,
    committed     bigint      NOT NULL DEFAULT 0,
    duplicates    bigint      NOT NULL DEFAULT 0,
    dead_lettered bigint      NOT NULL DEFAULT 0,
    first_seen    timestamptz NOT NULL DEFAULT now(),
    last_seen     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Settles one batch inside the transaction that carries its rows: fences, writes the ledger row,
-- moves the producers. The arrays run in parallel, one element per producer of the batch, each
-- producer once: the watermark the batch builds on, the one it leaves, and counts to add.
-- TK001: the lane has a newer holder. TK002: a producer's watermark is not the expected one, so
-- another writer has moved it; its name is the error's DETAIL. 23505: this batch is in already.
CREATE FUNCTION tickd.settle_batch(
    p_lane integer, p_epoch bigint, p_batch_no bigint,
    p_ticks integer, p_events integer, p_dead_letters integer,
    p_producers text[], p_tenants uuid[], p_expected bigint[], p_watermarks bigint[],
    p_received bigint[], p_committed bigint[], p_duplicates bigint[], p_dead bigint[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved record;
BEGIN
    PERFORM tickd.fence(p_lane, p_epoch);

    INSERT INTO tickd.batch_ledger (lane, epoch, batch_no, ticks, events, dead_letters)
    VALUES (p_lane, p_epoch, p_batch_no, p_ticks, p_events, p_dead_letters);

    IF (cardinality(p_producers) = ALL (ARRAY[
            cardinality(p_tenants), cardinality(p_expected), cardinality(p_watermarks),
            cardinality(p_received), cardinality(p_committed), cardinality(p_duplicates),
            cardinality(p_dead)])) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of different lengths'
            USING ERRCODE = 'array_subscript_error';
    END IF;
    IF cardinality(p_producers) = 0 THEN
        RETURN;
    END IF;

    -- In order of name, so that two lanes that share producers cannot deadlock.
    INSERT INTO tickd.producer (producer, tenant_id)
    SELECT name, tenant FROM unnest(p_producers, p_tenants) AS batch (name, tenant) ORDER BY name
    ON CONFLICT (producer) DO NOTHING;
    PERFORM FROM tickd.producer WHERE producer = ANY (p_producers) ORDER BY producer FOR UPDATE;

    SELECT known.producer, known.watermark, batch.expected INTO moved
      FROM unnest(p_producers, p_expected) AS batch (name, expected)
      JOIN tickd.producer known ON known.producer = batch.name
     WHERE known.watermark IS DISTINCT FROM batch.expected
     ORDER BY known.producer LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'producer % stands at %, not at %', moved.producer, moved.watermark,
            moved.expected USING ERRCODE = 'TK002', DETAIL = moved.producer;
    END IF;

    UPDATE tickd.producer known SET
        tenant_id     = batch.tenant,
        watermark     = greatest(known.watermark, batch.watermark),
        received      = known.received + batch.received,
        committed     = known.committed + batch.committed,
        duplicates    = known.duplicates + batch.duplicates,
        dead_lettered = known.dead_lettered + batch.dead,
        last_seen     = now()
      FROM unnest(p_producers, p_tenants, p_watermarks, p_received, p_committed, p_duplicates,
                  p_dead)
           AS batch (name, tenant, watermark, received, committed, duplicates, dead)
     WHERE known.producer = batch.name;
END $$;

-- Where a returning producer goes on: its watermark, 0 for one never seen.
CREATE FUNCTION tickd.producer_watermark(p_producer text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT watermark FROM tickd.producer WHERE producer = p_producer), 0)
$$;

-- Whether the batch is in. Only after take_lane is a "no" final.
CREATE FUNCTION tickd.batch_committed(p_lane integer, p_epoch bigint, p_batch_no bigint)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM tickd.batch_ledger
                    WHERE lane = p_lane AND epoch = p_epoch AND batch_no = p_batch_no)
$$;

-- Forgets ledger rows older than `keep` (an hour at least: doubt never lasts that long) and gives
-- their number. The newest row of each lane stays.
CREATE FUNCTION tickd.prune_ledger(keep interval) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pruned bigint;
BEGIN
    IF keep < interval '1 hour' THEN
        RAISE EXCEPTION 'the ledger keeps an hour at least, not %', keep
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM tickd.batch_ledger AS old
     WHERE old.committed_at < now() - keep
       AND EXISTS (SELECT FROM tickd.batch_ledger newer
                    WHERE newer.lane = old.lane
                      AND (newer.epoch, newer.batch_no) > (old.epoch, old.batch_no));
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END $$;

REVOKE ALL ON tickd.lane, tickd.batch_ledger, tickd.producer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    tickd.check_lane(integer, text, bigint),
    tickd.take_lane(integer, text, bigint),
    tickd.clear_lane(integer),
    tickd.fence(integer, bigint),
    tickd.settle_batch(integer, bigint, bigint, integer, integer, integer, text[], uuid[],
                       bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]),
    tickd.producer_watermark(text),
    tickd.batch_committed(integer, bigint, bigint),
    tickd.prune_ledger(interval)
TO tickd_ingest;
