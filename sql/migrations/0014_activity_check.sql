-- The check of the activity log in SQL: a third implementation, apart from the writer's functions of
-- 0012 and from `tickd verify activity`. docs/activity-log.md has the rules.
--
--     SELECT * FROM tickd.check_activity();        as tickd_auditor; no row: nothing was found
--
-- In the database that is under suspicion this is a convenience, not evidence: a superuser can
-- replace these functions, or sha256() itself. PostgreSQL has no Ed25519, so the signatures of
-- checkpoints (level 4) and what lies outside (5, 6) are not looked at here.

SET LOCAL ROLE tickd_owner;

-- RFC 6962's MTH over leaf hashes, level by level: an odd node is carried upwards as it is.
CREATE FUNCTION tickd.activity_tree_root(leaves bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cardinality(leaves) = 0 THEN
        RETURN sha256(''::bytea);
    END IF;
    WHILE cardinality(leaves) > 1 LOOP
        SELECT array_agg(CASE WHEN "right" IS NULL THEN "left"
                              ELSE sha256('\x01'::bytea || "left" || "right") END ORDER BY place)
          INTO leaves
          FROM (SELECT hash AS "left", lead(hash) OVER (ORDER BY place) AS "right", place
                  FROM unnest(leaves) WITH ORDINALITY AS level (hash, place)) AS pairs
         WHERE place % 2 = 1;
    END LOOP;
    RETURN leaves[1];
END $$;

-- The root of the log's tree when it had so many records, from their texts: what the third line of
-- a checkpoint of that size has in base64. NULL when one of them is not there.
CREATE FUNCTION tickd.activity_log_root(size bigint) RETURNS bytea
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN count(*) = size
                THEN tickd.activity_tree_root(coalesce(
                    array_agg(sha256('\x00'::bytea || sha256(b.record)) ORDER BY b.index), '{}'))
           END
      FROM tickd.activity_batch b WHERE b.index < size
$$;

-- What a record's text says: kind, origin, index, time; of a 'seg' tenant, tseq, tprev, first id,
-- row count, root, `src` lines; of a 'genesis' its row format; of a 'key' vkey and from_index, each
-- at its own place. NULL: it is not of the form that its first line names.
CREATE FUNCTION tickd.activity_record_fields(record bytea) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number CONSTANT text := '(0|[1-9][0-9]{0,18})';
    head   CONSTANT text := 'origin ([ -~]*)\nindex ' || number || '\n';
    tail   CONSTANT text := 'time ' || number || '\nnonce [0-9a-f]{32}\n$';
    uuid   CONSTANT text := '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})';
    words  text;
    kind   text;
    f      text[];
BEGIN
    IF position('\x00'::bytea IN record) > 0 OR octet_length(record) > 1048576 THEN
        RETURN NULL;
    END IF;
    words := convert_from(record, 'LATIN1');
    IF words !~ '^[\n -~]*$' THEN
        RETURN NULL;
    END IF;
    kind := substring(words FROM '^ual-(seg|genesis|heartbeat|key)/v1\n');
    CASE kind
    WHEN 'seg' THEN
        f := regexp_match(words,
            '^ual-seg/v1\n' || head || 'tenant (?:-|' || uuid || ')\ntseq ' || number
            || '\ntprev ([0-9a-f]{64})\nids (-?' || replace(number, '(', '(?:') || ') ' || number
            || '\nroot ([0-9a-f]{64})\n((?:src [!-~]+ ' || replace(number, '(', '(?:') || ' '
            || replace(number, '(', '(?:') || '\n)*)writer [!-~]+ '
            || replace(number, '(', '(?:') || '\n' || tail);
        IF f IS NULL OR f[6] = '-0' OR f[7]::numeric < 1
           OR greatest(f[2]::numeric, f[4]::numeric, f[6]::numeric + f[7]::numeric, f[10]::numeric)
              > 9223372036854775807
        THEN
            RETURN NULL;
        END IF;
        RETURN ARRAY[kind, f[1], f[2], f[10], f[3], f[4], f[5], f[6], f[7], f[8], f[9], NULL, NULL,
                     NULL];
    WHEN 'genesis' THEN
        f := regexp_match(words, '^ual-genesis/v1\n' || head || 'row ([ -~]*)\n' || tail);
        RETURN CASE WHEN f IS NOT NULL
                    THEN ARRAY[kind, f[1], f[2], f[4], NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                               f[3], NULL, NULL] END;
    WHEN 'heartbeat' THEN
        f := regexp_match(words, '^ual-heartbeat/v1\n' || head || tail);
        RETURN CASE WHEN f IS NOT NULL
                    THEN ARRAY[kind, f[1], f[2], f[3]] END;
    WHEN 'key' THEN
        f := regexp_match(words, '^ual-key/v1\n' || head || 'vkey ([ -~]*)\nfrom_index ' || number
                                 || '\n' || tail);
        RETURN CASE WHEN f IS NOT NULL
                    THEN ARRAY[kind, f[1], f[2], f[5], NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                               NULL, f[3], f[4]] END;
    ELSE
        f := regexp_match(words, '^[ -~]*\n' || head);
        RETURN CASE WHEN f IS NOT NULL THEN ARRAY['other', f[1], f[2], '0'] END;
    END CASE;
END $$;

CREATE TYPE tickd.activity_finding AS (
    level    integer,  -- 0 rows, 1 batches, 2 log, 3 root
    class    text,     -- modified, missing, extra, reordered, truncated
    record   bigint,   -- index in the log
    first_id bigint,
    last_id  bigint,
    size     bigint,   -- of the head or checkpoint concerned
    detail   text
);

-- Level 2, but for rows and ids: each record, and what it says of the one before.
CREATE FUNCTION tickd.check_activity_records() RETURNS SETOF tickd.activity_finding
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH parsed AS MATERIALIZED (
        SELECT b.*, tickd.activity_record_fields(b.record) AS f, sha256(b.record) AS hash,
               lag(b.index, 1, -1::bigint) OVER (ORDER BY b.index) AS index_before
          FROM (SELECT DISTINCT ON (d.index) d.* FROM tickd.activity_batch d ORDER BY d.index) b
    ), chained AS (
        SELECT p.index, p.f[6]::bigint AS tseq, decode(p.f[7], 'hex') AS tprev,
               lag(p.f[6]::bigint, 1, 0::bigint) OVER chain AS tseq_before,
               lag(p.hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before
          FROM parsed p WHERE p.f[1] = 'seg'
        WINDOW chain AS (PARTITION BY coalesce(p.f[5], '00000000-0000-0000-0000-000000000000')
                         ORDER BY p.index)
    ), sourced AS (
        SELECT p.index, s.m[1] AS producer, s.m[2]::numeric AS after, s.m[3]::numeric AS newest,
               lag(s.m[2]::numeric) OVER producer AS after_before,
               lag(s.m[3]::numeric) OVER producer AS newest_before
          FROM parsed p,
               regexp_matches(p.f[11], 'src ([!-~]+) ([0-9]+) ([0-9]+)\n', 'g') AS s (m)
        WINDOW producer AS (PARTITION BY s.m[1] ORDER BY p.index)
    ), origin AS (
        SELECT (SELECT p.f[2] FROM parsed p WHERE p.f IS NOT NULL ORDER BY p.index LIMIT 1) AS name
    ), found (class, record, detail) AS (
        SELECT 'missing', index_before + 1, 'records are not there up to the next'
          FROM parsed WHERE index > index_before + 1
        UNION ALL SELECT 'extra', index, 'a second record of this index'
          FROM tickd.activity_batch GROUP BY index HAVING count(*) > 1
        UNION ALL SELECT 'modified', index, 'its entry is not the hash of its text'
          FROM parsed WHERE entry <> hash
        UNION ALL SELECT 'modified', index, 'its text is no record' FROM parsed WHERE f IS NULL
        UNION ALL SELECT 'reordered', index, 'its text is that of record ' || f[3]
          FROM parsed WHERE f[3]::numeric <> index
        UNION ALL SELECT 'modified', index, 'its text is of another log'
          FROM parsed, origin WHERE f[2] IS DISTINCT FROM name AND f IS NOT NULL
        UNION ALL SELECT 'modified', index, 'a genesis is the first record and no other'
          FROM parsed WHERE (f[1] = 'genesis') <> (index = 0)
        UNION ALL SELECT 'modified', index, 'its row format is another'
          FROM parsed WHERE f[1] = 'genesis' AND f[12] <> 'ual-row/v1'
        UNION ALL SELECT 'modified', index, 'a column is not what its text says'
          FROM parsed
         WHERE f IS NOT NULL
           AND (kind, tenant_id::text, tseq::text, first_id::text, row_count::text,
                encode(root, 'hex'))
               IS DISTINCT FROM (f[1], f[5], f[6], f[8], f[9], f[10])
        UNION ALL SELECT 'modified', index, 'its from_index is not the next'
          FROM parsed WHERE f[1] = 'key' AND f[14]::numeric <> index + 1
        UNION ALL
        SELECT CASE WHEN tseq > tseq_before + 1 THEN 'missing'
                    WHEN tseq < tseq_before + 1 THEN 'reordered' ELSE 'modified' END,
               index, format('tseq %s behind %s, or another tprev', tseq, tseq_before)
          FROM chained WHERE tseq <> tseq_before + 1 OR tprev <> hash_before
        UNION ALL SELECT 'extra', index, format('producer %s was committed before', producer)
          FROM sourced
         WHERE after < newest_before AND (after, newest) <> (after_before, newest_before)
    ), heads AS (
        SELECT DISTINCT ON (tenant)
               coalesce(p.f[5], '00000000-0000-0000-0000-000000000000')::uuid AS tenant,
               p.f[6]::bigint AS tseq, p.hash
          FROM parsed p WHERE p.f[1] = 'seg' ORDER BY tenant, p.index DESC
    )
    SELECT 2, class, record, NULL::bigint, NULL::bigint, NULL::bigint, detail FROM found
    UNION ALL
    SELECT 2, CASE WHEN h.tenant_key IS NULL THEN 'missing'
                   WHEN r.tenant IS NULL OR h.tseq > r.tseq THEN 'truncated'
                   WHEN h.tseq < r.tseq THEN 'extra' ELSE 'modified' END,
           NULL, NULL, NULL, NULL,
           format('the head of tenant %s', coalesce(h.tenant_key, r.tenant))
      FROM tickd.activity_tenant_head h FULL JOIN heads r ON r.tenant = h.tenant_key
     WHERE (h.tseq, h.last_entry) IS DISTINCT FROM (r.tseq, r.hash)
$$;

-- Level 3: the tree, grown record by record, against the head and the checkpoints' copies.
CREATE FUNCTION tickd.check_activity_tree() RETURNS SETOF tickd.activity_finding
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    each    record;
    edge    bytea[] := '{}';  -- roots of the complete subtrees, largest first
    hash    bytea;
    bits    bigint;
    next    bigint := 0;
    broken  boolean := false;
    log_origin text;
    heads   integer := 0;
BEGIN
    FOR each IN
        SELECT b.index, b.record, tickd.activity_record_fields(b.record) AS f, c.wanted
          FROM (SELECT DISTINCT ON (d.index) d.* FROM tickd.activity_batch d ORDER BY d.index) b
          LEFT JOIN (SELECT DISTINCT n.size AS wanted FROM tickd.activity_checkpoint k,
                            tickd.activity_note_head(k.note) n) c ON c.wanted = b.index + 1
         ORDER BY b.index
    LOOP
        IF each.index > next AND NOT broken THEN
            broken := true;
            RETURN NEXT (3, 'missing', next, NULL, NULL, NULL,
                         'the tree ends before this record')::tickd.activity_finding;
        END IF;
        log_origin := coalesce(log_origin, each.f[2]);
        hash := sha256('\x00'::bytea || sha256(each.record));
        bits := next;
        WHILE NOT broken AND bits % 2 = 1 LOOP
            hash := sha256('\x01'::bytea || edge[cardinality(edge)] || hash);
            edge := edge[1:cardinality(edge) - 1];
            bits := bits / 2;
        END LOOP;
        edge := edge || hash;
        next := each.index + 1;
        IF each.wanted IS NOT NULL AND NOT broken THEN
            RETURN QUERY
            SELECT 3, 'modified', NULL::bigint, NULL::bigint, NULL::bigint, k.size,
                   'the records do not have this root'
              FROM tickd.activity_checkpoint k, tickd.activity_note_head(k.note) n
             WHERE n.size = each.wanted AND n.root <> tickd.activity_edge_root(edge);
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT 3, w.class, NULL::bigint, NULL::bigint, NULL::bigint, k.size, w.detail
      FROM tickd.activity_checkpoint k, tickd.activity_note_head(k.note) n,
           LATERAL (VALUES ('truncated', 'the log ends before this checkpoint', n.size > next),
                           ('modified', 'the checkpoint there is of another size', n.size <> k.size),
                           ('modified', 'the checkpoint is of another log', n.origin <> log_origin))
                   AS w (class, detail, holds)
     WHERE w.holds;
    FOR each IN SELECT h.* FROM tickd.activity_head h LOOP
        heads := heads + 1;
        RETURN QUERY
        SELECT w.level, w.class, CASE WHEN w.level = 2 THEN each.size END, NULL::bigint,
               NULL::bigint, CASE WHEN w.level = 3 THEN each.size END, w.detail
          FROM (VALUES
                (3, 'extra', 'a second head', heads > 1),
                (3, 'modified', 'the head is of another log', each.origin <> log_origin),
                (3, 'truncated', 'the head is ahead of the log', each.size > next),
                (2, 'extra', 'behind what the head counts', each.size < next),
                (3, 'modified', 'the head''s root', each.size = next AND NOT broken
                     AND each.root <> tickd.activity_edge_root(edge)),
                (3, 'modified', 'the head''s frontier', each.size = next AND NOT broken
                     AND each.frontier <> edge)) AS w (level, class, detail, holds)
         WHERE w.holds;
    END LOOP;
    IF heads = 0 THEN
        RETURN NEXT (3, 'missing', NULL, NULL, NULL, NULL, 'there is no head')
            ::tickd.activity_finding;
    END IF;
END $$;

-- The root of a tree of which these are the complete subtrees' roots, largest first.
CREATE FUNCTION tickd.activity_edge_root(edge bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash bytea := coalesce(edge[cardinality(edge)], sha256(''::bytea));
BEGIN
    FOR i IN REVERSE cardinality(edge) - 1 .. 1 LOOP
        hash := sha256('\x01'::bytea || edge[i] || hash);
    END LOOP;
    RETURN hash;
END $$;

-- Origin, size and root of a checkpoint; no row when the note is none.
CREATE FUNCTION tickd.activity_note_head(note text)
RETURNS TABLE (origin text, size bigint, root bytea)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m[1], m[2]::bigint, decode(m[3], 'base64')
      FROM regexp_match(note,
          '^([^\n]+)\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)\n\n'
          || '(?:— [!-*,-~]+ [A-Za-z0-9+/]+={0,2}\n){1,16}$') AS m
     WHERE m IS NOT NULL AND note !~ '[\x01-\x09\x0b-\x1f\x7f]'
$$;

-- Levels 0 and 1, and of level 2 that each id is in one record and no row outside of all.
CREATE FUNCTION tickd.check_activity_rows() RETURNS SETOF tickd.activity_finding
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    batch    record;
    rows     record;
    free_id  bigint;   -- behind the last batch; NULL: none yet
    before   bigint;
    claims   int8multirange := '{}';
BEGIN
    FOR batch IN
        SELECT b.index, f[8]::bigint AS first_id, f[8]::bigint + f[9]::bigint AS end_id,
               f[5]::uuid AS tenant, decode(f[10], 'hex') AS root
          FROM (SELECT DISTINCT ON (d.index) d.* FROM tickd.activity_batch d ORDER BY d.index) b,
               tickd.activity_record_fields(b.record) AS f
         WHERE f[1] = 'seg'
         ORDER BY 2, 1
    LOOP
        IF batch.first_id < free_id THEN
            RETURN NEXT (2, 'extra', batch.index, batch.first_id, least(batch.end_id, free_id) - 1,
                         NULL, 'these ids are in an earlier record')::tickd.activity_finding;
            CONTINUE;
        END IF;
        free_id := batch.end_id;
        claims := claims + int8multirange(int8range(batch.first_id, batch.end_id));

        SELECT count(*) AS have,
               array_agg(sha256('\x00'::bytea || decode(l.hash, 'hex')) ORDER BY l.id) AS leaves
          INTO rows
          FROM (SELECT r.id, tickd.activity_row_hash(r) AS hash
                  FROM public.unified_activity_log r
                 WHERE r.id >= batch.first_id AND r.id < batch.end_id) AS l;
        IF rows.have < batch.end_id - batch.first_id THEN
            before := batch.first_id - 1;
            RETURN QUERY
            SELECT 1, 'missing', batch.index, gap.id_before + 1, gap.id - 1, NULL::bigint,
                   'committed and not there'
              FROM (SELECT i.id, lag(i.id, 1, before) OVER (ORDER BY i.id) AS id_before
                      FROM (SELECT r.id FROM public.unified_activity_log r
                             WHERE r.id >= batch.first_id AND r.id < batch.end_id
                             UNION ALL SELECT batch.end_id) AS i) AS gap
             WHERE gap.id > gap.id_before + 1;
        ELSIF tickd.activity_tree_root(rows.leaves) <> batch.root THEN
            RETURN NEXT (1, 'modified', batch.index, batch.first_id, batch.end_id - 1, NULL,
                         'its rows have another root')::tickd.activity_finding;
        END IF;
        RETURN QUERY
        WITH changed AS MATERIALIZED (
            SELECT r.* FROM public.unified_activity_log r
             WHERE r.id >= batch.first_id AND r.id < batch.end_id
               AND r.hash_sha256 <> tickd.activity_row_hash(r)
        )
        SELECT 0, CASE WHEN EXISTS (
                   SELECT FROM changed o
                    WHERE o.id <> c.id AND c.hash_sha256 = tickd.activity_row_hash(
                        o.id, c."timestamp", c.agent_id, c.action_type, c.action_payload, c.user_id,
                        c.session_id, c.metadata, c.created_at, c.tenant_id))
                  THEN 'reordered' ELSE 'modified' END,
               batch.index, c.id, c.id, NULL::bigint, 'its content does not have its hash_sha256'
          FROM changed c
        UNION ALL
        SELECT 1, 'modified', batch.index, r.id, r.id, NULL, 'its tenant is not its batch''s'
          FROM public.unified_activity_log r
         WHERE r.id >= batch.first_id AND r.id < batch.end_id
           AND r.tenant_id IS DISTINCT FROM batch.tenant;
    END LOOP;
    RETURN QUERY
    WITH outside AS MATERIALIZED (
        SELECT r.id, r.hash_sha256 <> tickd.activity_row_hash(r) AS changed
          FROM public.unified_activity_log r WHERE NOT claims @> r.id
    )
    SELECT 2, 'extra', NULL::bigint, min(o.id), max(o.id), NULL::bigint, 'in no batch'
      FROM (SELECT id, id::numeric - row_number() OVER (ORDER BY id) AS run FROM outside) AS o
     GROUP BY o.run
    UNION ALL
    SELECT 0, 'modified', NULL, o.id, o.id, NULL, 'its content does not have its hash_sha256'
      FROM outside o WHERE o.changed;
END $$;

-- Levels 0 to 3. Fails for whom row security would hide rows.
CREATE FUNCTION tickd.check_activity() RETURNS SETOF tickd.activity_finding
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
    SELECT * FROM (SELECT * FROM tickd.check_activity_rows()
                   UNION ALL SELECT * FROM tickd.check_activity_records()
                   UNION ALL SELECT * FROM tickd.check_activity_tree()) AS found
     ORDER BY level, first_id NULLS FIRST, record NULLS FIRST, size NULLS FIRST, class
$$;

GRANT EXECUTE ON FUNCTION tickd.activity_tree_root(bytea[]), tickd.activity_log_root(bigint),
    tickd.activity_record_fields(bytea), tickd.check_activity_records(),
    tickd.check_activity_tree(), tickd.activity_edge_root(bytea[]),
    tickd.activity_note_head(text), tickd.check_activity_rows(), tickd.check_activity()
TO tickd_auditor;
