// Checks of who may do what: the promise that nobody rewrites a row and no reader names a chunk.
#include <format>

#include "daemon/db/health.h"

namespace tickd {

namespace {

// A role, and what of it is not as 0001_roles made it.
constexpr const char* role_query =
    "SELECT wanted.name,"
    "       CASE WHEN r.rolname IS NULL THEN 'does not exist'"
    "            WHEN r.rolsuper THEN 'is a superuser'"
    "            WHEN r.rolcreaterole OR r.rolcreatedb OR r.rolreplication"
    "                THEN 'may create roles or databases, or replicate'"
    "            WHEN r.rolcanlogin AND NOT wanted.login THEN 'can log in'"
    "            WHEN wanted.bypass AND NOT r.rolbypassrls THEN 'lacks BYPASSRLS'"
    "            WHEN r.rolbypassrls AND NOT wanted.bypass THEN 'has BYPASSRLS' END"
    "  FROM (VALUES ('tickd_owner', false, false), ('tickd_ingest', true, true),"
    "               ('tickd_reader', false, false), ('tickd_auditor', true, true),"
    "               ('tickd_operator', true, true), ('tickd_notary', true, true),"
    "               ('tickd_compactor', true, true))"
    "       AS wanted (name, login, bypass)"
    "  LEFT JOIN pg_catalog.pg_roles r ON r.rolname = wanted.name";

// What each role must be able to do, and does not.
constexpr const char* missing_query =
    "SELECT format('%s may not %s %s', role, privilege, object)"
    "  FROM (VALUES ('tickd_ingest', 'INSERT', 'public.price_telemetry'),"
    "               ('tickd_ingest', 'INSERT', 'public.unified_activity_log'),"
    "               ('tickd_ingest', 'INSERT', 'tickd.dead_letter'),"
    "               ('tickd_ingest', 'SELECT', 'tickd.tickd_migrations'),"
    "               ('tickd_reader', 'SELECT', 'public.price_telemetry'),"
    "               ('tickd_auditor', 'SELECT', 'public.price_telemetry'),"
    "               ('tickd_auditor', 'SELECT', 'public.unified_activity_log'),"
    "               ('tickd_auditor', 'SELECT', 'tickd.dead_letter'),"
    "               ('tickd_auditor', 'SELECT', 'tickd.batch_ledger'),"
    "               ('tickd_operator', 'SELECT', 'tickd.dead_letter'),"
    "               ('tickd_operator', 'INSERT', 'public.price_telemetry'),"
    "               ('tickd_auditor', 'SELECT', 'tickd.activity_batch'),"
    "               ('tickd_notary', 'SELECT', 'public.unified_activity_log'),"
    "               ('tickd_notary', 'SELECT', 'tickd.activity_batch'),"
    "               ('tickd_notary', 'INSERT', 'tickd.activity_checkpoint'),"
    "               ('tickd_ingest', 'INSERT', 'public.price_segment'),"
    "               ('tickd_reader', 'SELECT', 'public.price_segment'),"
    "               ('tickd_reader', 'SELECT', 'public.price_candle_1m'),"
    "               ('tickd_compactor', 'SELECT', 'public.price_segment'),"
    "               ('tickd_compactor', 'INSERT', 'public.price_segment'),"
    "               ('tickd_compactor', 'INSERT', 'public.price_candle_1m'),"
    "               ('tickd_compactor', 'UPDATE', 'public.price_candle_1m'),"
    "               ('tickd_compactor', 'UPDATE', 'public.price_latest'))"
    "       AS wanted (role, privilege, object)"
    // Readers are granted the hypertable by its columns: see tickd.confine.
    " WHERE has_any_column_privilege(role, to_regclass(object)::oid, privilege) IS NOT TRUE"
    " UNION ALL "
    // The status page's chart goes on as a reader.
    "SELECT 'tickd_compactor may not become tickd_reader'"
    " WHERE NOT pg_has_role('tickd_compactor', 'tickd_reader', 'SET')"
    " UNION ALL "
    "SELECT format('tickd_operator may not run tickd.%s', p.proname)"
    "  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = 'tickd'"
    "   AND p.proname IN ('mark_replayed', 'refuse_again', 'purge_dead_letters', 'take_lane',"
    "                     'add_token', 'revoke_token', 'list_tokens', 'add_tenant', 'find_tenant',"
    "                     'list_tenants', 'remove_tenant', 'add_tenant_role', 'remove_tenant_role',"
    "                     'list_tenant_roles')"
    "   AND NOT has_function_privilege('tickd_operator', p.oid, 'EXECUTE')"
    " UNION ALL "
    "SELECT format('%s may not run tickd.%s', 'tickd_ingest', p.proname)"
    "  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = 'tickd'"
    "   AND p.proname IN ('reserve_activity_ids', 'check_lane', 'take_lane', 'clear_lane',"
    "                     'fence', 'settle_batch', 'producer_watermark', 'batch_committed',"
    "                     'prune_ledger', 'settle_spool', 'pass_spool', 'spool_committed',"
    "                     'newest_tick_time', 'dead_letters_waiting', 'conservation_breaches',"
    "                     'append_activity_batches', 'good_tokens')"
    "   AND NOT has_function_privilege('tickd_ingest', p.oid, 'EXECUTE')"
    " UNION ALL "
    "SELECT format('%s may not use schema tickd', role)"
    "  FROM (VALUES ('tickd_ingest'), ('tickd_auditor')) AS wanted (role)"
    " WHERE NOT has_schema_privilege(role, 'tickd', 'USAGE')";

// What somebody can do and must not. Grants to PUBLIC have grantee 0; the owner's own are his.
constexpr const char* excess_query =
    "SELECT format('%s may %s %I.%I', coalesce(g.rolname, 'PUBLIC'), a.privilege_type,"
    "              n.nspname, c.relname)"
    "  FROM pg_catalog.pg_class c"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL aclexplode(c.relacl) a"
    "  LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee"
    " WHERE (n.nspname = 'tickd' OR (n.nspname, c.relname) IN"
    "        (('public', 'price_telemetry'), ('public', 'unified_activity_log')))"
    "   AND a.grantee <> c.relowner"
    "   AND (a.privilege_type NOT IN ('SELECT', 'INSERT')"
    "        OR a.grantee = 0"
    "        OR (g.rolname = 'tickd_ingest' AND a.privilege_type = 'SELECT'"
    "            AND c.relname <> 'tickd_migrations')"
    "        OR (g.rolname IN ('tickd_reader', 'tickd_auditor')"
    "            AND a.privilege_type <> 'SELECT'))"
    " UNION ALL "
    "SELECT format('%s may use schema tickd_chunks', coalesce(g.rolname, 'PUBLIC'))"
    "  FROM pg_catalog.pg_namespace n"
    " CROSS JOIN LATERAL aclexplode(n.nspacl) a"
    "  LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee"
    " WHERE n.nspname = 'tickd_chunks' AND a.grantee <> n.nspowner"
    " UNION ALL "
    "SELECT format('PUBLIC may run tickd.%s', p.proname)"
    "  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = 'tickd' AND has_function_privilege('public', p.oid, 'EXECUTE')"
    " UNION ALL "
    "SELECT format('%I.%I has a tenant_id and no forced row security', n.nspname, c.relname)"
    "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('public', 'tickd') AND c.relkind IN ('r', 'p')"
    "   AND pg_get_userbyid(c.relowner) = 'tickd_owner'"
    "   AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    "   AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
    "                AND a.attname = 'tenant_id' AND NOT a.attisdropped)"
    " UNION ALL "
    // No policy holds on a chunk, and pg_stats shows its values to whoever may read it.
    "SELECT format('tickd_reader may read chunk %s', c.relname)"
    "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'tickd_chunks' AND c.relkind = 'r'"
    "   AND has_any_column_privilege('tickd_reader', c.oid, 'SELECT')";

// Tables, sequences, views, functions and schemas that belong to somebody else.
constexpr const char* owner_query =
    "SELECT format('%I.%I belongs to %s', n.nspname, c.relname, pg_get_userbyid(c.relowner))"
    "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE pg_get_userbyid(c.relowner) <> 'tickd_owner' AND c.relkind IN ('r', 'S', 'v', 'm', 'p')"
    "   AND (n.nspname IN ('tickd', 'tickd_chunks') OR (n.nspname = 'public' AND c.relname IN"
    "        ('price_telemetry', 'unified_activity_log', 'unified_activity_log_id_seq',"
    "         'tenants', 'tenant_roles', 'portfolios', 'portfolio_positions')))"
    " UNION ALL "
    "SELECT format('tickd.%s belongs to %s', p.proname, pg_get_userbyid(p.proowner))"
    "  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = 'tickd' AND pg_get_userbyid(p.proowner) <> 'tickd_owner'"
    " UNION ALL "
    "SELECT format('schema %s belongs to %s', nspname, pg_get_userbyid(nspowner))"
    "  FROM pg_catalog.pg_namespace"
    " WHERE nspname IN ('tickd', 'tickd_chunks') AND pg_get_userbyid(nspowner) <> 'tickd_owner'";

// Appends the only column of the query's rows.
std::expected<void, pg_error> collect(pg_connection& connection, const char* query,
                                      std::vector<std::string>& into) {
    const auto rows = connection.query(query);
    if (!rows) return std::unexpected(rows.error());
    for (int row = 0; row < rows->size(); ++row) into.emplace_back(rows->at(row, 0));
    return {};
}

}  // namespace

health_check check_roles(pg_connection& connection) {
    const auto rows = connection.query(role_query);
    if (!rows) return not_checked("roles", rows.error());
    std::vector<std::string> problems;
    for (int row = 0; row < rows->size(); ++row) {
        if (rows->is_null(row, 1)) continue;
        problems.push_back(std::format("{} {}", rows->at(row, 0), rows->at(row, 1)));
    }
    return verdict_of("roles", problems,
                      "owner, ingest, reader, auditor, operator, notary as they should be");
}

health_check check_rights(pg_connection& connection) {
    std::vector<std::string> problems;
    for (const char* query : {missing_query, excess_query}) {
        if (auto collected = collect(connection, query, problems); !collected) {
            return not_checked("rights", collected.error());
        }
    }
    return verdict_of("rights", problems,
                      "ingest only inserts, readers only read, nobody reaches a chunk");
}

health_check check_owner(pg_connection& connection) {
    std::vector<std::string> problems;
    if (auto collected = collect(connection, owner_query, problems); !collected) {
        return not_checked("owner", collected.error());
    }
    return verdict_of("owner", problems, "everything belongs to tickd_owner");
}

}  // namespace tickd
