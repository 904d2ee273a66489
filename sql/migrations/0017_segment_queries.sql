-- What segments and candles answer: tick_aggregate, tick_candles, tick_latest. Policies and grants are those of
-- whoever asks: each works on the rows that its caller may see. All bounds are half open: [from, to).
--
-- Exact, always: what headers and candles do not say by themselves is computed from rows, within the same
-- snapshot.
--
-- Rows are looked up by times that are parameters, never by an expression over ranges: a policy must be met before
-- any function that is not leakproof sees a row, and lower() of a range is not. `r.time >= lower(part)` would be no
-- condition of the index for a tenant, who would read every tick of the symbol.

SET LOCAL ROLE tickd_owner;

-- What a segment's dictionary says of a symbol: docs/segments.md. Bytes without it have no tick of the symbol; bytes
-- with it may have one.
CREATE FUNCTION tickd.dictionary_entry(p_symbol text) RETURNS bytea
LANGUAGE sql IMMUTABLE
RETURN set_byte('\x00', 0, octet_length(convert_to(p_symbol, 'UTF8')) % 256) || convert_to(p_symbol, 'UTF8');

-- The times between which a symbol's ticks must be counted from rows, since segment headers do not say how many
-- of theirs lie within [p_from, p_to): the segments that cross a bound, mixed ones with the symbol, and whatever
-- overlaps these, until nothing more does. Outside of them every segment lies wholly within or wholly without.
CREATE FUNCTION tickd.uneven_times(p_symbol text, p_from timestamptz, p_to timestamptz)
RETURNS tstzmultirange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- No segment crosses midnight, so none that begins before this reaches p_from.
    day    constant timestamptz := date_trunc('day', p_from, 'UTC');
    named  constant bytea := tickd.dictionary_entry(p_symbol);
    found  tstzmultirange;
    before tstzmultirange;
    part   tstzrange;
    begins timestamptz;
    ends   timestamptz;
BEGIN
    IF p_from >= p_to THEN
        RETURN '{}';
    END IF;
    SELECT range_agg(tstzrange(s.first_time, s.last_time, '[]')) INTO found FROM (
        SELECT first_time, last_time FROM public.price_segment
         WHERE symbol = p_symbol AND first_time >= day AND first_time < p_from
           AND last_time >= p_from
        UNION ALL
        SELECT first_time, last_time FROM public.price_segment
         WHERE symbol = p_symbol AND first_time >= greatest(day, date_trunc('day', p_to, 'UTC'))
           AND first_time < p_to AND last_time >= p_to
        UNION ALL
        SELECT first_time, last_time FROM public.price_segment
         WHERE symbol IS NULL AND first_time >= day AND first_time < p_to AND last_time >= p_from
           AND position(named IN data) > 0
    ) AS s;
    IF found IS NULL THEN
        RETURN '{}';
    END IF;
    LOOP
        before := found;
        FOR part IN SELECT * FROM unnest(before) LOOP
            begins := lower(part);
            ends := upper(part);
            SELECT found + coalesce(range_agg(tstzrange(first_time, last_time, '[]')), '{}')
              INTO found FROM public.price_segment
             WHERE symbol = p_symbol AND first_time >= date_trunc('day', begins, 'UTC')
               AND first_time <= ends AND last_time >= begins;
        END LOOP;
        EXIT WHEN found = before;
    END LOOP;
    RETURN found * tstzmultirange(tstzrange(p_from, p_to));
END $$;

-- One row: what the ticks of [p_from, p_to] say, p_to included or not.
CREATE FUNCTION tickd.row_aggregate(
    p_symbol text, p_from timestamptz, p_to timestamptz, p_to_included boolean)
RETURNS TABLE (
    n bigint, first_time timestamptz, last_time timestamptz, open numeric, close numeric,
    min_bid numeric, max_bid numeric, sum_bid numeric, min_ask numeric, max_ask numeric, sum_ask numeric,
    min_mid numeric, max_mid numeric, sum_mid numeric, volumes bigint, sum_volume numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    -- Times have whole microseconds.
    ends constant timestamptz := p_to + p_to_included::integer * interval '1 us';
BEGIN
    RETURN QUERY
    SELECT count(*), min(r.time), max(r.time), (array_agg(r.mid ORDER BY r.time, r.mid))[1],
           (array_agg(r.mid ORDER BY r.time DESC, r.mid DESC))[1],
           min(r.bid), max(r.bid), sum(r.bid), min(r.ask), max(r.ask), sum(r.ask),
           min(r.mid), max(r.mid), sum(r.mid), count(r.volume), sum(r.volume)
      FROM public.price_telemetry r
     WHERE r.symbol = p_symbol AND r.time >= p_from AND r.time < ends;
END $$;

CREATE FUNCTION public.tick_aggregate(symbol text, "from" timestamptz, "to" timestamptz)
RETURNS TABLE (
    tick_count bigint, first_time timestamptz, last_time timestamptz, open numeric, close numeric,
    min_bid numeric, max_bid numeric, sum_bid numeric, avg_bid numeric,
    min_ask numeric, max_ask numeric, sum_ask numeric, avg_ask numeric,
    min_mid numeric, max_mid numeric, sum_mid numeric, avg_mid numeric,
    volume_count bigint, sum_volume numeric)
LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
    SET max_parallel_workers_per_gather = 0  -- a thousand headers take less than a worker's start
AS $$
#variable_conflict use_column
DECLARE
    p_symbol constant text := $1;
    p_from   constant timestamptz := $2;
    p_to     constant timestamptz := $3;
    uneven   constant tstzmultirange := tickd.uneven_times($1, $2, $3);
BEGIN
    RETURN QUERY
    WITH part AS (
        SELECT count(*) AS segments, sum(s.tick_count)::bigint AS n,
               min(s.first_time) AS first_time, max(s.last_time) AS last_time,
               -- Times first, then mids: the order-independent rule of segments.
               (array_agg(s.first_mid ORDER BY s.first_time, s.first_mid))[1] AS open,
               (array_agg(s.last_mid ORDER BY s.last_time DESC, s.last_mid DESC))[1] AS close,
               min(s.min_bid) AS min_bid, max(s.max_bid) AS max_bid, sum(s.sum_bid) AS sum_bid,
               min(s.min_ask) AS min_ask, max(s.max_ask) AS max_ask, sum(s.sum_ask) AS sum_ask,
               min(s.min_mid) AS min_mid, max(s.max_mid) AS max_mid, sum(s.sum_mid) AS sum_mid,
               sum(s.volume_count)::bigint AS volumes, sum(s.sum_volume) AS sum_volume
          FROM public.price_segment s
         WHERE s.symbol = p_symbol AND s.first_time >= p_from AND s.first_time < p_to
           AND s.last_time < p_to AND NOT s.first_time <@ uneven
        UNION ALL
        SELECT a.n, a.* FROM unnest(uneven) AS w,
               LATERAL tickd.row_aggregate(p_symbol, lower(w), upper(w), upper_inc(w)) AS a
    )
    SELECT coalesce(sum(n), 0)::bigint, min(p.first_time), max(p.last_time),
           (array_agg(p.open ORDER BY p.first_time, p.open))[1],
           (array_agg(p.close ORDER BY p.last_time DESC NULLS LAST, p.close DESC))[1],
           min(p.min_bid), max(p.max_bid), sum(p.sum_bid), sum(p.sum_bid) / sum(n),
           min(p.min_ask), max(p.max_ask), sum(p.sum_ask), sum(p.sum_ask) / sum(n),
           min(p.min_mid), max(p.max_mid), sum(p.sum_mid), sum(p.sum_mid) / sum(n),
           coalesce(sum(p.volumes), 0)::bigint, sum(p.sum_volume)
      FROM part p WHERE p.segments > 0;
END $$;
COMMENT ON FUNCTION public.tick_aggregate(text, timestamptz, timestamptz) IS
    'Exact count, bounds, sums and averages of a symbol''s ticks within [from, to)';

-- Candles of any multiple of a minute, counted from Monday 2000-01-03. Empty ones are left out.
CREATE FUNCTION public.tick_candles(
    symbol text, "from" timestamptz, "to" timestamptz, bucket interval DEFAULT '1 minute')
RETURNS TABLE (
    "time" timestamptz, open numeric, high numeric, low numeric, close numeric,
    first_time timestamptz, last_time timestamptz, tick_count bigint, volume numeric,
    volume_value numeric)
LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
    SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
    p_symbol constant text := $1;
    p_from   constant timestamptz := $2;
    p_to     constant timestamptz := $3;
    minute   constant interval := '1 minute';
    monday   constant timestamptz := '2000-01-03 00:00:00+00';
    named    constant bytea := tickd.dictionary_entry(p_symbol);
    whole_from constant timestamptz := date_bin(minute, p_from + minute - interval '1 us', monday);
    whole_to   constant timestamptz := date_bin(minute, p_to, monday);
    dirty    tstzmultirange;
BEGIN
    IF bucket < minute OR extract(month FROM bucket) <> 0 OR extract(year FROM bucket) <> 0
       OR extract(epoch FROM bucket) % 60 <> 0
    THEN
        RAISE EXCEPTION 'bucket must be a multiple of one minute, without months'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_from >= p_to THEN
        RETURN;
    END IF;
    -- Minutes that candles do not say: those that the bounds cut, and those of level 0.
    SELECT range_agg(tstzrange(date_bin(minute, s.first_time, monday),
                               date_bin(minute, s.last_time, monday) + minute)) INTO dirty
      FROM public.price_segment s
     WHERE s.level = 0 AND (s.symbol = p_symbol OR s.symbol IS NULL AND position(named IN s.data) > 0)
       AND s.first_time >= date_trunc('day', p_from, 'UTC') AND s.first_time < p_to
       AND s.last_time >= p_from;
    dirty := coalesce(dirty, '{}');
    IF whole_from >= whole_to THEN
        dirty := dirty + tstzmultirange(tstzrange(p_from, p_to));
    ELSE
        dirty := dirty + tstzmultirange(tstzrange(p_from, whole_from), tstzrange(whole_to, p_to));
    END IF;
    dirty := dirty * tstzmultirange(tstzrange(p_from, p_to));

    -- The usual case needs no grouping: a candle a minute, all of them nobody's. price_latest knows
    -- every tenant that has a candle of the symbol.
    IF bucket = minute AND NOT EXISTS (
        SELECT FROM public.price_latest l WHERE l.symbol = p_symbol AND l.tenant_id IS NOT NULL)
    THEN
        -- And no sorting, when rows have a say at both ends alone: each part comes in order.
        IF (CASE WHEN whole_from < whole_to
                 THEN isempty(dirty * tstzmultirange(tstzrange(whole_from, whole_to))) END)
        THEN
            IF p_from < whole_from THEN
                RETURN QUERY
                SELECT r.* FROM tickd.row_candles(p_symbol, p_from, whole_from, minute) AS r;
            END IF;
            RETURN QUERY
            SELECT c.time, c.open, c.high, c.low, c.close, c.first_time, c.last_time, c.tick_count,
                   c.volume, c.volume_value
              FROM public.price_candle_1m c
             WHERE c.symbol = p_symbol AND c.time >= whole_from AND c.time < whole_to
             ORDER BY c.time;
            IF whole_to < p_to THEN
                RETURN QUERY
                SELECT r.* FROM tickd.row_candles(p_symbol, whole_to, p_to, minute) AS r;
            END IF;
            RETURN;
        END IF;
        RETURN QUERY
        SELECT c.time, c.open, c.high, c.low, c.close, c.first_time, c.last_time, c.tick_count,
               c.volume, c.volume_value
          FROM public.price_candle_1m c
         WHERE c.symbol = p_symbol AND c.time >= whole_from AND c.time < whole_to
           AND NOT c.time <@ dirty
        UNION ALL
        SELECT r.* FROM unnest(dirty) AS d,
               LATERAL tickd.row_candles(p_symbol, lower(d), upper(d), minute) AS r
         ORDER BY 1;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT date_bin(bucket, m.time, monday),
           (array_agg(m.open ORDER BY m.first_time, m.open))[1], max(m.high), min(m.low),
           (array_agg(m.close ORDER BY m.last_time DESC, m.close DESC))[1],
           min(m.first_time), max(m.last_time), sum(m.tick_count)::bigint,
           sum(m.volume), sum(m.volume_value)
      FROM (SELECT c.time, c.open, c.high, c.low, c.close, c.first_time, c.last_time, c.tick_count,
                   c.volume, c.volume_value
              FROM public.price_candle_1m c
             WHERE c.symbol = p_symbol AND c.time >= whole_from AND c.time < whole_to
               AND NOT c.time <@ dirty
            UNION ALL
            SELECT r.* FROM unnest(dirty) AS d,
               LATERAL tickd.row_candles(p_symbol, lower(d), upper(d), minute) AS r) AS m
     GROUP BY 1 ORDER BY 1;
END $$;
COMMENT ON FUNCTION public.tick_candles(text, timestamptz, timestamptz, interval) IS
    'Candles of mid, exact for late and out-of-order ticks, of a symbol''s ticks within [from, to)';

-- Candles from the rows of [p_from, p_to).
CREATE FUNCTION tickd.row_candles(p_symbol text, p_from timestamptz, p_to timestamptz, bucket interval)
RETURNS TABLE (
    "time" timestamptz, open numeric, high numeric, low numeric, close numeric,
    first_time timestamptz, last_time timestamptz, tick_count bigint, volume numeric,
    volume_value numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT date_bin(bucket, r.time, '2000-01-03 00:00:00+00'),
           (array_agg(r.mid ORDER BY r.time, r.mid))[1], max(r.mid), min(r.mid),
           (array_agg(r.mid ORDER BY r.time DESC, r.mid DESC))[1],
           min(r.time), max(r.time), count(*), sum(r.volume), sum(r.volume * r.mid)
      FROM public.price_telemetry r
     WHERE r.symbol = p_symbol AND r.time >= p_from AND r.time < p_to
     GROUP BY 1;
END $$;

-- The newest tick of a symbol. Of several at one time the one with the highest mid, bid and ask.
CREATE FUNCTION public.tick_latest(symbol text)
RETURNS SETOF public.price_telemetry
LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    p_symbol constant text := $1;
    not_before constant timestamptz := coalesce(
        (SELECT max(l.time) FROM public.price_latest l WHERE l.symbol = p_symbol), '-infinity');
BEGIN
    RETURN QUERY
    SELECT t.* FROM public.price_telemetry t
     WHERE t.symbol = p_symbol AND t.time >= not_before
     ORDER BY t.time DESC, t.mid DESC, t.bid DESC, t.ask DESC LIMIT 1;
END $$;
COMMENT ON FUNCTION public.tick_latest(text) IS 'The newest tick of a symbol that the caller may see';

REVOKE ALL ON FUNCTION
    tickd.dictionary_entry(text),
    tickd.uneven_times(text, timestamptz, timestamptz),
    tickd.row_aggregate(text, timestamptz, timestamptz, boolean),
    tickd.row_candles(text, timestamptz, timestamptz, interval),
    public.tick_aggregate(text, timestamptz, timestamptz),
    public.tick_candles(text, timestamptz, timestamptz, interval),
    public.tick_latest(text)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    tickd.dictionary_entry(text),
    tickd.uneven_times(text, timestamptz, timestamptz),
    tickd.row_aggregate(text, timestamptz, timestamptz, boolean),
    tickd.row_candles(text, timestamptz, timestamptz, interval),
    public.tick_aggregate(text, timestamptz, timestamptz),
    public.tick_candles(text, timestamptz, timestamptz, interval),
    public.tick_latest(text)
TO tickd_reader, tickd_auditor;

-- --- retention ------------------------------------------------------------------------------------

-- What `tickd db retain` drops: the chunks of ticks and of their segments that lie wholly before a time. Both at
-- once: where an operator has given the two tables other intervals, the time moves back until it cuts
-- neither's chunk. Candles and latest prices stay.
CREATE FUNCTION tickd.retention_plan(p_older_than timestamptz)
RETURNS TABLE (table_name text, chunk regclass, range_start timestamptz, range_end timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on
AS $$
DECLARE
    cut    timestamptz := date_trunc('day', p_older_than, 'UTC');
    before timestamptz;
BEGIN
    LOOP
        before := cut;
        SELECT least(cut, min(c.range_start)) INTO cut FROM timescaledb_information.chunks c
         WHERE c.hypertable_schema = 'public'
           AND c.hypertable_name IN ('price_telemetry', 'price_segment')
           AND c.range_start < before AND c.range_end > before;
        EXIT WHEN cut = before;
    END LOOP;
    RETURN QUERY
    SELECT c.hypertable_name::text, format('%I.%I', c.chunk_schema, c.chunk_name)::regclass,
           c.range_start, c.range_end
      FROM timescaledb_information.chunks c
     WHERE c.hypertable_schema = 'public'
       AND c.hypertable_name IN ('price_telemetry', 'price_segment') AND c.range_end <= cut
     ORDER BY c.range_start, 1;
END $$;

CREATE FUNCTION tickd.retain(p_older_than timestamptz)
RETURNS TABLE (table_name text, chunk text, range_start timestamptz, range_end timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on
AS $$
DECLARE
    dropped record;
    cut     timestamptz;
    extension_schema name;
BEGIN
    SELECT n.nspname INTO extension_schema
      FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'timescaledb';
    FOR dropped IN SELECT * FROM tickd.retention_plan(p_older_than) LOOP
        table_name  := dropped.table_name;
        chunk       := dropped.chunk::text;
        range_start := dropped.range_start;
        range_end   := dropped.range_end;
        cut         := greatest(cut, dropped.range_end);
        RETURN NEXT;
    END LOOP;
    IF cut IS NOT NULL THEN
        EXECUTE format('SELECT %1$I.drop_chunks(''public.price_telemetry'', older_than => %2$L::timestamptz),'
                       ' %1$I.drop_chunks(''public.price_segment'', older_than => %2$L::timestamptz)',
                       extension_schema, cut);
    END IF;
END $$;

GRANT EXECUTE ON FUNCTION tickd.retention_plan(timestamptz), tickd.retain(timestamptz) TO tickd_operator;
