-- Nobody changes the activity log, not even its owner: rights take the way from everybody else,
-- these triggers from the owner and from superusers who do not mean it. Who means it can switch
-- them off; what he changes then, verification finds.
--
-- ENABLE ALWAYS: an ordinary trigger does not fire under session_replication_role = replica.

SET LOCAL ROLE tickd_owner;

CREATE FUNCTION tickd.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_RELID::regclass, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- The head may only go to what the records say, whoever moves it.
CREATE FUNCTION tickd.guard_activity_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    grown bytea[] := OLD.frontier;
    at    bigint := OLD.size;
    added bytea;
BEGIN
    FOR added IN
        SELECT b.entry FROM tickd.activity_batch b
         WHERE b.index >= OLD.size AND b.index < NEW.size ORDER BY b.index
    LOOP
        grown := tickd.activity_frontier(grown, at, added);
        at := at + 1;
    END LOOP;
    IF (NEW.origin = OLD.origin AND NEW.size > OLD.size AND NEW.size = at
        AND NEW.frontier = grown AND NEW.root = tickd.activity_root(grown)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'tickd.activity_head is append-only: it follows the records'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION tickd.guard_activity_tenant_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM tickd.activity_batch b
         WHERE b.kind = 'seg' AND b.tseq = NEW.tseq AND b.entry = NEW.last_entry
           AND coalesce(b.tenant_id, '00000000-0000-0000-0000-000000000000') = NEW.tenant_key)
       OR (TG_OP = 'UPDATE' AND (NEW.tenant_key, NEW.tseq) IS DISTINCT FROM
                                (OLD.tenant_key, OLD.tseq + 1))
    THEN
        RAISE EXCEPTION 'tickd.activity_tenant_head is append-only: it follows the records'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- Row triggers for UPDATE and DELETE: they also fire when the statement names a parent that the
-- table was made to inherit from. They cost an INSERT nothing.
DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY[
        'public.unified_activity_log', 'tickd.activity_batch', 'tickd.activity_checkpoint']
    LOOP
        EXECUTE format('CREATE TRIGGER activity_guard_rows BEFORE UPDATE OR DELETE ON %s
                        FOR EACH ROW EXECUTE FUNCTION tickd.refuse_change()', guarded);
    END LOOP;
    CREATE TRIGGER activity_guard_rows BEFORE DELETE ON tickd.activity_head
        FOR EACH ROW EXECUTE FUNCTION tickd.refuse_change();
    CREATE TRIGGER activity_guard_rows BEFORE DELETE ON tickd.activity_tenant_head
        FOR EACH ROW EXECUTE FUNCTION tickd.refuse_change();
    CREATE TRIGGER activity_guard_head BEFORE UPDATE ON tickd.activity_head
        FOR EACH ROW EXECUTE FUNCTION tickd.guard_activity_head();
    CREATE TRIGGER activity_guard_head BEFORE INSERT OR UPDATE ON tickd.activity_tenant_head
        FOR EACH ROW EXECUTE FUNCTION tickd.guard_activity_tenant_head();
    FOREACH guarded IN ARRAY ARRAY[
        'public.unified_activity_log', 'tickd.activity_batch', 'tickd.activity_checkpoint',
        'tickd.activity_head', 'tickd.activity_tenant_head']
    LOOP
        EXECUTE format('CREATE TRIGGER activity_guard_truncate BEFORE TRUNCATE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION tickd.refuse_change()', guarded);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER activity_guard_rows,
                        ENABLE ALWAYS TRIGGER activity_guard_truncate', guarded);
    END LOOP;
    ALTER TABLE tickd.activity_head ENABLE ALWAYS TRIGGER activity_guard_head;
    ALTER TABLE tickd.activity_tenant_head ENABLE ALWAYS TRIGGER activity_guard_head;
END $$;

-- --- ALTER and DROP -----------------------------------------------------------------------------

-- Event triggers belong to superusers, and so do their functions: a superuser runs them. They have
-- a schema of their own, so that dropping tickd does not drop them first. Where the migrator is no
-- superuser they are left out, and `tickd db health` says so.
--
-- The way past them, for a migration that has to change these tables: a superuser's session with
-- tickd.migration = on, which `tickd db migrate` sets.
RESET ROLE;

DO $outer$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;

    CREATE SCHEMA IF NOT EXISTS tickd_guard;
    CREATE OR REPLACE FUNCTION tickd_guard.guard_activity_schema() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        guarded CONSTANT text[] := ARRAY[
            'public.unified_activity_log', 'tickd.activity_batch', 'tickd.activity_checkpoint',
            'tickd.activity_head', 'tickd.activity_tenant_head'];
        touched text;
    BEGIN
        IF current_setting('tickd.migration', true) = 'on'
           AND (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
        THEN
            RETURN;
        END IF;
        IF TG_EVENT = 'sql_drop' THEN
            -- A table by its name; its columns, triggers and constraints by their table's.
            SELECT d.object_identity INTO touched
              FROM pg_event_trigger_dropped_objects() d
             WHERE NOT d.is_temporary
               AND (array_to_string(d.address_names[1:2], '.') = ANY (guarded)
                    OR d.object_identity IN ('tickd.activity_batch_tenant')
                    OR (d.schema_name = 'tickd' AND d.object_type = 'function'
                        AND d.object_name ~ '^(append_activity|guard_activity|refuse_change)'))
             LIMIT 1;
        ELSE
            SELECT c.object_identity INTO touched
              FROM pg_event_trigger_ddl_commands() c
              LEFT JOIN pg_trigger t
                ON c.classid = 'pg_trigger'::regclass AND t.oid = c.objid
              LEFT JOIN pg_rewrite r
                ON c.classid = 'pg_rewrite'::regclass AND r.oid = c.objid
              LEFT JOIN pg_proc p
                ON c.classid = 'pg_proc'::regclass AND p.oid = c.objid
             WHERE c.command_tag NOT IN ('COMMENT', 'GRANT', 'REVOKE', 'CREATE INDEX')
               AND (coalesce(t.tgrelid, r.ev_class,
                             CASE WHEN c.classid = 'pg_class'::regclass THEN c.objid END)
                        -- By its trigger, since it may have another name by now.
                        IN (SELECT g.tgrelid FROM pg_trigger g
                             WHERE g.tgname = 'activity_guard_truncate')
                    OR (p.pronamespace = 'tickd'::regnamespace
                        AND p.proname ~ '^(append_activity|guard_activity|refuse_change)'))
             LIMIT 1;
        END IF;
        IF touched IS NOT NULL THEN
            RAISE EXCEPTION 'the activity log is append-only: % of % is refused', TG_TAG, touched
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    END $$;

    DROP EVENT TRIGGER IF EXISTS tickd_activity_alter;
    DROP EVENT TRIGGER IF EXISTS tickd_activity_drop;
    CREATE EVENT TRIGGER tickd_activity_alter ON ddl_command_end
        EXECUTE FUNCTION tickd_guard.guard_activity_schema();
    CREATE EVENT TRIGGER tickd_activity_drop ON sql_drop
        EXECUTE FUNCTION tickd_guard.guard_activity_schema();
    ALTER EVENT TRIGGER tickd_activity_alter ENABLE ALWAYS;
    ALTER EVENT TRIGGER tickd_activity_drop ENABLE ALWAYS;
END $outer$;
