-- The tenant of a session, asked for by every policy once a query. A function in SQL is planned anew
-- at each call, which took longer than the look-up of a symbol's newest tick; PL/pgSQL plans it once
-- a session.

SET LOCAL ROLE tickd_owner;

CREATE OR REPLACE FUNCTION tickd.current_tenant() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT CASE WHEN NOT r.is_pooler THEN r.tenant_id
                    WHEN pg_input_is_valid(current_setting('tickd.tenant', true), 'uuid')
                        THEN current_setting('tickd.tenant', true)::uuid END
          FROM public.tenant_roles r WHERE r.role_name = session_user);
END $$;
