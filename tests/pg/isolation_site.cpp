#include "tests/pg/isolation_site.h"

#include <libpq-fe.h>

#include <array>
#include <format>
#include <map>

namespace tickd::test {

namespace {

// Roles belong to the cluster, which the databases of a test process share.
constexpr const char* make_roles =
    "DO $$ DECLARE r text; BEGIN"
    " FOREACH r IN ARRAY ARRAY['iso_alpha', 'iso_other', 'iso_pool', 'iso_loose'] LOOP"
    "  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN"
    "   EXECUTE format('CREATE ROLE %I LOGIN IN ROLE tickd_reader', r); END IF;"
    " END LOOP;"
    " IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'iso_stranger') THEN"
    "  CREATE ROLE iso_stranger LOGIN; END IF;"
    " END $$";

constexpr const char* shared_ticks =
    "INSERT INTO price_telemetry (time, symbol, bid, ask, mid, volume, source, metadata)"
    " SELECT timestamptz '2024-03-01 00:00Z' + i * interval '37 minutes',"
    "        (ARRAY['EURUSD', 'XAUUSD', 'SPY'])[1 + i % 3], 1 + i % 10, 2 + i % 10, 1.5 + i % 10,"
    "        CASE WHEN i % 4 = 0 THEN NULL ELSE i END, 'feed', NULL"
    "   FROM generate_series(0, 199) AS i";

// $1 tenant, $2 its word, $3 its number (at least 10000), $4 the first characters of its UUIDs.
// Explicit ids, apart from one another: they do not depend on who else is there.
constexpr std::array tenant_rows{
    "INSERT INTO tenants (tenant_id, name, created_at)"
    " VALUES ({0}, {1} || ' capital', '2024-01-01Z')",
    "INSERT INTO portfolios (portfolio_id, tenant_id, name, base_currency, created_at)"
    " SELECT ({3} || '-0000-4000-9000-00000000000' || i)::uuid, {0}, {1} || ' book ' || i, 'USD',"
    "        '2024-01-02Z' FROM generate_series(1, 3) AS i",
    "INSERT INTO portfolio_positions (portfolio_id, tenant_id, symbol, quantity, average_price,"
    "                                 opened_at)"
    " SELECT portfolio_id, {0}, symbol, {2} + n, {2}.5, '2024-01-03Z'"
    "   FROM portfolios, unnest(ARRAY['EURUSD', 'SPY', upper({1})]) WITH ORDINALITY AS s (symbol, "
    "n)"
    "  WHERE tenant_id = {0}",
    "INSERT INTO price_telemetry (time, symbol, bid, ask, mid, volume, source, metadata, tenant_id)"
    " SELECT timestamptz '2024-03-01 00:00:01Z' + i * interval '53 minutes',"
    "        CASE WHEN i % 2 = 0 THEN 'EURUSD' ELSE upper({1}) END, {2} + i, {2} + i + 1,"
    "        {2} + i + 0.5, {2}, {1} || ' desk',"
    "        jsonb_build_object('owner', {1}, 'n', i), {0} FROM generate_series(0, 149) AS i",
    "INSERT INTO price_segment (first_time, last_time, symbol, tenant_id, level, tick_count,"
    "   volume_count, first_mid, last_mid, min_bid, max_bid, min_ask, max_ask, min_mid, max_mid,"
    "   sum_bid, sum_ask, sum_mid, sum_volume, data, metadata)"
    " SELECT t, t + interval '1 minute', s, {0}, 1, {2}, {2}, {2}, {2}, {2}, {2}, {2}, {2}, {2},"
    "        {2}, {2}, {2}, {2}, {2}, convert_to({1}, 'UTF8'), convert_to({1}, 'UTF8')"
    "   FROM generate_series('2024-03-01Z'::timestamptz, '2024-03-03Z', '1 day') AS t,"
    "        unnest(ARRAY['EURUSD', upper({1}), NULL]) AS s",
    "INSERT INTO price_candle_1m (time, symbol, tenant_id, open, high, low, close, first_time,"
    "   last_time, tick_count, volume, volume_value)"
    " SELECT t, s, {0}, {2}, {2}, {2}, {2}, t, t, {2}, {2}, {2}"
    "   FROM generate_series('2024-03-01Z'::timestamptz, '2024-03-03Z', '1 day') AS t,"
    "        unnest(ARRAY['EURUSD', upper({1})]) AS s",
    "INSERT INTO price_latest (symbol, tenant_id, time)"
    " SELECT s, {0}, '2024-03-03Z' FROM unnest(ARRAY['EURUSD', upper({1})]) AS s",
    "INSERT INTO unified_activity_log (id, timestamp, agent_id, action_type, action_payload, "
    "user_id,"
    "   session_id, metadata, hash_sha256, created_at, tenant_id)"
    " SELECT {2} + i, timestamptz '2024-03-01Z' + i * interval '1 hour', {1} || '-agent',"
    "        {1} || '_trade', jsonb_build_object('note', {1}, 'i', i),"
    "        ({3} || '-0000-4000-a000-000000000001')::uuid,"
    "        ({3} || '-0000-4000-a000-000000000002')::uuid, NULL,"
    "        rpad(translate(md5({1} || i), 'b7', '00'), 64, 'e'), '2024-03-02Z', {0} FROM "
    "generate_series(1, 40) AS i",
    "SELECT tickd.seal_activity_rows({2} + 1, {2} + 40)",
    "INSERT INTO tickd.dead_letter (id, received_at, session_id, peer, listener, producer, "
    "tenant_id,"
    "   seq, verdict, field, detail, raw, raw_length)"
    " SELECT {2} + i, timestamptz '2024-03-01Z' + i * interval '1 minute', {2}, {1} || "
    "'-host',"
    "        {1} || '-door', {1} || '-feed', {0}, {2} + i, 'not_json', {1}, {1},"
    "        convert_to({1}, 'UTF8'), 5 FROM generate_series(1, 25) AS i",
    "INSERT INTO tickd.token (token_id, name, secret_sha256, tenant_id, producers, created_at)"
    " VALUES (({3} || '-0000-4000-b000-000000000001')::uuid, {1} || ' token',"
    "         sha256(convert_to({1}, 'UTF8')), {0}, ARRAY[{1} || '-*'], '2024-01-04Z')",
    "INSERT INTO tickd.producer (producer, tenant_id, watermark, received, first_seen, last_seen)"
    " VALUES ({1} || '-feed', {0}, {2}, {2}, '2024-03-01Z', '2024-03-01Z')",
};

void add_tenant(pg_connection& root, const std::string& id, const std::string& word, int number,
                const std::string& uuid_head) {
    const std::string tenant = std::format("'{}'::uuid", id),
                      text = std::format("'{}'::text", word), count = std::to_string(number),
                      head = std::format("'{}'", uuid_head);
    for (const char* sql : tenant_rows) {
        run(root, std::vformat(sql, std::make_format_args(tenant, text, count, head)));
    }
    run(root, std::format("INSERT INTO tenant_roles (role_name, tenant_id, created_at)"
                          " VALUES ('iso_{}', {}, '2024-01-01Z')",
                          id == alpha_id ? "alpha" : "other", tenant));
}

void keep_notice(void* into, const PGresult* result) {
    *static_cast<std::string*>(into) += std::string(PQresultErrorMessage(result)) + "\n";
}

void say(const PGresult* result, std::string& into) {
    for (const int field : {PG_DIAG_SQLSTATE, PG_DIAG_MESSAGE_PRIMARY, PG_DIAG_MESSAGE_DETAIL,
                            PG_DIAG_MESSAGE_HINT, PG_DIAG_CONTEXT, PG_DIAG_CONSTRAINT_NAME}) {
        if (const char* text = PQresultErrorField(result, field)) into += std::string(text) + "\n";
    }
    for (int row = 0; row < PQntuples(result); ++row) {
        for (int column = 0; column < PQnfields(result); ++column) {
            into += std::string(PQgetvalue(result, row, column)) + "\t";
        }
        into += "\n";
    }
}

}  // namespace

std::string fresh_isolation_database(holding what) {
    std::string conninfo = migrated_database(shared_cluster());
    pg_connection root = connect(conninfo);
    run(root, make_roles);
    run(root, "INSERT INTO tenant_roles (role_name, is_pooler) VALUES ('iso_pool', true)");
    run(root, shared_ticks);
    add_tenant(root, alpha_id, "alpha", 11111, "aaaaaaaa");
    if (what == holding::both) add_tenant(root, bravo_id, "bravo", 77777, "bbbbbbbb");
    run(root, "ANALYZE");  // what the statistics tell is part of what must not be told
    return conninfo;
}

const std::string& isolation_database(holding what) {
    static std::map<holding, std::string> made;
    const auto [at, is_new] = made.try_emplace(what);
    if (is_new) at->second = fresh_isolation_database(what);
    return at->second;
}

pg_connection session_as(const std::string& database, const std::string& role,
                         std::string_view tenant) {
    pg_connection session = connect(as_user(database, role));
    if (!tenant.empty()) run(session, "SET tickd.tenant = " + quote_literal(tenant));
    return session;
}

const std::vector<onlooker>& onlookers() {
    static const std::vector<onlooker> all{
        {"iso_alpha", "", true},
        {"iso_alpha", bravo_id, true},  // no pooler: what it sets is not looked at
        {"iso_pool", alpha_id, true},
        {"iso_pool", ""},
        {"iso_pool", "cccccccc-0000-4000-8000-00000000000c"},  // no such tenant
        {"iso_pool", "bravo"},
        {"iso_pool", "bbbbbbbb-0000-4000-8000-00000000000"},  // a character short
        {"iso_pool", "' OR true --"},
        {"iso_loose", bravo_id},
        {"iso_stranger", bravo_id},
    };
    return all;
}

std::vector<std::string> tenant_relations(pg_connection& root) {
    std::vector<std::string> names;
    for (const auto& row :
         rows(root,
              "SELECT format('%I.%I', n.nspname, c.relname)"
              "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
              " WHERE n.nspname IN ('public', 'tickd') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
              "   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
              "                AND a.attname = 'tenant_id' AND NOT a.attisdropped) ORDER BY 1")) {
        names.push_back(row[0]);
    }
    return names;
}

std::string everything_said(pg_connection& connection, const std::string& sql) {
    std::string said;
    PGconn* const native = connection.native();
    const PQnoticeReceiver before = PQsetNoticeReceiver(native, keep_notice, &said);
    PQsendQuery(native, sql.c_str());
    while (PGresult* result = PQgetResult(native)) {
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_OUT) {
            char* line = nullptr;
            while (PQgetCopyData(native, &line, 0) > 0) {
                said += line;
                PQfreemem(line);
            }
        } else if (status == PGRES_COPY_IN) {
            PQputCopyEnd(native, nullptr);
        }
        say(result, said);
        PQclear(result);
    }
    PQsetNoticeReceiver(native, before, nullptr);
    if (connection.in_transaction()) PQclear(PQexec(native, "ROLLBACK"));
    return said;
}

bool tells_of_bravo(std::string_view text) {
    for (const std::string_view mark : {"bravo", "BRAVO", "bbbbbbbb"}) {
        if (text.contains(mark)) return true;
    }
    // Its numbers begin with 777; inside others, such as a correlation of statistics, that is
    // chance.
    for (auto at = text.find("777"); at != std::string_view::npos; at = text.find("777", at + 1)) {
        const bool begins =
            at == 0 || std::string_view("0123456789.").find(text[at - 1]) == std::string_view::npos;
        if (begins && text.substr(at).starts_with("7777")) return true;
    }
    // As bytea prints it.
    return text.contains("627261766f");
}

}  // namespace tickd::test
