// JSONTestSuite through the real daemon, each document as a whole line, as metadata and as an
// event's payload: n_ is refused, y_ is kept unless the contract forbids it, i_ is either, and
// nothing gets lost between.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/real_data.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

// JSON, but refused by design.
const std::set<std::string> forbidden{
    "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json", "y_string_null_escape.json"};

// Without its last newline; one line, or none of it could be sent as a value.
std::vector<suite_document> one_line_documents() {
    std::vector<suite_document> all = json_test_suite();
    for (suite_document& each : all) {
        while (each.content.ends_with('\n')) each.content.pop_back();
    }
    std::erase_if(all, [](const suite_document& each) { return each.content.contains('\n'); });
    return all;
}

std::string good_line(std::size_t number) {
    return std::format("{{\"symbol\":\"good{}\",\"bid\":1,\"ask\":2}}\n", number);
}

std::string hex_of(std::string_view bytes) {
    std::string hex;
    for (const char c : bytes) hex += std::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

// The verdicts of what each line became, by its bytes in hex.
std::map<std::string, std::string> verdicts(ingest_site& site) {
    std::map<std::string, std::string> all;
    for (const auto& row : rows(site.sql(),
                                "SELECT encode(raw, 'hex'), verdict"
                                " FROM tickd.dead_letter")) {
        all[row[0]] = row[1];
    }
    return all;
}

// The lone surrogate stands before the bad escape in one of them.
const std::set<std::string> says_no_json{"not_json", "not_utf8", "nested_too_deep",
                                         "lone_surrogate"};

}  // namespace

TEST_CASE("JSONTestSuite as lines", "[ingest_json_suite]") {
    const std::vector<suite_document> all = json_test_suite();
    if (all.empty()) SKIP("no JSONTestSuite beside the checkout");
    ingest_site site;
    tcp_client client(site.address());
    std::size_t bad = 0;
    std::vector<std::string> sent;  // not blank, without `\r`
    for (std::size_t i = 0; i < all.size(); ++i) {
        client.send(all[i].content + "\n" + good_line(i));
        for (std::string_view line : lines_of(all[i].content)) {
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (line.empty()) continue;
            ++bad;
            sent.push_back(hex_of(line));
        }
    }
    REQUIRE(site.await_records(all.size() + bad));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == std::to_string(all.size()));
    CHECK(one(site.sql(), "SELECT count(*) FROM unified_activity_log") == "0");
    const text_rows dead = rows(site.sql(),
                                "SELECT encode(raw, 'hex') FROM tickd.dead_letter"
                                " ORDER BY id");
    REQUIRE(dead.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) CHECK(dead[i][0] == sent[i]);

    const std::set<std::string> says_json{"not_object",    "unknown_type",   "duplicate_key",
                                          "nul_character", "lone_surrogate", "number_too_long"};
    std::map<std::string, std::string> why = verdicts(site);
    for (const suite_document& each : one_line_documents()) {
        if (each.content.empty()) continue;
        INFO(each.name);
        const std::string verdict = why[hex_of(each.content)];
        INFO(verdict);
        if (each.name[0] == 'n') CHECK(says_no_json.contains(verdict));
        if (each.name[0] == 'y') CHECK(says_json.contains(verdict));
    }
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("JSONTestSuite as payloads and metadata", "[ingest_json_suite]") {
    const std::vector<suite_document> all = one_line_documents();
    if (all.empty()) SKIP("no JSONTestSuite beside the checkout");
    REQUIRE(all.size() > 250);
    ingest_site site;
    tcp_client client(site.address());
    for (std::size_t i = 0; i < all.size(); ++i) {
        client.send(std::format("{{\"action_type\":\"{}\",\"action_payload\":", i) +
                    all[i].content + ",\"agent_id\":\"p\"}\n" + good_line(2 * i));
        client.send(std::format("{{\"action_type\":\"{}\",\"action_payload\":1,\"metadata\":", i) +
                    all[i].content + ",\"agent_id\":\"m\"}\n" + good_line(2 * i + 1));
    }
    REQUIRE(site.await_records(4 * all.size()));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") ==
          std::to_string(2 * all.size()));

    std::map<std::string, std::string> payloads, metadata;
    for (const auto& row : rows(site.sql(),
                                "SELECT agent_id, action_type, action_payload, metadata"
                                " FROM unified_activity_log")) {
        if (row[0] == "p") payloads[row[1]] = row[2];
        if (row[0] == "m") metadata[row[1]] = row[3];
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        INFO(all[i].name);
        const std::string key = std::to_string(i);
        if (all[i].name[0] == 'n') {
            CHECK_FALSE(payloads.contains(key));
            CHECK_FALSE(metadata.contains(key));
        }
        if (all[i].name[0] != 'y') continue;
        if (forbidden.contains(all[i].name)) {
            CHECK_FALSE(payloads.contains(key));
            continue;
        }
        // The server reads the document for itself.
        REQUIRE(payloads.contains(key));
        const std::string server = one(site.sql(), "SELECT $1::jsonb::text", {all[i].content});
        CHECK(payloads[key] == server);
        // Metadata is an object, or null, which is none.
        CHECK(metadata.contains(key) == (server.starts_with('{') || server == "null"));
        if (metadata.contains(key)) CHECK(metadata[key] == (server == "null" ? "\\N" : server));
    }
    CHECK(one(site.sql(),
              "SELECT count(*) FROM unified_activity_log l"
              " WHERE hash_sha256 <> tickd.activity_row_hash(l)") == "0");
    CHECK(site.daemon().stop() == 0);
}
