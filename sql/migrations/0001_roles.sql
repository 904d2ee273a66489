-- Roles, schemas and the record of what was migrated.
--
-- `tickd db migrate` runs these files; by hand, in order, each as
--     psql --single-transaction --set ON_ERROR_STOP=1 --file NNNN_name.sql
-- as a superuser, or as the owner of the database with CREATEROLE and BYPASSRLS (PostgreSQL lets
-- nobody hand out an attribute that he lacks). Everything ends up owned by tickd_owner.

-- Roles belong to the whole cluster: another database of it may have made them already, and may
-- be making them at this moment.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            -- Owns all. Nobody logs in as it.
            ('tickd_owner', 'NOLOGIN'),
            -- What the daemon logs in as. LOGIN, because attributes are not inherited by members
            -- and it needs one: BYPASSRLS, since PostgreSQL refuses COPY FROM to a role that is
            -- subject to row security. It may insert and nothing else. It has no password until
            -- the operator sets one or maps it in pg_ident.conf.
            ('tickd_ingest', 'LOGIN BYPASSRLS'),
            -- The group of all who read as a tenant.
            ('tickd_reader', 'NOLOGIN'),
            -- Reads all, so BYPASSRLS, so LOGIN as above.
            ('tickd_auditor', 'LOGIN BYPASSRLS')
        ) AS roles (name, attributes)
    LOOP
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
            IF wanted.name = 'tickd_auditor' THEN
                -- A second lock beside the missing rights. Only here: two databases that set it
                -- at once would meet "tuple concurrently updated".
                ALTER ROLE tickd_auditor SET default_transaction_read_only = on;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- Made by the other database after we looked.
        END;
    END LOOP;

    -- A migrator that is no superuser administers what it created, but may not yet act as it.
    IF NOT pg_has_role(current_user, 'tickd_owner', 'SET') THEN
        GRANT tickd_owner TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
    END IF;
END $$;

-- The mission's tables live in public under their own names; tickd's bookkeeping in tickd.
-- PostgreSQL 15 took CREATE on public from PUBLIC; a database that was upgraded still grants it.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO tickd_owner;
GRANT USAGE ON SCHEMA public TO tickd_ingest, tickd_reader, tickd_auditor;

CREATE SCHEMA tickd AUTHORIZATION tickd_owner;
-- Chunks inherit the grants of their hypertable, not its policies (TimescaleDB #7830): whoever
-- could name a chunk would read every tenant's rows. So nobody but the owner has USAGE here.
CREATE SCHEMA tickd_chunks AUTHORIZATION tickd_owner;

SET LOCAL ROLE tickd_owner;

REVOKE ALL ON SCHEMA tickd, tickd_chunks FROM PUBLIC;
GRANT USAGE ON SCHEMA tickd TO tickd_ingest, tickd_auditor;

-- From here on a new function can be run by nobody until it is granted, and a new table can be
-- read by the auditor. The first must be global: a default of PUBLIC cannot be revoked per schema.
ALTER DEFAULT PRIVILEGES FOR ROLE tickd_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE tickd_owner IN SCHEMA public, tickd
    GRANT SELECT ON TABLES TO tickd_auditor;

-- One row per file that was run; the migrator writes it in the file's own transaction.
CREATE TABLE tickd.tickd_migrations (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL CHECK (length(checksum) = 64),  -- SHA-256 of the file
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text        NOT NULL DEFAULT session_user
);
-- The daemon refuses to start on a schema that is not its own version's.
GRANT SELECT ON tickd.tickd_migrations TO tickd_ingest;
