// The client library against a real table: what it reads is what a SELECT over the same ticks
// gives.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <format>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "clients/cpp/tick_reader.h"
#include "ingest/timestamp.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/segment_streams.h"

using namespace tickd::test;
using tickd::client::read_error;
using tickd::client::tick_reader;

namespace {

constexpr std::int64_t begin_us = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t end_us = std::numeric_limits<std::int64_t>::max();

std::string hex(const std::string& bytes) {
    std::string text = "'\\x";
    for (const char c : bytes) text += std::format("{:02x}", static_cast<unsigned char>(c));
    return text + "'";
}

void store(tickd::pg_connection& connection, const std::vector<stored_segment>& segments) {
    for (const stored_segment& each : segments) {
        run(connection,
            std::format(
                "INSERT INTO price_segment (first_time, last_time, symbol, level, tick_count,"
                " volume_count, data, metadata) VALUES ('{}', '{}', {}, 0, {}, {}, {}, {})",
                ingest::to_rfc3339(each.header.first_time_us),
                ingest::to_rfc3339(each.header.last_time_us),
                each.symbol.empty() ? "NULL" : "'" + each.symbol + "'", each.header.tick_count,
                each.header.volume_count, hex(each.data),
                each.metadata.empty() ? "NULL" : hex(each.metadata)));
    }
}

// Ticks of five symbols over three days. Some in segments of one symbol, some in mixed ones, and
// some late, so that segments of all kinds overlap.
std::vector<stream_tick> store_ticks(tickd::pg_connection& connection) {
    std::mt19937_64 random(11);
    std::vector<stream_tick> ticks;
    std::int64_t time_us = 1'723'075'200'000'000;  // 2024-08-08
    for (int i = 0; i < 20'000; ++i) {
        time_us += static_cast<std::int64_t>(random() % 26'000'000);
        const auto bid = static_cast<ingest::int128>(138'000'000 + random() % 5000 * 1000);
        stream_tick tick{.time_us = time_us,
                         .bid = bid,
                         .ask = bid + 2000,
                         .mid = bid + 1000,
                         .volume = std::nullopt,
                         .symbol = std::string(1, static_cast<char>('A' + random() % 5)),
                         .source = "test",
                         .metadata = std::nullopt};
        if (random() % 2 == 0) tick.volume = static_cast<ingest::int128>(random() % 1000);
        if (random() % 9 == 0) tick.metadata = std::format("{{\"n\": {}}}", i);
        ticks.push_back(tick);
    }
    std::vector<std::vector<stream_tick>> runs(7);  // one a symbol, mixed, late
    for (const stream_tick& tick : ticks) {
        const std::uint64_t kind = random() % 20;
        runs[kind < 15   ? static_cast<std::size_t>(tick.symbol[0] - 'A')
             : kind < 19 ? 5
                         : 6]
            .push_back(tick);
    }
    ingest::segment_encoder encoder;
    for (const auto& each : runs) store(connection, into_segments(encoder, each));
    return ticks;
}

// In one order, whatever the segments' was.
std::vector<std::string> sorted(std::vector<std::string> ticks) {
    std::ranges::sort(ticks);
    return ticks;
}

std::vector<std::string> described(const ingest::tick_columns& columns) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < columns.size(); ++i) all.push_back(describe(tick_of(columns, i)));
    return all;
}

std::string output_of(const std::string& command) {
    std::string output;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> part{};
    for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), pipe)) > 0;) {
        output.append(part.data(), got);
    }
    REQUIRE(::pclose(pipe) == 0);
    return output;
}

}  // namespace

TEST_CASE("a symbol's ticks come back from segments of all kinds, within any bounds") {
    const std::string database = migrated_database(shared_cluster());
    auto connection = connect(database);
    const auto ticks = store_ticks(connection);
    auto reader = tick_reader::connect(database);
    REQUIRE(reader.has_value());
    ingest::tick_columns columns;
    std::mt19937_64 random(5);
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const std::string symbol(1, static_cast<char>('A' + random() % 5));
        std::int64_t from_us = ticks[random() % ticks.size()].time_us;
        std::int64_t to_us = ticks[random() % ticks.size()].time_us;
        if (round % 10 == 0) from_us = begin_us;
        if (round % 10 < 2) to_us = end_us;
        const bool metadata = round % 2 == 0;
        std::vector<std::string> want;
        for (stream_tick tick : ticks) {
            if (tick.symbol != symbol || tick.time_us < from_us || tick.time_us >= to_us) continue;
            if (!metadata) tick.metadata.reset();
            want.push_back(describe(tick));
        }
        const auto read = reader->read(symbol, from_us, to_us, {.metadata = metadata}, columns);
        REQUIRE(read.has_value());
        CHECK(*read == want.size());
        CHECK(std::ranges::is_sorted(columns.time_us));
        CHECK(sorted(described(columns)) == sorted(want));
    }
    const auto none = reader->read("O'Neil", begin_us, end_us, {}, columns);
    REQUIRE(none.has_value());
    CHECK(*none == 0);
}

TEST_CASE("the reader in Python reads the same table") {
    const std::string database = migrated_database(shared_cluster());
    auto connection = connect(database);
    const auto ticks = store_ticks(connection);
    const std::int64_t from_us = ticks[500].time_us, to_us = ticks[15'000].time_us;
    auto reader = tick_reader::connect(database);
    REQUIRE(reader.has_value());
    ingest::tick_columns columns;
    REQUIRE(reader->read("C", from_us, to_us, {}, columns).has_value());
    std::vector<std::string> want, got;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto tick = tick_of(columns, i);
        want.push_back(std::format("{},C,{},{},{},{},test", ingest::to_rfc3339(tick.time_us),
                                   ingest::to_text(tick.bid), ingest::to_text(tick.ask),
                                   ingest::to_text(tick.mid),
                                   tick.volume ? ingest::to_text(*tick.volume) : ""));
    }
    const std::string csv = output_of(std::format(
        "python3 '{}/clients/python/read_ticks.py' --database '{}' --symbol C --from {} --to {}",
        TICKD_SOURCE_DIR, database, ingest::to_rfc3339(from_us), ingest::to_rfc3339(to_us)));
    for (std::size_t at = 0; at < csv.size();) {
        const std::size_t end = csv.find('\n', at);
        got.push_back(csv.substr(at, end - at));
        at = end + 1;
    }
    CHECK(want.size() > 1000);
    CHECK(sorted(got) == sorted(want));
}

TEST_CASE("a reader says what is wrong, and its connection stays usable") {
    const std::string database = migrated_database(shared_cluster());
    auto connection = connect(database);
    const auto ticks = store_ticks(connection);
    auto reader = tick_reader::connect(database);
    REQUIRE(reader.has_value());
    ingest::tick_columns columns;
    REQUIRE(reader->read("A", begin_us, end_us, {}, columns).has_value());
    const std::size_t whole = columns.size();

    run(connection,
        "INSERT INTO price_segment (first_time, last_time, symbol, level, tick_count,"
        " volume_count, data) VALUES ('2024-08-08', '2024-08-08', 'A', 0, 1, 0, '\\x0102')");
    const auto damaged = reader->read("A", begin_us, end_us, {}, columns);
    REQUIRE_FALSE(damaged.has_value());
    CHECK(damaged.error().what == read_error::kind::segment);
    CHECK(columns.size() == 0);
    run(connection, "DELETE FROM price_segment WHERE length(data) = 2");
    REQUIRE(reader->read("A", begin_us, end_us, {}, columns).has_value());
    CHECK(columns.size() == whole);

    auto stranger = tick_reader::connect(as_user(database, "tickd_ingest"));
    REQUIRE(stranger.has_value());
    const auto refused = stranger->read("A", begin_us, end_us, {}, columns);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what == read_error::kind::query);
    CHECK(refused.error().sqlstate == "42501");

    CHECK_FALSE(tick_reader::connect("host=/nowhere").has_value());
}

TEST_CASE("a borrowed connection keeps its transaction and its snapshot") {
    const std::string database = migrated_database(shared_cluster());
    auto connection = connect(database);
    static_cast<void>(store_ticks(connection));
    auto owner = tick_reader::connect(database);
    REQUIRE(owner.has_value());
    PGconn* const mine = owner->connection();
    ::PQclear(::PQexec(mine, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
    tick_reader reader(mine);
    ingest::tick_columns columns;
    REQUIRE(reader.read("A", begin_us, end_us, {}, columns).has_value());
    const std::size_t whole = columns.size();
    run(connection, "DELETE FROM price_segment");
    REQUIRE(reader.read("A", begin_us, end_us, {}, columns).has_value());
    CHECK(columns.size() == whole);
    CHECK(::PQtransactionStatus(mine) == PQTRANS_INTRANS);
    const auto workers = [&] {
        PGresult* const answer = ::PQexec(mine, "SHOW max_parallel_workers_per_gather");
        const std::string value = ::PQgetvalue(answer, 0, 0);
        ::PQclear(answer);
        return value;
    };
    const std::string before = workers();
    CHECK(before != "0");
    ::PQclear(::PQexec(mine, "COMMIT"));
    REQUIRE(reader.read("A", begin_us, end_us, {}, columns).has_value());
    CHECK(columns.size() == 0);
    CHECK(::PQtransactionStatus(mine) == PQTRANS_IDLE);
    CHECK(workers() == before);
}
