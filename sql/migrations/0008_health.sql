-- What `tickd db health` asks of tables that the daemon's role may not read.

SET LOCAL ROLE tickd_owner;

-- The newest tick's time, NULL in an empty table. max(time) would read whole chunks, because a
-- BRIN has no order: this halves the newest chunk that holds a row until the row lies within ten
-- milliseconds, two dozen index probes of well under a millisecond each.
CREATE FUNCTION tickd.newest_tick_time() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan  -- else no chunk is excluded when planning
    SET enable_seqscan = off                 -- a probe that finds nothing must not read the chunk
    SET enable_indexscan = off
    SET enable_indexonlyscan = off
AS $$
DECLARE
    chunk  record;
    low    timestamptz;
    high   timestamptz;
    middle timestamptz;
BEGIN
    FOR chunk IN
        SELECT range_start, range_end FROM timescaledb_information.chunks
         WHERE hypertable_schema = 'public' AND hypertable_name = 'price_telemetry'
         ORDER BY range_start DESC
    LOOP
        low := chunk.range_start;
        high := chunk.range_end;
        CONTINUE WHEN NOT EXISTS (SELECT FROM public.price_telemetry
                                   WHERE time >= low AND time < high);
        WHILE high - low > interval '10 milliseconds' LOOP
            middle := low + (high - low) / 2;
            IF EXISTS (SELECT FROM public.price_telemetry WHERE time >= middle AND time < high) THEN
                low := middle;
            ELSE
                high := middle;
            END IF;
        END LOOP;
        RETURN (SELECT max(time) FROM public.price_telemetry WHERE time >= low AND time < high);
    END LOOP;
    RETURN NULL;
END $$;

-- How many dead letters wait for somebody to look, counted up to a million and one, and when the
-- newest of them came.
CREATE FUNCTION tickd.dead_letters_waiting(OUT waiting bigint, OUT newest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT count(*) FROM (SELECT FROM tickd.dead_letter
                                   WHERE replayed_at IS NULL LIMIT 1000001) AS counted),
           (SELECT received_at FROM tickd.dead_letter
             WHERE replayed_at IS NULL ORDER BY received_at DESC LIMIT 1)
$$;

GRANT EXECUTE ON FUNCTION tickd.newest_tick_time(), tickd.dead_letters_waiting()
    TO tickd_ingest, tickd_auditor;
