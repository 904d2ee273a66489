-- Activity batches: what makes a missing, added or re-hashed row of the activity log show.
--
-- Each commit leaves one record for every tenant it wrote events of: which ids, and the Merkle root
-- (RFC 6962) over their hashes. A tenant's records are chained by the hash of the one before; all
-- records are the leaves of one RFC 6962 tree, whose root a checkpoint signs. The head row is locked
-- from the append to the end of the transaction, so indexes run without a gap whatever the number
-- of writers. docs/activity-log.md has the format.

-- What the notary logs in as: it reads the log whole, past row security, and adds records that
-- belong to no tenant, and checkpoints. LOGIN and BYPASSRLS as for the auditor (0001_roles.sql).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tickd_notary') THEN
        CREATE ROLE tickd_notary LOGIN BYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- Made by another database's migrator after we looked.
END $$;
GRANT USAGE ON SCHEMA public TO tickd_notary;

SET LOCAL ROLE tickd_owner;

CREATE TABLE tickd.activity_batch (
    index        bigint      PRIMARY KEY CHECK (index >= 0),  -- gapless: the leaf of the log's tree
    kind         text        NOT NULL CHECK (kind IN ('genesis', 'seg', 'heartbeat', 'key')),
    tenant_id    uuid,        -- this and the next four: of a 'seg' only
    tseq         bigint,      -- gapless per tenant, from 1
    first_id     bigint,
    row_count    integer,
    root         bytea,       -- RFC 6962 root over the rows' hashes, in order of id
    record       bytea       NOT NULL,                          -- the text that is hashed
    entry        bytea       NOT NULL CHECK (entry = sha256(record)),
    committed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (starts_with(encode(substr(record, 1, 20), 'escape'), 'ual-' || kind || E'/v1\n')),
    CHECK (CASE WHEN kind = 'seg'
                THEN num_nulls(tseq, first_id, row_count, root) = 0
                     AND tseq > 0 AND row_count > 0 AND octet_length(root) = 32
                ELSE num_nonnulls(tenant_id, tseq, first_id, row_count, root) = 0 END),
    CONSTRAINT activity_batch_ids EXCLUDE USING gist
        (int8range(first_id, first_id + row_count) WITH &&) WHERE (kind = 'seg')
);
-- No tenant and the nil UUID are one chain.
CREATE UNIQUE INDEX activity_batch_tenant ON tickd.activity_batch
    (coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'), tseq) WHERE kind = 'seg';

-- The tree over all records: its size, the roots of its perfect subtrees from left to right (as
-- many as size has one bits), and its root. One row; every append updates it, in place while the
-- page has room.
CREATE TABLE tickd.activity_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    origin   text    NOT NULL CHECK (origin ~ '^[!-*,-~]{1,200}$'),
    size     bigint  NOT NULL,
    frontier bytea[] NOT NULL,
    root     bytea   NOT NULL
) WITH (fillfactor = 10);

-- Each tenant's newest record; nil UUID for none.
CREATE TABLE tickd.activity_tenant_head (
    tenant_key uuid   PRIMARY KEY,
    tseq       bigint NOT NULL,
    last_entry bytea  NOT NULL
) WITH (fillfactor = 50);

-- Copies of the notary's signed tree heads, for convenience. They are no evidence here: who can
-- rewrite the log can remove them.
CREATE TABLE tickd.activity_checkpoint (
    size      bigint      PRIMARY KEY,
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT now()
);

-- --- the tree -----------------------------------------------------------------------------------

-- The frontier of a tree of `size` leaves after one more. The leaf is SHA256(0x00 || entry).
CREATE FUNCTION tickd.activity_frontier(frontier bytea[], size bigint, entry bytea) RETURNS bytea[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash bytea := sha256('\x00'::bytea || entry);
    kept integer := cardinality(frontier);
BEGIN
    WHILE (size & 1) = 1 LOOP
        hash := sha256('\x01'::bytea || frontier[kept] || hash);
        kept := kept - 1;
        size := size >> 1;
    END LOOP;
    RETURN frontier[1:kept] || hash;
END $$;

CREATE FUNCTION tickd.activity_root(frontier bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash bytea := coalesce(frontier[cardinality(frontier)], sha256(''::bytea));
BEGIN
    FOR i IN REVERSE cardinality(frontier) - 1 .. 1 LOOP
        hash := sha256('\x01'::bytea || frontier[i] || hash);
    END LOOP;
    RETURN hash;
END $$;

-- --- appending ----------------------------------------------------------------------------------

-- Appends one record per element of the arrays, in their order, inside the transaction that
-- carries the rows: tenant (NULL: none), first id and count of its rows, hex of their Merkle root,
-- `src` lines (each ended by a newline; empty: none), hex of a 16-byte nonce.
--
-- The writer sends it behind its COPYs in one string with COMMIT, so whoever holds the head's lock
-- never waits for a client. 23P01 or 23505: an id of it is in another record.
CREATE FUNCTION tickd.append_activity_batches(
    p_writer text, p_epoch bigint, p_time_us bigint,
    p_tenants uuid[], p_first_ids bigint[], p_counts integer[], p_roots text[], p_sources text[],
    p_nonces text[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head       tickd.activity_head;
    last       tickd.activity_tenant_head;
    chain      uuid;
    new_record bytea;
BEGIN
    IF (cardinality(p_first_ids) = ALL (ARRAY[
            cardinality(p_tenants), cardinality(p_counts), cardinality(p_roots),
            cardinality(p_sources), cardinality(p_nonces)])) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of different lengths' USING ERRCODE = 'array_subscript_error';
    END IF;
    IF (p_writer ~ '^[!-~]+$' AND p_epoch >= 0 AND p_time_us >= 0) IS NOT TRUE THEN
        RAISE EXCEPTION 'no writer, epoch or time of a record: %, %, %', p_writer, p_epoch,
            p_time_us USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT * INTO STRICT head FROM tickd.activity_head FOR UPDATE;
    FOR i IN 1 .. cardinality(p_first_ids) LOOP
        -- Only such text can be told apart again: lines of known keys, in known order.
        IF (p_first_ids[i] > 0 AND p_counts[i] > 0 AND p_roots[i] ~ '^[0-9a-f]{64}$'
            AND p_nonces[i] ~ '^[0-9a-f]{32}$'
            AND p_sources[i] ~ '^(src [!-~]+ [0-9]+ [0-9]+\n)*$') IS NOT TRUE
        THEN
            RAISE EXCEPTION 'no activity batch: ids % %, root %, nonce %, sources %',
                p_first_ids[i], p_counts[i], p_roots[i], p_nonces[i], p_sources[i]
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        chain := coalesce(p_tenants[i], '00000000-0000-0000-0000-000000000000');
        SELECT * INTO last FROM tickd.activity_tenant_head h WHERE h.tenant_key = chain;
        new_record := convert_to(
            E'ual-seg/v1\norigin ' || head.origin || E'\nindex ' || head.size
            || E'\ntenant ' || coalesce(p_tenants[i]::text, '-')
            || E'\ntseq ' || coalesce(last.tseq, 0) + 1
            || E'\ntprev ' || coalesce(encode(last.last_entry, 'hex'), repeat('0', 64))
            || E'\nids ' || p_first_ids[i] || ' ' || p_counts[i]
            || E'\nroot ' || p_roots[i] || E'\n' || p_sources[i]
            || 'writer ' || p_writer || ' ' || p_epoch
            || E'\ntime ' || p_time_us || E'\nnonce ' || p_nonces[i] || E'\n', 'UTF8');
        last.tseq := coalesce(last.tseq, 0) + 1;
        last.last_entry := sha256(new_record);
        INSERT INTO tickd.activity_batch
            (index, kind, tenant_id, tseq, first_id, row_count, root, record, entry)
        VALUES (head.size, 'seg', p_tenants[i], last.tseq, p_first_ids[i], p_counts[i],
                decode(p_roots[i], 'hex'), new_record, last.last_entry);
        INSERT INTO tickd.activity_tenant_head (tenant_key, tseq, last_entry)
        VALUES (chain, last.tseq, last.last_entry)
        ON CONFLICT (tenant_key)
        DO UPDATE SET tseq = EXCLUDED.tseq, last_entry = EXCLUDED.last_entry;
        head.frontier := tickd.activity_frontier(head.frontier, head.size, last.last_entry);
        head.size := head.size + 1;
    END LOOP;
    UPDATE tickd.activity_head
       SET size = head.size, frontier = head.frontier,
           root = tickd.activity_root(head.frontier);
END $$;

-- Appends a record of no rows and gives its index: 'heartbeat', or 'key' with the verifier key of
-- the notary's successor, which signs every checkpoint larger than the one that ends in this
-- record.
CREATE FUNCTION tickd.append_activity_note(
    p_kind text, p_vkey text, p_time_us bigint, p_nonce text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head       tickd.activity_head;
    new_record bytea;
BEGIN
    IF (p_kind IN ('heartbeat', 'key') AND (p_kind = 'key') = (p_vkey IS NOT NULL)
        AND coalesce(p_vkey, '-') ~ '^[!-~]+$' AND length(coalesce(p_vkey, '-')) <= 400
        AND p_time_us >= 0 AND p_nonce ~ '^[0-9a-f]{32}$') IS NOT TRUE
    THEN
        RAISE EXCEPTION 'no note of the activity log: %, %, %, %', p_kind, p_vkey, p_time_us,
            p_nonce USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO STRICT head FROM tickd.activity_head FOR UPDATE;
    new_record := convert_to(
        'ual-' || p_kind || E'/v1\norigin ' || head.origin || E'\nindex ' || head.size
        || coalesce(E'\nvkey ' || p_vkey || E'\nfrom_index ' || head.size + 1, '')
        || E'\ntime ' || p_time_us || E'\nnonce ' || p_nonce || E'\n', 'UTF8');
    INSERT INTO tickd.activity_batch (index, kind, record, entry)
    VALUES (head.size, p_kind, new_record, sha256(new_record));
    head.frontier := tickd.activity_frontier(head.frontier, head.size, sha256(new_record));
    UPDATE tickd.activity_head
       SET size = head.size + 1, frontier = head.frontier,
           root = tickd.activity_root(head.frontier);
    RETURN head.size;
END $$;

-- Puts rows that were written by SQL, with their hashes, into records: those of ids from p_first to
-- p_last, none of which may be in a record yet. One record for each run of ids of one tenant, of
-- 8,192 rows at most. For the owner and superusers, who could write records anyway.
CREATE FUNCTION tickd.seal_activity_rows(p_first bigint, p_last bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hashed    record;
    run_first bigint;
    run_of    uuid;
    run_count integer := 0;  -- rows of the run so far
    frontier  bytea[];
    tenants   uuid[] := '{}';
    first_ids bigint[] := '{}';
    counts    integer[] := '{}';
    roots     text[] := '{}';
BEGIN
    FOR hashed IN
        SELECT l.id, l.tenant_id, decode(tickd.activity_row_hash(l), 'hex') AS hash
          FROM public.unified_activity_log l WHERE l.id BETWEEN p_first AND p_last
         UNION ALL SELECT NULL, NULL, NULL  -- Ends the last run.
         ORDER BY id NULLS LAST
    LOOP
        IF run_count > 0 AND (hashed.id IS DISTINCT FROM run_first + run_count
                              OR hashed.tenant_id IS DISTINCT FROM run_of
                              OR run_count = 8192)
        THEN
            tenants := tenants || run_of;
            first_ids := first_ids || run_first;
            counts := counts || run_count;
            roots := roots || encode(tickd.activity_root(frontier), 'hex');
            run_count := 0;
        END IF;
        IF run_count = 0 THEN
            run_first := hashed.id;
            run_of := hashed.tenant_id;
            frontier := '{}';
        END IF;
        IF hashed.id IS NOT NULL THEN
            frontier := tickd.activity_frontier(frontier, run_count, hashed.hash);
            run_count := run_count + 1;
        END IF;
    END LOOP;
    PERFORM tickd.append_activity_batches(
        'sql', 0, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
        tenants, first_ids, counts, roots, array_fill(''::text, ARRAY[cardinality(roots)]),
        ARRAY(SELECT replace(gen_random_uuid()::text, '-', '') FROM unnest(roots)));
END $$;

-- --- beginning ----------------------------------------------------------------------------------

-- The log's name, for ever: tickd.origin if the migrator's session has it (`tickd db migrate` takes
-- it from activity.origin), else one that no other log has.
DO $$
DECLARE
    origin     text := coalesce(
        nullif(current_setting('tickd.origin', true), ''),
        'tickd/' || regexp_replace(current_database(), '[^A-Za-z0-9_.-]', '_', 'g') || '/'
        || left(replace(gen_random_uuid()::text, '-', ''), 12));
    new_record bytea;
    frontier   bytea[];
BEGIN
    new_record := convert_to(
        E'ual-genesis/v1\norigin ' || origin || E'\nindex 0\nrow ual-row/v1\ntime '
        || floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        || E'\nnonce ' || replace(gen_random_uuid()::text, '-', '') || E'\n', 'UTF8');
    frontier := tickd.activity_frontier('{}', 0, sha256(new_record));
    INSERT INTO tickd.activity_batch (index, kind, record, entry)
    VALUES (0, 'genesis', new_record, sha256(new_record));
    INSERT INTO tickd.activity_head (origin, size, frontier, root)
    VALUES (origin, 1, frontier, tickd.activity_root(frontier));
    -- Rows of before there were records.
    PERFORM tickd.seal_activity_rows(1, 9223372036854775807)
      WHERE EXISTS (SELECT FROM public.unified_activity_log);
END $$;

-- --- rights -------------------------------------------------------------------------------------

REVOKE ALL ON tickd.activity_batch, tickd.activity_head, tickd.activity_tenant_head,
    tickd.activity_checkpoint FROM PUBLIC;
GRANT USAGE ON SCHEMA tickd TO tickd_notary;
GRANT SELECT ON public.unified_activity_log, tickd.activity_batch, tickd.activity_head,
    tickd.activity_tenant_head TO tickd_notary;
GRANT SELECT, INSERT ON tickd.activity_checkpoint TO tickd_notary;
GRANT EXECUTE ON FUNCTION tickd.append_activity_batches(
    text, bigint, bigint, uuid[], bigint[], integer[], text[], text[], text[]) TO tickd_ingest;
GRANT EXECUTE ON FUNCTION tickd.append_activity_note(text, text, bigint, text) TO tickd_notary;
GRANT EXECUTE ON FUNCTION tickd.activity_frontier(bytea[], bigint, bytea),
    tickd.activity_root(bytea[]) TO tickd_auditor, tickd_notary;
