-- The activity log: append-only, every row carries the SHA-256 of its own content.
--
-- A plain table: a hypertable cannot have PRIMARY KEY (id).

SET LOCAL ROLE tickd_owner;

CREATE TABLE public.unified_activity_log (
    id             BIGSERIAL    PRIMARY KEY,
    -- The defaults are the mission's. tickd supplies every hashed column itself: a default would
    -- be filled in after the row was hashed.
    timestamp      TIMESTAMPTZ  NOT NULL DEFAULT NOW(),
    agent_id       VARCHAR(100),
    action_type    VARCHAR(50)  NOT NULL,
    action_payload JSONB        NOT NULL,
    user_id        UUID,
    session_id     UUID,
    metadata       JSONB,
    hash_sha256    VARCHAR(64)  NOT NULL CHECK (length(hash_sha256) = 64),
    created_at     TIMESTAMPTZ  NOT NULL DEFAULT NOW(),
    tenant_id      UUID
);

COMMENT ON TABLE public.unified_activity_log IS 'What agents and systems did; append-only';
COMMENT ON COLUMN public.unified_activity_log.hash_sha256 IS
    'Lower-case hex of SHA-256 over tickd.activity_row_bytes of the row';

CREATE INDEX idx_activity_timestamp ON public.unified_activity_log (timestamp DESC);
CREATE INDEX idx_activity_agent     ON public.unified_activity_log (agent_id, timestamp DESC);
CREATE INDEX idx_activity_action    ON public.unified_activity_log (action_type, timestamp DESC);

REVOKE ALL ON public.unified_activity_log FROM PUBLIC;
-- No SELECT, UPDATE, DELETE, TRUNCATE, TRIGGER, and no right on the sequence: ids come in blocks
-- from the function below. Readers get SELECT together with the policies that confine them.
GRANT INSERT ON public.unified_activity_log TO tickd_ingest;
GRANT SELECT ON public.unified_activity_log TO tickd_auditor;

-- Gives the first of n ids that follow one another, n from 1 to 1,000,000, to this caller alone.
--
-- The id is part of the hashed row, so the writer must know it before it writes. Call it in a
-- transaction of its own: the advisory lock between nextval and setval lasts to the transaction's
-- end. Both take a transaction id, so once the call has committed a crash cannot set the sequence
-- back. Ids of a batch that failed are not used again; gaps between batches are legal.
CREATE FUNCTION tickd.reserve_activity_ids(n integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first_id bigint;
BEGIN
    IF n NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'cannot reserve % ids: 1 to 1000000 at a time', n
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(1953063787, 2);  -- 'tick'; 1 is the migrator's
    first_id := nextval('public.unified_activity_log_id_seq'::regclass);
    PERFORM setval('public.unified_activity_log_id_seq'::regclass, first_id + n - 1);
    RETURN first_id;
END $$;
GRANT EXECUTE ON FUNCTION tickd.reserve_activity_ids(integer) TO tickd_ingest;

-- The bytes that are hashed, `ual-row/v1`: the tag and a newline, then exactly what COPY BINARY
-- sends for the ten fields:
--
--   'ual-row/v1\n' | int16 10 | id | timestamp | agent_id | action_type | action_payload
--                             | user_id | session_id | metadata | created_at | tenant_id
--   field: int32 -1 for NULL, else int32 length and the bytes of the type's send function
--
-- Second implementation, apart from the daemon's, and the one an auditor can run in the database.
-- textsend and jsonb_send would convert to the client's encoding, so the texts are converted by
-- name; the database is UTF8, so octet_length is the length of what convert_to gives.
-- NULL || anything is NULL, which coalesce turns into the length -1.
-- Bodies by RETURN bind their names now, so no search_path can change what they call.
CREATE FUNCTION tickd.activity_row_bytes(
    id bigint, "timestamp" timestamptz, agent_id text, action_type text, action_payload jsonb,
    user_id uuid, session_id uuid, metadata jsonb, created_at timestamptz, tenant_id uuid)
RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '\x75616c2d726f772f76310a'::bytea || int2send(10::smallint)
    || coalesce('\x00000008'::bytea || int8send(id), '\xffffffff'::bytea)
    || coalesce('\x00000008'::bytea || timestamptz_send("timestamp"), '\xffffffff'::bytea)
    || coalesce(int4send(octet_length(agent_id)) || convert_to(agent_id, 'UTF8'),
                '\xffffffff'::bytea)
    || coalesce(int4send(octet_length(action_type)) || convert_to(action_type, 'UTF8'),
                '\xffffffff'::bytea)
    || coalesce(int4send(octet_length(action_payload::text) + 1) || '\x01'::bytea
                || convert_to(action_payload::text, 'UTF8'), '\xffffffff'::bytea)
    || coalesce('\x00000010'::bytea || uuid_send(user_id), '\xffffffff'::bytea)
    || coalesce('\x00000010'::bytea || uuid_send(session_id), '\xffffffff'::bytea)
    || coalesce(int4send(octet_length(metadata::text) + 1) || '\x01'::bytea
                || convert_to(metadata::text, 'UTF8'), '\xffffffff'::bytea)
    || coalesce('\x00000008'::bytea || timestamptz_send(created_at), '\xffffffff'::bytea)
    || coalesce('\x00000010'::bytea || uuid_send(tenant_id), '\xffffffff'::bytea);

-- Lower-case hex, as hash_sha256 holds it.
CREATE FUNCTION tickd.activity_row_hash(
    id bigint, "timestamp" timestamptz, agent_id text, action_type text, action_payload jsonb,
    user_id uuid, session_id uuid, metadata jsonb, created_at timestamptz, tenant_id uuid)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(tickd.activity_row_bytes(
    id, "timestamp", agent_id, action_type, action_payload, user_id, session_id, metadata,
    created_at, tenant_id)), 'hex');

-- The same of a stored row: SELECT id FROM unified_activity_log l
--                           WHERE hash_sha256 <> tickd.activity_row_hash(l);
CREATE FUNCTION tickd.activity_row_hash(public.unified_activity_log) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN tickd.activity_row_hash(
    ($1).id, ($1)."timestamp", ($1).agent_id, ($1).action_type, ($1).action_payload, ($1).user_id,
    ($1).session_id, ($1).metadata, ($1).created_at, ($1).tenant_id);

GRANT EXECUTE ON FUNCTION
    tickd.activity_row_bytes(bigint, timestamptz, text, text, jsonb, uuid, uuid, jsonb,
                             timestamptz, uuid),
    tickd.activity_row_hash(bigint, timestamptz, text, text, jsonb, uuid, uuid, jsonb,
                            timestamptz, uuid),
    tickd.activity_row_hash(public.unified_activity_log)
TO tickd_ingest, tickd_reader, tickd_auditor;
-- They are pure, but are reached through the schema: a name for the readers, no table with it.
GRANT USAGE ON SCHEMA tickd TO tickd_reader;
