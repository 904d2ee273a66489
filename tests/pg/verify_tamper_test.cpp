// The tamper matrix: everything that a superuser can do to the log with all triggers and
// constraints out of the way, and which finding names it. The three verifiers must find the same.
#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/pg_query.h"
#include "tests/support/tamper_site.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct tampering {
    std::string name;
    std::string sql;
    finding_text expected;  // among what is found
    std::function<void(tamper_site&)> also = {};
};

const std::string row_7 = "UPDATE unified_activity_log SET ";
const std::string at_7 = " WHERE id = 7";
const std::string record_5 = "UPDATE tickd.activity_batch SET ";
const std::string at_5 = " WHERE index = 5";

// Row 7 is the third of record 2 (ids 5 to 8, no tenant); record 5 has ids 15 to 18.
std::vector<tampering> of_rows() {
    const finding_text changed = "0 modified 2 7 7 -";
    std::vector<tampering> all{
        {"a microsecond", "timestamp = timestamp + interval '1 us'", changed},
        {"agent '' in place of NULL", "agent_id = coalesce(nullif(agent_id, ''), 'x')", changed},
        {"agent NULL in place of ''", "agent_id = NULL", changed},
        {"a trailing space", "action_type = action_type || ' '", changed},
        {"1.0 in place of 1.00", R"(action_payload = jsonb_set(action_payload, '{b}', '1.00'))",
         changed},
        {"a key's name", R"(action_payload = action_payload - 'b' || '{"c": 1.0}')", changed},
        {"an array's element", R"(action_payload = jsonb_set(action_payload, '{aa,1}', '0'))",
         changed},
        {"a user", "user_id = gen_random_uuid()", changed},
        {"a session", "session_id = gen_random_uuid()", changed},
        {"metadata {} in place of none", "metadata = '{}'", changed},
        {"metadata null in place of none", "metadata = 'null'", changed},
        {"created_at", "created_at = created_at - interval '1 us'", changed},
        {"a tenant", "tenant_id = gen_random_uuid()", changed},
        {"a tenant, as its batch sees it", "tenant_id = gen_random_uuid()", "1 modified 2 7 7 -"},
        {"only the hash", "hash_sha256 = repeat('0', 64)", changed},
    };
    for (tampering& each : all) each.sql = row_7 + each.sql + at_7;
    const std::string with_hash =
        "; UPDATE unified_activity_log l SET hash_sha256 = tickd.activity_row_hash(l) WHERE id = 7";
    all.insert(
        all.end(),
        {{"a row and its hash", row_7 + "action_type = 'x'" + at_7 + with_hash,
          "1 modified 2 5 8 -"},
         {"ids of two rows",
          "UPDATE unified_activity_log SET id = CASE id WHEN 7 THEN 8 ELSE 7 END WHERE id IN (7, "
          "8)",
          "0 reordered 2 7 7 -"},
         {"ids of two rows, and their hashes",
          "UPDATE unified_activity_log SET id = CASE id WHEN 7 THEN 8 ELSE 7 END WHERE id IN (7, "
          "8);"
          "UPDATE unified_activity_log l SET hash_sha256 = tickd.activity_row_hash(l)",
          "1 modified 2 5 8 -"},
         {"the first row deleted", "DELETE FROM unified_activity_log WHERE id = 1",
          "1 missing 1 1 1 -"},
         {"a row deleted", "DELETE FROM unified_activity_log WHERE id = 7", "1 missing 2 7 7 -"},
         {"the last row deleted", "DELETE FROM unified_activity_log WHERE id = 70",
          "1 missing 18 70 70 -"},
         {"a batch's rows deleted", "DELETE FROM unified_activity_log WHERE id BETWEEN 15 AND 18",
          "1 missing 5 15 18 -"},
         {"all rows deleted", "TRUNCATE unified_activity_log", "1 missing 18 69 70 -"},
         {"a row doubled under a new id",
          "INSERT INTO unified_activity_log SELECT (jsonb_populate_record(l, '{\"id\": 1000}')).*"
          " FROM unified_activity_log l WHERE id = 7",
          "2 extra - 1000 1000 -"},
         {"rows in a gap of ids, with right hashes",
          "INSERT INTO unified_activity_log SELECT"
          " (jsonb_populate_record(l, jsonb_build_object('id', n))).* FROM unified_activity_log l,"
          " generate_series(32, 34) n WHERE id = 7;"
          "UPDATE unified_activity_log l SET hash_sha256 = tickd.activity_row_hash(l)",
          "2 extra - 32 34 -"},
         {"a row with the lowest id",
          "INSERT INTO unified_activity_log SELECT"
          " (jsonb_populate_record(l, '{\"id\": -9223372036854775808}')).*"
          " FROM unified_activity_log l WHERE id = 7",
          "2 extra - -9223372036854775808 -9223372036854775808 -"}});
    return all;
}

std::vector<tampering> of_records() {
    const finding_text changed = "2 modified 5 - - -";
    const std::string new_text =
        "record = convert_to(regexp_replace(convert_from(record, 'UTF8'), ";
    return {
        {"a record's time", record_5 + new_text + "'time 1', 'time 2'), 'UTF8')" + at_5, changed},
        {"a record's time and entry",
         record_5 + new_text + "'time 1', 'time 2'), 'UTF8')" + at_5 + ";" + record_5 +
             "entry = sha256(record)" + at_5,
         "3 modified - - - 10"},
        {"a record's time and entry, by its tenant's chain",
         record_5 + new_text + "'time 1', 'time 2'), 'UTF8')" + at_5 + ";" + record_5 +
             "entry = sha256(record)" + at_5,
         "2 modified 8 - - -"},
        {"a record's entry", record_5 + "entry = sha256(entry)" + at_5, changed},
        {"a line too many", record_5 + "record = record || 'x y\n'" + at_5, changed},
        {"CRLF in a record", record_5 + new_text + R"(E'\n', E'\r\n'), 'UTF8'))" + at_5, changed},
        {"a leading zero", record_5 + new_text + "'tseq ', 'tseq 0'), 'UTF8')" + at_5, changed},
        {"another log's record", record_5 + new_text + "'origin ', 'origin x'), 'UTF8')" + at_5,
         changed},
        {"another kind", record_5 + "kind = 'heartbeat'" + at_5, changed},
        {"the column tenant_id", record_5 + "tenant_id = gen_random_uuid()" + at_5, changed},
        {"the column tseq", record_5 + "tseq = tseq + 1" + at_5, changed},
        {"the column first_id", record_5 + "first_id = first_id + 1" + at_5, changed},
        {"the column row_count", record_5 + "row_count = row_count - 1" + at_5, changed},
        {"the column root", record_5 + "root = sha256(root)" + at_5, changed},
        {"two records' texts exchanged",
         "UPDATE tickd.activity_batch b SET record = o.record, entry = o.entry"
         " FROM kept.activity_batch o WHERE (b.index, o.index) IN ((5, 6), (6, 5))",
         "2 reordered 5 - - -"},
        {"a record deleted", "DELETE FROM tickd.activity_batch WHERE index = 5",
         "2 missing 5 - - -"},
        {"a record deleted, its rows", "DELETE FROM tickd.activity_batch WHERE index = 5",
         "2 extra - 15 18 -"},
        {"the genesis deleted", "DELETE FROM tickd.activity_batch WHERE index = 0",
         "2 missing 0 - - -"},
        {"a record doubled", "INSERT INTO tickd.activity_batch TABLE kept.activity_batch",
         "2 extra 5 - - -"},
        {"rows claimed twice",
         "SELECT tickd.append_activity_batches('w', 1, 1, ARRAY[NULL]::uuid[], ARRAY[16],"
         " ARRAY[2], ARRAY[repeat('a', 64)], ARRAY[''], ARRAY[repeat('b', 32)])",
         "2 extra 20 16 17 -"},
        {"a producer's events committed twice",
         "SELECT tickd.append_activity_batches('w', 1, 1, ARRAY[NULL, NULL]::uuid[],"
         " ARRAY[100, 101], ARRAY[1, 1], ARRAY[repeat('a', 64), repeat('a', 64)],"
         " ARRAY[E'src p 0 9\\n', E'src p 5 12\\n'], ARRAY[repeat('b', 32), repeat('b', 32)])",
         "2 extra 21 - - -"},
    };
}

std::vector<tampering> of_heads() {
    const std::string head = "UPDATE tickd.activity_head SET ";
    const std::string of_none = " WHERE tenant_key = '00000000-0000-0000-0000-000000000000'";
    const std::string shorten =
        "DELETE FROM unified_activity_log WHERE id > 60;"
        "DELETE FROM tickd.activity_batch WHERE index > 15;";
    const auto consistent = [](tamper_site& site) { site.rehash(); };
    return {
        {"the head's root", head + "root = sha256(root)", "3 modified - - - 20"},
        {"the head's frontier", head + "frontier = frontier || root", "3 modified - - - 20"},
        {"the head's origin", head + "origin = 'x'", "3 modified - - - 20"},
        {"the head's size, larger", head + "size = 21", "3 truncated - - - 21"},
        {"the head's size, smaller", head + "size = 19", "2 extra 19 - - -"},
        {"no head", "DELETE FROM tickd.activity_head", "3 missing - - - -"},
        {"a tenant's head",
         "UPDATE tickd.activity_tenant_head SET last_entry = sha256('')" + of_none,
         "2 modified - - - -"},
        {"a tenant's head, ahead",
         "UPDATE tickd.activity_tenant_head SET tseq = tseq + 1" + of_none, "2 truncated - - - -"},
        {"a tenant's head, behind",
         "UPDATE tickd.activity_tenant_head SET tseq = tseq - 1" + of_none, "2 extra - - - -"},
        {"no tenant's head", "DELETE FROM tickd.activity_tenant_head" + of_none,
         "2 missing - - - -"},
        {"the tail cut, the head left", shorten, "3 truncated - - - 20"},
        {"the tail cut, the head too", shorten, "5 truncated - - - 20", consistent},
        {"the tail cut, head and checkpoint too",
         shorten + "DELETE FROM tickd.activity_checkpoint WHERE size = 20", "5 truncated - - - 20",
         consistent},
        {"everything of today cut, checkpoints too",
         "DELETE FROM unified_activity_log; DELETE FROM tickd.activity_batch WHERE index > 0;"
         "DELETE FROM tickd.activity_checkpoint",
         "5 truncated - - - 10", consistent},
    };
}

std::vector<tampering> of_checkpoints() {
    const std::string note = "UPDATE tickd.activity_checkpoint SET note = ";
    const std::string newest = " WHERE size = 20";
    const finding_text bad = "4 bad_signature - - - 20";
    const std::string change = row_7 + "action_type = 'x'" + at_7;
    return {
        {"a signature's bytes", note + "regexp_replace(note, '.{8}\n$', E'AAAAAAA=\n')" + newest,
         bad},
        {"a root", note + "regexp_replace(note, E'\n20\n.', E'\n20\n/')" + newest,
         "3 modified - - - 20"},
        {"a root, by its signature", note + "regexp_replace(note, E'\n20\n.', E'\n20\n/')" + newest,
         bad},
        {"CRLF in a note", note + R"(replace(note, E'\n', E'\r\n'))" + newest, bad},
        {"a leading zero of a note", note + "replace(note, E'\n20\n', E'\n020\n')" + newest, bad},
        {"an extension line", note + "replace(note, E'\n\n', E'\nx\n\n')" + newest, bad},
        {"a note under another size",
         "UPDATE tickd.activity_checkpoint SET size = 15 WHERE size = 20", "3 modified - - - 15"},
        {"17 signatures", note + "note || repeat(split_part(note, E'\n\n', 2), 16)" + newest, bad},
        {"another key's name", note + "regexp_replace(note, '— [^ ]+', '— somebody')" + newest,
         bad},
        {"a wrong key of the same name", "SELECT", bad,
         [](tamper_site& site) { site.sign_again(log_signer(site.origin(), 'x')); }},
        {"all hashed again", change, "5 modified - - - 20",
         [](tamper_site& site) { site.rehash(); }},
        {"all hashed again, by the copies inside", change, "3 modified - - - 20",
         [](tamper_site& site) { site.rehash(); }},
        {"all hashed again, no copies left", change + "; DELETE FROM tickd.activity_checkpoint",
         "5 modified - - - 10", [](tamper_site& site) { site.rehash(); }},
        {"all hashed again and signed with the real key", change, "5 forked - - - 20",
         [](tamper_site& site) {
             site.rehash();
             site.sign_again(site.notary());
         }},
        {"a fork behind size 10, signed with the real key",
         row_7 + "action_type = 'x' WHERE id = 60", "5 forked - - - 20",
         [](tamper_site& site) {
             site.rehash();
             site.sign_again(site.notary());
         }},
    };
}

// SQL sees levels 0 to 3 only.
std::set<finding_text> below_four(const std::set<finding_text>& all) {
    std::set<finding_text> kept;
    for (const finding_text& each : all) {
        if (each < "4") kept.insert(each);
    }
    return kept;
}

tamper_site& shared_site() {
    static tamper_site site;
    return site;
}

void try_all(const std::vector<tampering>& matrix) {
    tamper_site& site = shared_site();
    for (const tampering& each : matrix) {
        INFO(each.name);
        site.restore();
        REQUIRE(site.found_by_tickd() == std::set<finding_text>{});
        run(site.sql(), each.sql);
        if (each.also) each.also(site);
        const std::set<finding_text> found = site.found_by_tickd();
        std::string all;
        for (const finding_text& other : found) all += other + '\n';
        INFO("expected " << each.expected << ", found\n" << all);
        CHECK(found.contains(each.expected));
        CHECK(site.found_by_python() == found);
        CHECK(site.found_by_sql() == below_four(found));
    }
    site.restore();
}

}  // namespace

TEST_CASE("an untouched log has no findings") {
    tamper_site& site = shared_site();
    CHECK(site.found_by_tickd() == std::set<finding_text>{});
    CHECK(site.found_by_python() == std::set<finding_text>{});
    CHECK(site.found_by_sql() == std::set<finding_text>{});
}

TEST_CASE("tampering with rows is named") { try_all(of_rows()); }

TEST_CASE("tampering with records is named") { try_all(of_records()); }

TEST_CASE("tampering with heads is named") { try_all(of_heads()); }

TEST_CASE("tampering with checkpoints is named") { try_all(of_checkpoints()); }
