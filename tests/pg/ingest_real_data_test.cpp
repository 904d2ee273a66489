// Recorded data through the real daemon: everything arrives, and arrives as it was. Figures are
// taken from the file here, by looking for fields in its text, and the server reads the raw lines
// for itself, too.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decimal.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/real_data.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;
using ingest::int128;

namespace {

// A value's text, up to the comma or brace behind it, of files that write `"name":value`.
std::optional<std::string_view> field(std::string_view line, const std::string& name) {
    const std::string key = '"' + name + "\":";
    const std::size_t at = line.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view value = line.substr(at + key.size());
    if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
    return value.substr(0, value.find_first_of(",}"));
}

// Plain decimals only, as the files have them, in units of 10^-8.
int128 units(std::string_view decimal) {
    const std::size_t point = std::min(decimal.find('.'), decimal.size());
    std::string digits(decimal.substr(0, point));
    std::string fraction(decimal.substr(std::min(point + 1, decimal.size())));
    if (fraction.size() > 8) throw std::runtime_error("more decimals than 8");
    fraction.resize(8, '0');
    int128 value = 0;
    for (const char digit : digits + fraction) {
        if (digit < '0' || digit > '9') throw std::runtime_error("no plain decimal");
        value = value * 10 + (digit - '0');
    }
    return value;
}

std::string text_of(int128 value) {
    std::string digits;
    for (; value > 0 || digits.size() < 9; value /= 10) {
        digits += static_cast<char>('0' + static_cast<int>(value % 10));
    }
    std::ranges::reverse(digits);
    return digits.insert(digits.size() - 8, ".");
}

struct figures {
    std::size_t count = 0;
    int128 bid = 0, ask = 0, volume = 0;
    std::string first, last;  // times as text, all of one form
};

text_rows figures_of(const std::vector<std::string_view>& lines) {
    std::map<std::pair<std::string, std::string>, figures> all;
    for (const std::string_view line : lines) {
        const std::string time(field(line, "time").value());
        if (time.size() != 27) throw std::runtime_error("another form of time: " + time);
        figures& of = all[{std::string(field(line, "symbol").value()),
                           std::string(field(line, "source").value_or("\\N"))}];
        if (of.count++ == 0) of.first = of.last = time;
        of.first = std::min(of.first, time);
        of.last = std::max(of.last, time);
        of.bid += units(field(line, "bid").value());
        of.ask += units(field(line, "ask").value());
        of.volume += units(field(line, "volume").value_or("0"));
    }
    text_rows rows;
    for (const auto& [key, of] : all) {
        rows.push_back({key.first, key.second, std::to_string(of.count), text_of(of.bid),
                        text_of(of.ask), text_of(of.volume), of.first, of.last});
    }
    return rows;
}

// Sends the file as it is, and gives the server its lines besides, numbered in `raw`.
std::size_t replay(ingest_site& site, const std::vector<std::filesystem::path>& files,
                   std::vector<std::string>& texts) {
    run(site.sql(), "CREATE TEMP TABLE raw (n bigint GENERATED ALWAYS AS IDENTITY, line text)");
    std::size_t count = 0;
    tcp_client client(site.address());
    for (const auto& file : files) {
        texts.push_back(gunzip(file));
        client.send(texts.back());
        std::vector<std::vector<std::optional<std::string>>> lines;
        for (const std::string_view line : lines_of(texts.back())) {
            lines.push_back({std::string(line)});
        }
        copy_texts(site.sql(), "raw (line)", lines);
        count += lines.size();
    }
    return count;
}

}  // namespace

TEST_CASE("recorded quotes arrive as they were", "[ingest_real_data]") {
    const real_files files = find_real_files();
    if (files.ticks.empty()) SKIP("no recorded quotes here");
    ingest_site site;
    std::vector<std::string> texts;
    const std::size_t sent = replay(site, files.ticks, texts);
    if (files.whole) REQUIRE(sent == 335'931);
    REQUIRE(site.await_records(sent));

    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "0");
    std::vector<std::string_view> lines;
    for (const std::string& text : texts) {
        for (const std::string_view line : lines_of(text)) lines.push_back(line);
    }
    CHECK(rows(site.sql(), R"(
              SELECT symbol, source, count(*), sum(bid), sum(ask),
                     coalesce(sum(volume), 0.00000000),
                     to_char(min(time) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                     to_char(max(time) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                FROM price_telemetry GROUP BY symbol, source ORDER BY symbol, source COLLATE "C")") ==
          figures_of(lines));
    // Every row, with all that it holds, as often as the file has it.
    CHECK(one(site.sql(), R"(
              SELECT count(*) FROM (
                  SELECT (j->>'time')::timestamptz, j->>'symbol', (j->>'bid')::numeric(20,8)::text,
                         (j->>'ask')::numeric(20,8)::text,
                         round(((j->>'bid')::numeric + (j->>'ask')::numeric) / 2, 8)::text,
                         (j->>'volume')::numeric(30,8)::text, j->>'source', (j->'metadata')::text
                    FROM (SELECT line::jsonb AS j FROM raw) AS parsed
                  EXCEPT ALL
                  SELECT time, symbol, bid::text, ask::text, mid::text, volume::text, source,
                         metadata::text
                    FROM price_telemetry) AS missing)") == "0");
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == std::to_string(sent));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("recorded events arrive as they were, in order and hashed", "[ingest_real_data]") {
    const real_files files = find_real_files();
    if (files.events.empty()) SKIP("no recorded events here");
    ingest_site site;
    const std::string started = one(site.sql(), "SELECT now()");
    std::vector<std::string> texts;
    const std::size_t sent = replay(site, files.events, texts);
    if (files.whole) REQUIRE(sent == 5'308 + 25'993);
    REQUIRE(site.await_records(sent));

    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "0");
    CHECK(one(site.sql(), "SELECT count(*) FROM unified_activity_log") == std::to_string(sent));

    std::map<std::string, std::size_t> by_type;
    for (const std::string& text : texts) {
        for (const std::string_view line : lines_of(text)) {
            ++by_type[std::string(field(line, "action_type").value())];
        }
    }
    text_rows expected;
    for (const auto& [type, count] : by_type) expected.push_back({type, std::to_string(count)});
    CHECK(rows(site.sql(), R"(SELECT action_type, count(*) FROM unified_activity_log
                              GROUP BY 1 ORDER BY action_type COLLATE "C")") == expected);

    // Line n is row n, and every column is what the server makes of the line.
    CHECK(rows(site.sql(), R"(
              SELECT r.n, a.id, left(r.line, 200)
                FROM (SELECT n, line, line::jsonb AS j FROM raw) r
                FULL JOIN (SELECT row_number() OVER (ORDER BY id) AS n, * FROM unified_activity_log)
                          a USING (n)
               WHERE a.action_payload::text IS DISTINCT FROM (j->'action_payload')::text
                  OR a.metadata::text IS DISTINCT FROM (j->'metadata')::text
                  OR a.action_type IS DISTINCT FROM j->>'action_type'
                  OR a.agent_id IS DISTINCT FROM j->>'agent_id'
                  OR a.user_id::text IS DISTINCT FROM j->>'user_id'
                  OR a.session_id::text IS DISTINCT FROM j->>'session_id'
                  OR CASE WHEN j->>'timestamp' IS NULL
                          THEN a.timestamp NOT BETWEEN $1::timestamptz AND now()
                          ELSE a.timestamp <> (j->>'timestamp')::timestamptz END
                  OR a.created_at NOT BETWEEN $1::timestamptz AND now()
               LIMIT 3)",
               {started}) == text_rows{});
    // The same as one figure, which a stranger can compute without our row order.
    CHECK(one(site.sql(), R"(
              SELECT (SELECT sha256(string_agg(convert_to(action_payload::text, 'UTF8'), '\x0a'
                                               ORDER BY id)) FROM unified_activity_log)
                   = (SELECT sha256(string_agg(convert_to((line::jsonb->'action_payload')::text,
                                                          'UTF8'), '\x0a' ORDER BY n)) FROM raw))") ==
          "t");
    CHECK(one(site.sql(),
              "SELECT count(*) FROM unified_activity_log l"
              " WHERE hash_sha256 <> tickd.activity_row_hash(l)") == "0");
    CHECK(one(site.sql(), "SELECT count(DISTINCT hash_sha256) FROM unified_activity_log") ==
          std::to_string(sent));
    CHECK(site.daemon().stop() == 0);
}
