-- Ticks: one row per quote, exact decimals, a hypertable on time.

SET LOCAL ROLE tickd_owner;

CREATE TABLE public.price_telemetry (
    time      TIMESTAMPTZ    NOT NULL,
    -- "C": symbols compare as bytes. Index upkeep is the whole cost of ingestion, and a
    -- linguistic comparison in it halves the rate.
    symbol    VARCHAR(20)    COLLATE "C" NOT NULL,
    bid       NUMERIC(20,8)  NOT NULL,
    ask       NUMERIC(20,8)  NOT NULL,
    mid       NUMERIC(20,8),
    volume    NUMERIC(30,8),
    source    VARCHAR(50),
    metadata  JSONB,
    tenant_id UUID           -- NULL: market data that every tenant shares
);

COMMENT ON TABLE public.price_telemetry IS 'Ticks, written by tickd, never updated';
COMMENT ON COLUMN public.price_telemetry.tenant_id IS 'Owner; NULL is shared market data';

-- The extension may live outside public, and create_hypertable warns of VARCHAR, which the
-- mission's columns are.
SELECT set_config('search_path', format('pg_catalog, %I', n.nspname), true),
       set_config('client_min_messages', 'error', true)
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'timescaledb';

-- One day a chunk: at the busiest rate the newest chunk's indexes stay in memory, and a quarter
-- of history plans over fewer than a hundred chunks.
SELECT create_hypertable('public.price_telemetry', 'time',
                         associated_schema_name => 'tickd_chunks',
                         chunk_time_interval    => INTERVAL '1 day',
                         create_default_indexes => false);

CREATE INDEX idx_price_symbol ON public.price_telemetry (symbol, time DESC);
-- In place of the default btree on time: rows arrive nearly in order of time, so block ranges
-- find as well, at a thousandth of the size and next to nothing of the upkeep.
CREATE INDEX idx_price_time ON public.price_telemetry USING brin (time);

REVOKE ALL ON public.price_telemetry FROM PUBLIC;
GRANT INSERT ON public.price_telemetry TO tickd_ingest;
GRANT SELECT ON public.price_telemetry TO tickd_reader, tickd_auditor;
