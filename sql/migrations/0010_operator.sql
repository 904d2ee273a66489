-- Working on dead letters: the role that may, and the functions by which it does.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tickd_operator') THEN
        BEGIN
            -- BYPASSRLS as tickd_ingest has it: a replay is a COPY FROM, and attributes are not
            -- inherited.
            CREATE ROLE tickd_operator LOGIN BYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- Another database of the cluster made it after we looked.
        END;
    END IF;
    -- A replay goes the way of every record, with the daemon's rights.
    IF NOT pg_has_role('tickd_operator', 'tickd_ingest', 'MEMBER') THEN
        BEGIN
            GRANT tickd_ingest TO tickd_operator;
        EXCEPTION WHEN unique_violation THEN
            NULL;  -- Likewise.
        END;
    END IF;
END $$;

SET LOCAL ROLE tickd_owner;

GRANT SELECT ON tickd.dead_letter TO tickd_operator;

-- Marks dead letters whose records the caller's transaction writes, and moves them in their
-- producers' counts from dead-lettered to committed. TK004: one of them is gone, or has been
-- replayed already, so the transaction must not be committed.
CREATE FUNCTION tickd.mark_replayed(p_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

    -- In order of name, as settle_batch takes them.
    PERFORM FROM tickd.producer known
      WHERE known.producer IN (SELECT d.producer FROM tickd.dead_letter d WHERE d.id = ANY (p_ids))
      ORDER BY known.producer FOR UPDATE;
    UPDATE tickd.producer known
       SET committed     = known.committed + moved.letters,
           dead_lettered = known.dead_lettered - moved.letters
      FROM (SELECT d.producer AS name, count(*) AS letters FROM tickd.dead_letter d
             WHERE d.id = ANY (p_ids) GROUP BY d.producer) AS moved
     WHERE known.producer = moved.name;
END $$;

-- A replay found these still wrong: they stay, with what is wrong now. The arrays run in parallel.
CREATE FUNCTION tickd.refuse_again(p_ids bigint[], p_verdicts text[], p_fields text[],
                                   p_sqlstates text[])
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE tickd.dead_letter d
       SET verdict = again.verdict, field = again.field, sqlstate = again.sqlstate, detail = NULL
      FROM unnest(p_ids, p_verdicts, p_fields, p_sqlstates) AS again (id, verdict, field, sqlstate)
     WHERE d.id = again.id AND d.replayed_at IS NULL
       AND (d.verdict, d.field, d.sqlstate)
           IS DISTINCT FROM (again.verdict, again.field, again.sqlstate)
$$;

-- Deletes dead letters and says how many were there.
CREATE FUNCTION tickd.purge_dead_letters(p_ids bigint[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM tickd.dead_letter d WHERE d.id = ANY (p_ids) RETURNING d.id)
    SELECT count(*) FROM gone
$$;

GRANT EXECUTE ON FUNCTION
    tickd.mark_replayed(bigint[]),
    tickd.refuse_again(bigint[], text[], text[], text[]),
    tickd.purge_dead_letters(bigint[])
TO tickd_operator;
