-- Who may send: tokens, and the functions by which operators manage tenants, their roles and tokens.
-- A producer's name belongs to its tenant from here on.

SET LOCAL ROLE tickd_owner;

-- --- producers ------------------------------------------------------------------------------------

-- Two tenants may use one name: each has a watermark of its own. The first key was the name alone.
ALTER TABLE tickd.producer DROP CONSTRAINT producer_pkey;
ALTER TABLE tickd.producer
    ADD CONSTRAINT producer_name_in_tenant UNIQUE NULLS NOT DISTINCT (producer, tenant_id);

-- As 0007 has it, but for the key. TK002's DETAIL is the name, and behind a newline the tenant, if there
-- is one: names hold no newline.
CREATE OR REPLACE FUNCTION tickd.settle_batch(
    p_lane integer, p_epoch bigint, p_batch_no bigint,
    p_ticks integer, p_events integer, p_dead_letters integer,
    p_producers text[], p_tenants uuid[], p_expected bigint[], p_watermarks bigint[],
    p_received bigint[], p_committed bigint[], p_duplicates bigint[], p_dead bigint[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on
AS $$
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

    -- In order of name and tenant, so that two lanes that share producers cannot deadlock.
    INSERT INTO tickd.producer (producer, tenant_id)
    SELECT name, tenant FROM unnest(p_producers, p_tenants) AS batch (name, tenant)
     ORDER BY name, tenant
    ON CONFLICT (producer, tenant_id) DO NOTHING;
    PERFORM FROM tickd.producer known
      WHERE known.producer = ANY (p_producers)
        AND EXISTS (SELECT FROM unnest(p_producers, p_tenants) AS batch (name, tenant)
                     WHERE batch.name = known.producer
                       AND batch.tenant IS NOT DISTINCT FROM known.tenant_id)
      ORDER BY known.producer, known.tenant_id FOR UPDATE;

    SELECT known.producer, known.tenant_id, known.watermark, batch.expected INTO moved
      FROM unnest(p_producers, p_tenants, p_expected) AS batch (name, tenant, expected)
      JOIN tickd.producer known ON known.producer = batch.name
                               AND known.tenant_id IS NOT DISTINCT FROM batch.tenant
     WHERE known.watermark IS DISTINCT FROM batch.expected
     ORDER BY known.producer, known.tenant_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'producer % stands at %, not at %', moved.producer, moved.watermark,
            moved.expected
            USING ERRCODE = 'TK002',
                  DETAIL = moved.producer || coalesce(E'\n' || moved.tenant_id, '');
    END IF;

    UPDATE tickd.producer known SET
        watermark     = greatest(known.watermark, batch.watermark),
        received      = known.received + batch.received,
        committed     = known.committed + batch.committed,
        duplicates    = known.duplicates + batch.duplicates,
        dead_lettered = known.dead_lettered + batch.dead,
        last_seen     = now()
      FROM unnest(p_producers, p_tenants, p_watermarks, p_received, p_committed, p_duplicates,
                  p_dead)
           AS batch (name, tenant, watermark, received, committed, duplicates, dead)
     WHERE known.producer = batch.name AND known.tenant_id IS NOT DISTINCT FROM batch.tenant;
END $$;

DROP FUNCTION tickd.producer_watermark(text);
-- Where a returning producer goes on: its watermark, 0 for one never seen.
CREATE FUNCTION tickd.producer_watermark(p_producer text, p_tenant uuid DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT coalesce((SELECT watermark FROM tickd.producer
                      WHERE producer = p_producer AND tenant_id IS NOT DISTINCT FROM p_tenant), 0)
$$;

-- As 0010 has it, but for the key.
CREATE OR REPLACE FUNCTION tickd.mark_replayed(p_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
DECLARE
    marked bigint;
BEGIN
    -- In order of id, so that two replays cannot deadlock.
    PERFORM FROM tickd.dead_letter d
      WHERE d.id = ANY (p_ids) AND d.replayed_at IS NULL ORDER BY d.id FOR UPDATE;
    UPDATE tickd.dead_letter d SET replayed_at = clock_timestamp()
     WHERE d.id = ANY (p_ids) AND d.replayed_at IS NULL;
    GET DIAGNOSTICS marked = ROW_COUNT;
    IF marked <> cardinality(p_ids) THEN
        RAISE EXCEPTION '% of % dead letters are not waiting any more',
            cardinality(p_ids) - marked, cardinality(p_ids) USING ERRCODE = 'TK004';
    END IF;

    -- In the order in which settle_batch takes them.
    PERFORM FROM tickd.producer known
      WHERE known.producer IN (SELECT d.producer FROM tickd.dead_letter d WHERE d.id = ANY (p_ids))
      ORDER BY known.producer, known.tenant_id FOR UPDATE;
    -- A letter of a tenant that the record itself named is its producer's without a tenant.
    UPDATE tickd.producer known
       SET committed     = known.committed + moved.letters,
           dead_lettered = known.dead_lettered - moved.letters
      FROM (SELECT d.producer AS name, own.tenant_id AS tenant, count(*) AS letters
              FROM tickd.dead_letter d
              LEFT JOIN tickd.producer own
                     ON own.producer = d.producer AND own.tenant_id = d.tenant_id
             WHERE d.id = ANY (p_ids) GROUP BY d.producer, own.tenant_id) AS moved
     WHERE known.producer = moved.name AND known.tenant_id IS NOT DISTINCT FROM moved.tenant;
END $$;

-- --- tokens ---------------------------------------------------------------------------------------

-- What a token is and allows. The secret itself, 256 random bits as text, is told once, to whoever
-- asks for the token; what is kept is good for nothing but recognizing it.
CREATE TABLE tickd.token (
    token_id        uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    name            varchar(100) NOT NULL CHECK (name <> ''),
    secret_sha256   bytea        NOT NULL UNIQUE CHECK (octet_length(secret_sha256) = 32),
    tenant_id       uuid         REFERENCES public.tenants ON DELETE CASCADE,  -- NULL: shared ticks
    producers       text[]       NOT NULL DEFAULT '{}',  -- names, `*` for any characters; empty: any
    may_name_tenant boolean      NOT NULL DEFAULT false, -- its records may say whose they are
    created_at      timestamptz  NOT NULL DEFAULT now(),
    expires_at      timestamptz,                         -- NULL: never
    revoked_at      timestamptz,
    -- Who belongs to a tenant speaks for no other.
    CHECK (NOT (may_name_tenant AND tenant_id IS NOT NULL))
);
CREATE UNIQUE INDEX token_name ON tickd.token (name) WHERE revoked_at IS NULL;
CREATE INDEX token_tenant ON tickd.token (tenant_id);
REVOKE ALL ON tickd.token FROM PUBLIC;
SELECT tickd.confine('tickd.token', readable => false);

-- Daemons listen, so that what is changed counts at once. That something was is all they are told.
CREATE FUNCTION tickd.tell_token_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
BEGIN
    PERFORM pg_notify('tickd_token', '');
    RETURN NULL;
END $$;
CREATE TRIGGER tell_token_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON tickd.token
    FOR EACH STATEMENT EXECUTE FUNCTION tickd.tell_token_change();

-- What a daemon needs to know: the tokens that are good now. `expires_us`: since 1970, or NULL.
CREATE FUNCTION tickd.good_tokens(
    OUT token_id uuid, OUT name text, OUT secret_sha256 text, OUT tenant_id uuid,
    OUT producers text[], OUT may_name_tenant boolean, OUT expires_us bigint)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT t.token_id, t.name, encode(t.secret_sha256, 'hex'), t.tenant_id, t.producers,
           t.may_name_tenant, (extract(epoch FROM t.expires_at) * 1000000)::bigint
      FROM tickd.token t
     WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
     ORDER BY t.created_at, t.token_id
$$;

CREATE FUNCTION tickd.add_token(
    p_name text, p_secret_sha256 bytea, p_tenant uuid, p_producers text[],
    p_may_name_tenant boolean, p_expires_at timestamptz)
RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    INSERT INTO tickd.token (name, secret_sha256, tenant_id, producers, may_name_tenant, expires_at)
    VALUES (p_name, p_secret_sha256, p_tenant, p_producers, p_may_name_tenant, p_expires_at)
    RETURNING token_id
$$;

-- By name or id. False: there is no such token that is not revoked already.
CREATE FUNCTION tickd.revoke_token(p_token text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    WITH gone AS (
        UPDATE tickd.token t SET revoked_at = clock_timestamp()
         WHERE (t.name = p_token OR t.token_id::text = lower(p_token)) AND t.revoked_at IS NULL
        RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;

CREATE FUNCTION tickd.list_tokens(
    OUT token_id uuid, OUT name text, OUT tenant text, OUT producers text, OUT may_name_tenant boolean,
    OUT created_at timestamptz, OUT expires_at timestamptz, OUT state text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT t.token_id, t.name, n.name, array_to_string(t.producers, ', '), t.may_name_tenant,
           t.created_at, t.expires_at,
           CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked'
                WHEN t.expires_at <= clock_timestamp() THEN 'expired' ELSE 'good' END
      FROM tickd.token t LEFT JOIN public.tenants n USING (tenant_id)
     ORDER BY t.created_at, t.token_id
$$;

-- --- tenants and their roles ----------------------------------------------------------------------

CREATE FUNCTION tickd.add_tenant(p_name text) RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    INSERT INTO public.tenants (name) VALUES (p_name) RETURNING tenant_id
$$;

-- By name or id; NULL: there is none.
CREATE FUNCTION tickd.find_tenant(p_tenant text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT tenant_id FROM public.tenants WHERE name = p_tenant OR tenant_id::text = lower(p_tenant)
     ORDER BY name = p_tenant DESC LIMIT 1
$$;

CREATE FUNCTION tickd.list_tenants(
    OUT tenant_id uuid, OUT name text, OUT created_at timestamptz, OUT roles text,
    OUT portfolios bigint, OUT tokens bigint)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT t.tenant_id, t.name, t.created_at,
           (SELECT string_agg(r.role_name, ', ' ORDER BY r.role_name) FROM public.tenant_roles r
             WHERE r.tenant_id = t.tenant_id),
           (SELECT count(*) FROM public.portfolios p WHERE p.tenant_id = t.tenant_id),
           (SELECT count(*) FROM tickd.token k
             WHERE k.tenant_id = t.tenant_id AND k.revoked_at IS NULL)
      FROM public.tenants t ORDER BY t.name
$$;

-- Takes with it the tenant's roles' rows, tokens and portfolios. Ticks, events and dead letters stay:
-- no tenant sees them any more.
CREATE FUNCTION tickd.remove_tenant(p_tenant uuid) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    WITH gone AS (DELETE FROM public.tenants WHERE tenant_id = p_tenant RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;

-- The role acts for the tenant; NULL: it is a pooler, which names one itself.
CREATE FUNCTION tickd.add_tenant_role(p_role name, p_tenant uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    INSERT INTO public.tenant_roles (role_name, tenant_id, is_pooler)
    VALUES (p_role, p_tenant, p_tenant IS NULL)
$$;

CREATE FUNCTION tickd.remove_tenant_role(p_role name) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    WITH gone AS (DELETE FROM public.tenant_roles WHERE role_name = p_role RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;

-- `trouble`: why the role does not do what its row says, or more.
CREATE FUNCTION tickd.list_tenant_roles(
    OUT role_name name, OUT tenant text, OUT is_pooler boolean, OUT trouble text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on AS $$
    SELECT m.role_name, t.name, m.is_pooler,
           CASE WHEN r.rolname IS NULL THEN 'no such role'
                WHEN r.rolsuper THEN 'a superuser: sees every tenant'
                WHEN r.rolbypassrls THEN 'has BYPASSRLS: sees every tenant'
                WHEN NOT pg_has_role(r.oid, 'tickd_reader', 'MEMBER')
                    THEN 'no member of tickd_reader: may read nothing'
                WHEN NOT r.rolcanlogin THEN 'cannot log in' END
      FROM public.tenant_roles m
      LEFT JOIN public.tenants t USING (tenant_id)
      LEFT JOIN pg_catalog.pg_roles r ON r.rolname = m.role_name
     ORDER BY t.name NULLS FIRST, m.role_name
$$;

REVOKE ALL ON FUNCTION tickd.tell_token_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tickd.producer_watermark(text, uuid), tickd.good_tokens() TO tickd_ingest;
GRANT EXECUTE ON FUNCTION
    tickd.add_token(text, bytea, uuid, text[], boolean, timestamptz),
    tickd.revoke_token(text), tickd.list_tokens(),
    tickd.add_tenant(text), tickd.find_tenant(text), tickd.list_tenants(),
    tickd.remove_tenant(uuid),
    tickd.add_tenant_role(name, uuid), tickd.remove_tenant_role(name), tickd.list_tenant_roles()
TO tickd_operator;
