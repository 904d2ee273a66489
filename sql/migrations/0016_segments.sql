-- Segments: the same ticks once more, packed, so that a million of them come back in milliseconds; and
-- candles and latest prices, which are made from segments.
--
-- Every batch writes segments of its own ticks in its own transaction, so that segments hold exactly
-- the rows of price_telemetry at every commit. docs/segments.md has the format of `data`. The
-- compactor merges them in the background and counts each into candles once, when it leaves level 0:
--
--   level 0   written with its rows, not yet in candles and latest prices
--   level 1   in them; small, or of several symbols: to be merged with others
--   level 2   in them, and done
--
-- What reads candles computes the minutes of level 0 from rows, so its answer is exact at every
-- commit, however far behind the compactor is.

-- What the compactor logs in as: it reads, replaces and adds segments, candles and latest prices, and
-- reaches nothing else but the ticks they are made from. LOGIN and BYPASSRLS as for the auditor (0001_roles.sql).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tickd_compactor') THEN
        CREATE ROLE tickd_compactor LOGIN BYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- Made by another database's migrator after we looked.
END $$;
GRANT USAGE ON SCHEMA public TO tickd_compactor;

SET LOCAL ROLE tickd_owner;
GRANT USAGE ON SCHEMA tickd TO tickd_compactor;

CREATE TABLE public.price_segment (
    -- A segment lies within one day of UTC, so that it is dropped with its rows.
    first_time   timestamptz NOT NULL,
    last_time    timestamptz NOT NULL,
    symbol       varchar(20) COLLATE "C",  -- NULL: of several symbols, named in `data`
    tenant_id    uuid,                     -- NULL: market data that every tenant shares
    id           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    level        smallint    NOT NULL,
    tick_count   integer     NOT NULL,
    volume_count integer     NOT NULL,     -- how many of them have a volume
    -- Of one symbol only. Ticks that share the first time count by their lowest mid, those that share the
    -- last one by their highest: a rule that does not depend on the order of arrival.
    first_mid    numeric(20,8),
    last_mid     numeric(20,8),
    min_bid      numeric(20,8),
    max_bid      numeric(20,8),
    min_ask      numeric(20,8),
    max_ask      numeric(20,8),
    min_mid      numeric(20,8),
    max_mid      numeric(20,8),
    sum_bid      numeric,
    sum_ask      numeric,
    sum_mid      numeric,
    sum_volume   numeric,
    data         bytea       NOT NULL,
    metadata     bytea                     -- of those ticks that have any; NULL: none has
);
-- Out of line or compressed, reading costs two to three times as much. `data` is cut to fit a page.
ALTER TABLE public.price_segment ALTER data SET STORAGE PLAIN;

COMMENT ON TABLE public.price_segment IS
    'The ticks of price_telemetry in packed blocks: docs/segments.md';

-- Candles of a minute, per tenant. An order-independent merge: a tick that comes late, or shares
-- its time with another, leaves the candle that any other order would have left.
CREATE TABLE public.price_candle_1m (
    time         timestamptz   NOT NULL,   -- begin of the minute
    symbol       varchar(20)   COLLATE "C" NOT NULL,
    tenant_id    uuid,
    open         numeric(20,8) NOT NULL,   -- of mid: the lowest at first_time
    high         numeric(20,8) NOT NULL,
    low          numeric(20,8) NOT NULL,
    close        numeric(20,8) NOT NULL,   -- the highest at last_time
    first_time   timestamptz   NOT NULL,
    last_time    timestamptz   NOT NULL,
    tick_count   bigint        NOT NULL,
    volume       numeric,                  -- NULL: no tick had one
    volume_value numeric                   -- sum of volume * mid of those that had; / volume: the vwap
);
COMMENT ON TABLE public.price_candle_1m IS
    'One-minute candles of the segments above level 0; tick_candles() adds the rest';

-- The newest tick of each symbol, of the segments above level 0: tick_latest() looks for newer ones.
CREATE TABLE public.price_latest (
    symbol    varchar(20) COLLATE "C" NOT NULL,
    tenant_id uuid,
    time      timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE public.price_latest IS
    'Where to begin to look for the newest tick of a symbol; tick_latest() gives the tick';

-- The extension may live outside public, and create_hypertable warns of VARCHAR.
SELECT set_config('search_path', format('pg_catalog, %I', n.nspname), true),
       set_config('client_min_messages', 'error', true)
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'timescaledb';

-- The rows' interval, so that dropping a day drops both.
SELECT create_hypertable('public.price_segment', 'first_time',
                         associated_schema_name => 'tickd_chunks',
                         chunk_time_interval    => INTERVAL '1 day',
                         create_default_indexes => false);
-- A thousandth of the rows' number, so many days a chunk.
SELECT create_hypertable('public.price_candle_1m', 'time',
                         associated_schema_name => 'tickd_chunks',
                         chunk_time_interval    => INTERVAL '30 days',
                         create_default_indexes => false);

CREATE INDEX price_segment_symbol ON public.price_segment (symbol, first_time);
CREATE INDEX price_segment_fresh ON public.price_segment (first_time, id) WHERE level = 0;
CREATE INDEX price_segment_unmerged ON public.price_segment (symbol, tenant_id, first_time)
    WHERE level = 1;
CREATE UNIQUE INDEX price_candle_1m_key ON public.price_candle_1m (symbol, time, tenant_id)
    NULLS NOT DISTINCT;
CREATE UNIQUE INDEX price_latest_key ON public.price_latest (symbol, tenant_id) NULLS NOT DISTINCT;

REVOKE ALL ON public.price_segment, public.price_candle_1m, public.price_latest FROM PUBLIC;
SELECT tickd.confine('public.price_segment', shared => true);
SELECT tickd.confine('public.price_candle_1m', shared => true);
SELECT tickd.confine('public.price_latest', shared => true);
GRANT SELECT ON public.price_segment, public.price_candle_1m, public.price_latest TO tickd_auditor;
GRANT INSERT ON public.price_segment TO tickd_ingest;
GRANT SELECT, INSERT, DELETE ON public.price_segment TO tickd_compactor;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.price_candle_1m, public.price_latest TO tickd_compactor;
GRANT SELECT ON public.price_telemetry TO tickd_compactor;

-- --- what the compactor does ----------------------------------------------------------------------

-- Merges candles into those that are there. Arrays of one length, an element a candle.
CREATE FUNCTION tickd.merge_candles(
    p_symbol text[], p_tenant uuid[], p_time timestamptz[], p_open numeric[], p_high numeric[],
    p_low numeric[], p_close numeric[], p_first timestamptz[], p_last timestamptz[], p_ticks bigint[],
    p_volume numeric[], p_value numeric[])
RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO public.price_candle_1m AS c
           (symbol, tenant_id, time, open, high, low, close, first_time, last_time, tick_count,
            volume, volume_value)
    SELECT * FROM unnest(p_symbol, p_tenant, p_time, p_open, p_high, p_low, p_close, p_first, p_last,
                         p_ticks, p_volume, p_value)
    ON CONFLICT (symbol, time, tenant_id) DO UPDATE SET
        open  = CASE WHEN (excluded.first_time, excluded.open) < (c.first_time, c.open)
                     THEN excluded.open ELSE c.open END,
        close = CASE WHEN (excluded.last_time, excluded.close) > (c.last_time, c.close)
                     THEN excluded.close ELSE c.close END,
        high  = greatest(c.high, excluded.high),
        low   = least(c.low, excluded.low),
        first_time   = least(c.first_time, excluded.first_time),
        last_time    = greatest(c.last_time, excluded.last_time),
        tick_count   = c.tick_count + excluded.tick_count,
        volume       = CASE WHEN c.volume IS NULL THEN excluded.volume
                            ELSE c.volume + coalesce(excluded.volume, 0) END,
        volume_value = CASE WHEN c.volume_value IS NULL THEN excluded.volume_value
                            ELSE c.volume_value + coalesce(excluded.volume_value, 0) END;
END;

CREATE FUNCTION tickd.merge_latest(p_symbol text[], p_tenant uuid[], p_time timestamptz[])
RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO public.price_latest AS l (symbol, tenant_id, time)
    SELECT * FROM unnest(p_symbol, p_tenant, p_time)
    ON CONFLICT (symbol, tenant_id) DO UPDATE SET time = excluded.time
     WHERE excluded.time > l.time;
END;

GRANT EXECUTE ON FUNCTION
    tickd.merge_candles(text[], uuid[], timestamptz[], numeric[], numeric[], numeric[], numeric[],
                        timestamptz[], timestamptz[], bigint[], numeric[], numeric[]),
    tickd.merge_latest(text[], uuid[], timestamptz[])
TO tickd_compactor;

-- How far behind the compactor is: segments of level 0, counted up to ten thousand and one.
CREATE FUNCTION tickd.fresh_segments() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT count(*) FROM (SELECT FROM public.price_segment WHERE level = 0 LIMIT 10001) AS counted
$$;
GRANT EXECUTE ON FUNCTION tickd.fresh_segments() TO tickd_ingest, tickd_auditor, tickd_compactor;
