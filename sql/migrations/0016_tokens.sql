-- Credentials of producers. The daemon compares hashes; the tokens themselves are nowhere.

SET LOCAL ROLE tickd_owner;

CREATE TABLE tickd.token (
    token_id   text        PRIMARY KEY CHECK (token_id ~ '^[0-9a-f]{16}$'),  -- its public part
    -- Of every record that comes with it; NULL: shared market data.
    tenant_id  uuid        REFERENCES public.tenants ON DELETE CASCADE,
    producers  text[]      NOT NULL CHECK (cardinality(producers) BETWEEN 1 AND 1000
                                           AND array_position(producers, NULL) IS NULL),
    hash       bytea       NOT NULL CHECK (octet_length(hash) = 32),  -- SHA-256 of the whole token
    note       text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text        NOT NULL DEFAULT session_user,
    expires_at timestamptz,  -- NULL: never
    revoked_at timestamptz
);
CREATE INDEX token_tenant ON tickd.token (tenant_id);
REVOKE ALL ON tickd.token FROM PUBLIC;
SELECT tickd.confine('tickd.token', readable => false);

-- A producer's name is one for all tenants, and so is its watermark: whoever could speak under
-- another's name would make that one's records count as duplicates. So a name belongs to one tenant.
-- A producer that has only sent shared market data so far may be given to a tenant.
CREATE FUNCTION tickd.check_token_producers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken text;
BEGIN
    LOCK TABLE tickd.token IN SHARE ROW EXCLUSIVE MODE;
    SELECT name INTO taken FROM unnest(NEW.producers) AS name
     WHERE EXISTS (SELECT FROM tickd.token t
                    WHERE name = ANY (t.producers) AND t.token_id <> NEW.token_id
                      AND t.revoked_at IS NULL AND t.tenant_id IS DISTINCT FROM NEW.tenant_id)
        OR EXISTS (SELECT FROM tickd.producer p
                    WHERE p.producer = name AND p.tenant_id <> NEW.tenant_id)
        OR EXISTS (SELECT FROM tickd.producer p
                    WHERE p.producer = name AND p.tenant_id IS NOT NULL AND NEW.tenant_id IS NULL)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'producer % belongs to another tenant', taken USING ERRCODE = 'TK003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_producers BEFORE INSERT OR UPDATE OF tenant_id, producers ON tickd.token
    FOR EACH ROW EXECUTE FUNCTION tickd.check_token_producers();

-- What the daemon asks for, every few seconds and at every hello: each token that is good now, one
-- row a producer of it.
CREATE FUNCTION tickd.live_tokens()
RETURNS TABLE (token_id text, hash bytea, tenant_id uuid, expires_at timestamptz, producer text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.token_id, t.hash, t.tenant_id, t.expires_at, p.name
      FROM tickd.token t CROSS JOIN LATERAL unnest(t.producers) AS p (name)
     WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
     ORDER BY t.token_id
$$;
GRANT EXECUTE ON FUNCTION tickd.live_tokens() TO tickd_ingest;
