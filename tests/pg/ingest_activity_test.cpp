// Activity events end to end: payloads of every type, uuids, times, tenants, ids and hashes.
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/json_documents.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

const std::string tenant_a = "0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00";
const std::string tenant_b = "f47ac10b-58cc-4372-a567-0e02b2c3d479";

std::string event(const std::string& type, const std::string& payload,
                  const std::string& fields = {}) {
    return R"({"type":"activity","action_type":")" + type + R"(","action_payload":)" + payload +
           (fields.empty() ? "" : "," + fields) + "}\n";
}

// How many rows do not carry the hash of their own content.
std::string wrong_hashes(ingest_site& site) {
    return one(site.sql(),
               "SELECT count(*) FROM unified_activity_log l"
               " WHERE hash_sha256 IS DISTINCT FROM tickd.activity_row_hash(l)");
}

}  // namespace

TEST_CASE("payloads of every type are what the server makes of them", "[ingest_activity]") {
    ingest_site site;
    std::vector<std::string> payloads{"null",
                                      "true",
                                      "false",
                                      "0",
                                      "-0",
                                      "1.50",
                                      "1E5",
                                      "1e-8",
                                      "-0.0e3",
                                      "\"\"",
                                      "\"text\"",
                                      R"("\u00e9\ud83d\ude00\/\b\f\n\r\t\u001f\"\\")",
                                      "[]",
                                      "[null,[],{}]",
                                      "{}",
                                      R"({"b":1,"aa":2,"a":3,"":4})",
                                      R"({"a" : [ 1 , 2 ] , "b":{"c":null}})",
                                      std::string("[1") + std::string(1000, ' ') + "]",
                                      "\"" + std::string(100'000, 'x') + "\"",
                                      "12345678901234567890.12345678901234567890"};
    document_generator documents(42);
    while (payloads.size() < 3'000) {
        std::string text = documents.next_valid();
        for (char& c : text) c = c == '\n' ? ' ' : c;
        payloads.push_back(std::move(text));
    }
    run(site.sql(), "CREATE TEMP TABLE sent (n bigint GENERATED ALWAYS AS IDENTITY, json text)");
    std::vector<std::vector<std::optional<std::string>>> sent;
    tcp_client client(site.address());
    std::string stream;
    for (const std::string& payload : payloads) {
        sent.push_back({payload});
        stream +=
            event(std::to_string(sent.size()), payload, "\"metadata\":{\"v\":" + payload + "}");
    }
    client.send(stream);
    copy_texts(site.sql(), "sent (json)", sent);
    REQUIRE(site.await_records(payloads.size()));
    CHECK(rows(site.sql(),
               "SELECT verdict, field, convert_from(raw, 'UTF8') FROM tickd.dead_letter"
               " LIMIT 3") == text_rows{});
    CHECK(rows(site.sql(), R"(
              SELECT n, json, action_payload::text, metadata::text
                FROM sent FULL JOIN unified_activity_log l ON l.action_type = n::text
               WHERE action_payload::text IS DISTINCT FROM json::jsonb::text
                  OR metadata::text IS DISTINCT FROM ('{"v":' || json || '}')::jsonb::text
               LIMIT 3)") == text_rows{});
    CHECK(wrong_hashes(site) == "0");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("an event's fields reach their columns", "[ingest_activity]") {
    ingest_site site;
    const std::string started = one(site.sql(), "SELECT now()");
    tcp_client client(site.address());
    client.send(event("all", "1",
                      R"("timestamp":"2024-08-08T23:54:14.5+02:00","agent_id":"agent-é",)"
                      R"("user_id":"D67691F6-3EAD-5BAA-8C39-F82881D24619",)"
                      R"("session_id":"d899b237-f2d5-5bab-8b05-b5fc28603b04",)"
                      R"("metadata":{"a":1},"seq":12)"));
    client.send(
        event("none", "2", R"("agent_id":null,"user_id":null,"metadata":null,"time":null)"));
    client.send(event("time", "3", R"("time":1723161254024619,"agent_id":"")"));
    client.send(event("unknown", "4", R"("symbol":"S","bid":1.50)"));
    REQUIRE(site.await_records(4));
    CHECK(rows(site.sql(), R"(
              SELECT action_type, to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
                     agent_id, user_id, session_id, metadata, tenant_id
                FROM unified_activity_log WHERE action_type IN ('all', 'time') ORDER BY id)") ==
          text_rows{{"all", "2024-08-08 21:54:14.500000", "agent-é",
                     "d67691f6-3ead-5baa-8c39-f82881d24619", "d899b237-f2d5-5bab-8b05-b5fc28603b04",
                     "{\"a\": 1}", "\\N"},
                    {"time", "2024-08-08 23:54:14.024619", "", "\\N", "\\N", "\\N", "\\N"}});
    CHECK(rows(site.sql(), R"(
              SELECT action_type, agent_id, user_id, session_id, metadata,
                     timestamp = created_at
                FROM unified_activity_log WHERE action_type IN ('none', 'unknown') ORDER BY id)") ==
          text_rows{{"none", "\\N", "\\N", "\\N", "\\N", "t"},
                    {"unknown", "\\N", "\\N", "\\N", R"({"bid": 1.50, "symbol": "S"})", "t"}});
    CHECK(one(site.sql(),
              "SELECT bool_and(created_at BETWEEN $1::timestamptz AND now())"
              " FROM unified_activity_log",
              {started}) == "t");
    CHECK(one(site.sql(),
              "SELECT string_agg(id::text, ' ' ORDER BY action_payload::text)"
              " FROM unified_activity_log") == "1 2 3 4");
    CHECK(wrong_hashes(site) == "0");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("the listener decides the tenant", "[ingest_activity]") {
    ingest_site site({},
                     "  - address: 127.0.0.1:0\n    name: shared\n"
                     "  - address: 127.0.0.1:0\n    name: a\n    tenant: " +
                         tenant_a +
                         "\n"
                         "  - address: 127.0.0.1:0\n    name: any\n"
                         "    tenant_from_payload: true");
    const std::string names_a = "\"tenant\":\"" + tenant_a + "\"";
    const std::string names_b = "\"tenant\":\"" + tenant_b + "\"";
    tcp_client shared(site.address(0)), of_a(site.address(1)), any(site.address(2));
    shared.send(event("shared none", "1") + event("shared a", "1", names_a));
    of_a.send(event("a none", "1") + event("a a", "1", names_a) + event("a b", "1", names_b) +
              R"({"symbol":"A","bid":1,"ask":2})" + "\n");
    any.send(event("any none", "1") + event("any a", "1", names_a) + event("any b", "1", names_b) +
             R"({"symbol":"B","bid":1,"ask":2,)" + names_b + "}\n");
    REQUIRE(site.await_records(10));
    CHECK(rows(site.sql(),
               "SELECT action_type, tenant_id FROM unified_activity_log"
               " ORDER BY action_type COLLATE \"C\"") == text_rows{{"a a", tenant_a},
                                                                   {"a none", tenant_a},
                                                                   {"any a", tenant_a},
                                                                   {"any b", tenant_b},
                                                                   {"any none", "\\N"},
                                                                   {"shared none", "\\N"}});
    CHECK(rows(site.sql(), "SELECT symbol, tenant_id FROM price_telemetry ORDER BY symbol") ==
          text_rows{{"A", tenant_a}, {"B", tenant_b}});
    // The dead letter belongs to the credential's tenant, whatever the record said.
    CHECK(rows(site.sql(),
               "SELECT listener, verdict, tenant_id FROM tickd.dead_letter"
               " ORDER BY listener") == text_rows{{"a", "tenant_not_allowed", tenant_a},
                                                  {"shared", "tenant_not_allowed", "\\N"}});
    CHECK(wrong_hashes(site) == "0");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("ids follow the order of arrival without a gap in a batch", "[ingest_activity]") {
    ingest_site site("batch:\n  rows_max: 2000");
    constexpr int count = 20'000;
    tcp_client client(site.address());
    std::string part;
    for (int i = 0; i < count; ++i) {
        part += event("n", std::to_string(i));
        // Good and bad ticks between, which take no id.
        if (i % 3 == 0) part += "{\"symbol\":\"S\",\"bid\":1,\"ask\":1}\n";
        if (i % 7 == 0) part += "{\"symbol\":\"S\",\"bid\":1}\n";
        if (i % 100 == 0) {
            client.send(part);
            part.clear();
        }
    }
    client.send(part);
    REQUIRE(site.await_records(count + (count + 2) / 3 + (count + 6) / 7));
    CHECK(one(site.sql(), "SELECT count(*) FROM unified_activity_log") == std::to_string(count));
    CHECK(one(site.sql(), R"(
              SELECT bool_and(n = action_payload::bigint)
                FROM (SELECT row_number() OVER (ORDER BY id) - 1 AS n, action_payload
                        FROM unified_activity_log) AS numbered)") == "t");
    // One transaction, one batch.
    CHECK(one(site.sql(),
              "SELECT count(*) FROM (SELECT FROM unified_activity_log GROUP BY xmin::text"
              " HAVING max(id) - min(id) + 1 <> count(*)) AS with_a_gap") == "0");
    CHECK(one(site.sql(), "SELECT count(DISTINCT xmin::text) > 5 FROM unified_activity_log") ==
          "t");
    CHECK(wrong_hashes(site) == "0");
    CHECK(site.daemon().stop() == 0);
}
