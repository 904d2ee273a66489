-- No tenant sees another's rows: forced row-level security on everything that has a tenant_id.
--
-- Who reads as whom:
--   tickd_reader    a tenant's roles are its members: their tenant's rows, and shared ticks
--   tickd_owner     all: the functions that act for others run as it, and nobody logs in as it
--   tickd_ingest    bypasses policies, and may only insert
--   tickd_auditor   bypasses policies, and may only read
--   anybody else    nothing, whatever is granted: a table with policies shows no row without one

SET LOCAL ROLE tickd_owner;

-- The tenant that this session sees; NULL for none, and then a policy matches no row.
--
-- By session_user, which neither SET ROLE nor a SECURITY DEFINER function changes. Only a pooler is
-- asked for a name, `SET tickd.tenant = '...'` or SET LOCAL; one that is missing or no UUID is no
-- error, since an error's text would go to whoever is served next.
CREATE FUNCTION tickd.current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT CASE WHEN NOT r.is_pooler THEN r.tenant_id
                WHEN pg_input_is_valid(current_setting('tickd.tenant', true), 'uuid')
                    THEN current_setting('tickd.tenant', true)::uuid END
      FROM public.tenant_roles r WHERE r.role_name = session_user);
GRANT EXECUTE ON FUNCTION tickd.current_tenant() TO tickd_reader;

-- Confines a table with a tenant_id. Every later migration that makes one calls this in the same
-- file: SELECT tickd.confine('tickd.thing');
--
--   shared    rows without a tenant are market data, which every reader sees
--   readable  readers may read it at all
--
-- The policy's sub-select has nothing of the row in it, so it runs once a query, not once a row.
-- WITH CHECK is for an operator who grants a tenant to write: it can write its own rows alone.
--
-- A hypertable is granted column by column. TimescaleDB copies a table's grants to each new
-- chunk, where no policy holds, and pg_stats would then show readers the chunk's most common values:
-- other tenants' symbols, prices, ids. Grants of columns it does not copy to new chunks; the existing
-- ones, to which it does pass them on, are taken back.
CREATE FUNCTION tickd.confine(
    what regclass, shared boolean DEFAULT false, readable boolean DEFAULT true)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own constant text := '(tenant_id = (SELECT tickd.current_tenant()))';
    columns text;
    chunk   regclass;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', what);
    EXECUTE format('CREATE POLICY owner ON %s TO tickd_owner USING (true) WITH CHECK (true)', what);
    EXECUTE format('CREATE POLICY tenant ON %s TO tickd_reader USING %s WITH CHECK %s',
                   what, own, own);
    IF shared THEN
        EXECUTE format('CREATE POLICY shared ON %s FOR SELECT TO tickd_reader'
                       ' USING (tenant_id IS NULL)', what);
    END IF;
    EXECUTE format('REVOKE SELECT ON %s FROM tickd_reader', what);
    IF NOT readable THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM timescaledb_information.hypertables h
                    WHERE to_regclass(format('%I.%I', h.hypertable_schema, h.hypertable_name))
                          = what)
    THEN
        EXECUTE format('GRANT SELECT ON %s TO tickd_reader', what);
        RETURN;
    END IF;
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
      FROM pg_attribute WHERE attrelid = what AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('GRANT SELECT (%s) ON %s TO tickd_reader', columns, what);
    FOR chunk IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = what LOOP
        EXECUTE format('REVOKE ALL ON %s FROM tickd_reader', chunk);
    END LOOP;
END $$;

SELECT tickd.confine('public.price_telemetry', shared => true);

-- All others, those of migrations before this one that are not named here among them. What the
-- mission's tables hold of a tenant it may read, and what became of its records; whatever else
-- has a tenant_id stays closed until its own migration opens it.
SELECT tickd.confine(c.oid::regclass, readable =>
           format('%I.%I', n.nspname, c.relname) = ANY (ARRAY[
               'public.unified_activity_log', 'public.tenants', 'public.tenant_roles',
               'public.portfolios', 'public.portfolio_positions', 'tickd.dead_letter',
               'tickd.producer'])
           OR has_table_privilege('tickd_reader', c.oid, 'SELECT'))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'tickd') AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
   AND pg_get_userbyid(c.relowner) = 'tickd_owner'
   AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped);

-- The functions that act for others meet the owner's policies. A caller's `row_security = off`, by which an
-- auditor or the notary makes sure that no policy filters what it reads, must not reach into them: there it
-- is an error.
DO $$
DECLARE
    acts_for_others regprocedure;
BEGIN
    FOR acts_for_others IN
        SELECT p.oid::regprocedure
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = 'tickd' AND p.prosecdef AND pg_get_userbyid(p.proowner) = 'tickd_owner'
           AND p.proname <> 'current_tenant'  -- a reader that switches policies off is refused anyway
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET row_security = on', acts_for_others);
    END LOOP;
END $$;

-- --- what portfolios are worth --------------------------------------------------------------------

-- Each position at the newest mid that its tenant may see: a shared tick, or a mark of its own. That
-- is said again here, because who bypasses policies must not value one tenant's book by another's
-- marks. Amounts are in the currency that the symbol is quoted in; nothing is converted. A position
-- without any tick has no price and no value.
--
-- security_invoker: policies and grants are those of whoever asks. The newest tick comes from
-- idx_price_symbol, one probe a chunk from the newest one on.
CREATE VIEW public.position_values WITH (security_invoker = true) AS
SELECT p.tenant_id, p.portfolio_id, p.symbol, p.quantity, p.average_price,
       newest.mid AS price, newest.time AS price_time,
       p.quantity * newest.mid AS value,
       p.quantity * (newest.mid - p.average_price) AS gain
  FROM public.portfolio_positions p
  LEFT JOIN LATERAL (
        SELECT t.mid, t.time FROM public.price_telemetry t
         WHERE t.symbol = p.symbol AND (t.tenant_id IS NULL OR t.tenant_id = p.tenant_id)
         ORDER BY t.time DESC LIMIT 1) AS newest ON true;
COMMENT ON VIEW public.position_values IS
    'Positions at the newest mid that their tenant may see, in the currency of the quote';

CREATE VIEW public.portfolio_values WITH (security_invoker = true) AS
SELECT p.tenant_id, p.portfolio_id, p.name, p.base_currency,
       count(v.symbol) AS positions, count(v.price) AS priced,
       sum(v.value) AS value, sum(v.gain) AS gain,
       min(v.price_time) AS oldest_price  -- what the value is at least as fresh as
  FROM public.portfolios p
  LEFT JOIN public.position_values v USING (tenant_id, portfolio_id)
 GROUP BY p.tenant_id, p.portfolio_id;
COMMENT ON VIEW public.portfolio_values IS 'What each portfolio is worth at the newest mids';

REVOKE ALL ON public.position_values, public.portfolio_values FROM PUBLIC;
GRANT SELECT ON public.position_values, public.portfolio_values TO tickd_reader;
