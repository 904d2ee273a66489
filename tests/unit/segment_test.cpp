// Encoder and decoder together: what goes in comes out, whatever it is.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "ingest/segment_decoder.h"
#include "ingest/segment_encoder.h"
#include "tests/support/real_data.h"
#include "tests/support/segment_streams.h"

using ingest::int128;
using ingest::segment_decoder;
using ingest::segment_encoder;
using ingest::segment_header;
using ingest::tick_columns;
using tickd::test::describe;
using tickd::test::into_segments;
using tickd::test::stored_segment;
using tickd::test::stream_tick;
using tickd::test::tick_of;

namespace {

constexpr std::int64_t day_us = 86'400'000'000;

std::int64_t day_of(std::int64_t time_us) {
    return time_us >= 0 ? time_us / day_us : -((-time_us + day_us - 1) / day_us);
}

// The header by its definition, from rows.
void check_header(const stored_segment& segment, const stream_tick* ticks, std::size_t count) {
    const segment_header& head = segment.header;
    REQUIRE(head.tick_count == count);
    segment_header want;
    want.first_time_us = ticks[0].time_us;
    want.last_time_us = ticks[count - 1].time_us;
    std::vector<int128> bids, asks, mids, first_mids, last_mids;
    bool same_symbol = true;
    for (std::size_t i = 0; i < count; ++i) {
        const stream_tick& tick = ticks[i];
        bids.push_back(tick.bid);
        asks.push_back(tick.ask);
        mids.push_back(tick.mid);
        if (tick.time_us == want.first_time_us) first_mids.push_back(tick.mid);
        if (tick.time_us == want.last_time_us) last_mids.push_back(tick.mid);
        want.sum_bid += tick.bid;
        want.sum_ask += tick.ask;
        want.sum_mid += tick.mid;
        if (tick.volume) {
            ++want.volume_count;
            want.sum_volume += *tick.volume;
        }
        same_symbol = same_symbol && tick.symbol == ticks[0].symbol;
    }
    CHECK(head.volume_count == want.volume_count);
    CHECK(head.first_time_us == want.first_time_us);
    CHECK(head.last_time_us == want.last_time_us);
    CHECK((head.first_mid == std::ranges::min(first_mids)));
    CHECK((head.last_mid == std::ranges::max(last_mids)));
    CHECK((head.min_bid == std::ranges::min(bids) && head.max_bid == std::ranges::max(bids)));
    CHECK((head.min_ask == std::ranges::min(asks) && head.max_ask == std::ranges::max(asks)));
    CHECK((head.min_mid == std::ranges::min(mids) && head.max_mid == std::ranges::max(mids)));
    CHECK((head.sum_bid == want.sum_bid && head.sum_ask == want.sum_ask));
    CHECK((head.sum_mid == want.sum_mid && head.sum_volume == want.sum_volume));
    CHECK(segment.symbol == (same_symbol ? ticks[0].symbol : ""));
    CHECK(day_of(want.first_time_us) == day_of(want.last_time_us));
}

void check_same(const tick_columns& columns, const std::vector<stream_tick>& ticks,
                bool with_metadata) {
    REQUIRE(columns.size() == ticks.size());
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        stream_tick want = ticks[i];
        if (!with_metadata) want.metadata.reset();
        const stream_tick got = tick_of(columns, i);
        if (got == want) continue;
        FAIL("tick " << i << " is " << describe(got) << " and was " << describe(want));
    }
}

// Everything that holds of any stream.
std::vector<stored_segment> check_round_trip(segment_encoder& encoder, std::size_t bytes_max,
                                             const std::vector<stream_tick>& ticks) {
    std::vector<stored_segment> segments = into_segments(encoder, ticks);
    std::size_t at = 0;
    for (const stored_segment& each : segments) {
        REQUIRE(each.data.size() <= bytes_max);
        REQUIRE(at + each.header.tick_count <= ticks.size());
        check_header(each, ticks.data() + at, each.header.tick_count);
        at += each.header.tick_count;
    }
    REQUIRE(at == ticks.size());
    check_same(tickd::test::decoded(segments, false), ticks, false);
    check_same(tickd::test::decoded(segments, true), ticks, true);
    return segments;
}

stream_tick tick_at(std::int64_t time_us, int128 bid, int128 ask) {
    return {.time_us = time_us,
            .bid = bid,
            .ask = ask,
            .mid = ingest::mid_of(bid, ask),
            .symbol = "EURUSD"};
}

}  // namespace

TEST_CASE("any stream comes back from its segments") {
    segment_encoder encoder;
    segment_encoder small(1024);
    std::size_t mixed = 0, wide = 0, with_metadata = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const auto ticks = tickd::test::random_stream(random, 1 + random() % 3000);
        const bool use_small = seed % 4 == 0;
        const auto segments =
            check_round_trip(use_small ? small : encoder,
                             use_small ? 1024 : ingest::limits::segment_bytes_max, ticks);
        for (const auto& each : segments) {
            mixed += each.symbol.empty();
            with_metadata += !each.metadata.empty();
        }
        wide += tickd::test::decoded(segments, false).volume.is_wide;
    }
    // The streams are as various as they are meant to be.
    CHECK(mixed > 100);
    CHECK(wide > 20);
    CHECK(with_metadata > 100);
}

TEST_CASE("a filter gives what the same filter gives of the rows") {
    segment_encoder encoder;
    segment_decoder decoder;
    for (std::uint64_t seed = 1000; seed < 1200; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const auto ticks = tickd::test::random_stream(random, 1 + random() % 1500);
        const auto segments = into_segments(encoder, ticks);
        for (int round = 0; round < 5; ++round) {
            ingest::segment_filter wanted{.symbol = std::nullopt,
                                          .from_us = ticks[random() % ticks.size()].time_us,
                                          .to_us = ticks[random() % ticks.size()].time_us};
            if (round == 0) wanted.from_us = std::numeric_limits<std::int64_t>::min();
            if (round == 1) wanted.to_us = std::numeric_limits<std::int64_t>::max();
            const std::string symbol = round == 2 ? "NOT THERE" : ticks[0].symbol;
            if (round > 1) wanted.symbol = symbol;
            std::vector<stream_tick> want;
            std::ranges::copy_if(ticks, std::back_inserter(want), [&](const stream_tick& tick) {
                return tick.time_us >= wanted.from_us && tick.time_us < wanted.to_us &&
                       (!wanted.symbol || tick.symbol == symbol);
            });
            tick_columns columns;
            for (const auto& each : segments) {
                REQUIRE(decoder.append_with_metadata(each.data, each.metadata, wanted, columns));
            }
            check_same(columns, want, true);
        }
    }
}

TEST_CASE("the ends of every column come back") {
    const int128 most = ingest::price_limit - 1;
    segment_encoder encoder;
    for (const int128 bid : {most, -most, int128{0}}) {
        for (const int128 ask : {most, -most, int128{1}}) {
            std::vector<stream_tick> ticks{tick_at(0, bid, ask), tick_at(0, ask, bid),
                                           tick_at(day_us - 1, 0, 0)};
            ticks[0].mid = -most;
            ticks[1].mid = most;
            ticks[0].volume = ingest::volume_limit - 1;
            ticks[2].volume = 0;
            check_round_trip(encoder, ingest::limits::segment_bytes_max, ticks);
        }
    }
}

TEST_CASE("the sums of as many of the largest numbers as there can be are exact") {
    segment_encoder encoder;
    auto tick = tick_at(0, ingest::price_limit - 1, ingest::price_limit - 1);
    tick.volume = ingest::volume_limit - 1;
    const std::vector<stream_tick> ticks(ingest::limits::segment_ticks_max, tick);
    CHECK(check_round_trip(encoder, ingest::limits::segment_bytes_max, ticks).size() == 1);
}

TEST_CASE("a segment holds one UTC day, in order of time") {
    segment_encoder encoder;
    for (const std::int64_t day : {std::int64_t{-3}, std::int64_t{0}, std::int64_t{20'000}}) {
        const std::int64_t begin_us = day * day_us;
        REQUIRE(encoder.add(tick_at(begin_us + day_us / 2, 1, 2).view()));
        CHECK_FALSE(encoder.add(tick_at(begin_us + day_us / 2 - 1, 1, 2).view()));
        CHECK(encoder.add(tick_at(begin_us + day_us - 1, 1, 2).view()));
        CHECK_FALSE(encoder.add(tick_at(begin_us + day_us, 1, 2).view()));
        static_cast<void>(encoder.finish());
    }
}

TEST_CASE("what never changes costs nothing a tick") {
    segment_encoder encoder;
    for (int i = 0; i < 1000; ++i) {
        auto tick = tick_at(i * 250'000, 138'727'000, 138'729'000);  // four a second
        tick.volume = 100;
        tick.source = "fxcm";
        REQUIRE(encoder.add(tick.view()));
    }
    CHECK(encoder.finish().data.size() ==
          ingest::segment_head_bytes + sizeof("EURUSD") + sizeof("fxcm"));
}

TEST_CASE("a segment takes no more ticks than a reader allows") {
    segment_encoder encoder;
    for (std::uint32_t i = 0; i < ingest::limits::segment_ticks_max; ++i) {
        REQUIRE(encoder.add(tick_at(0, 1, 2).view()));
    }
    CHECK_FALSE(encoder.add(tick_at(0, 1, 2).view()));
    CHECK(encoder.finish().header.tick_count == ingest::limits::segment_ticks_max);
}

TEST_CASE("recorded ticks come back, and real prices pack well") {
    auto files = tickd::test::find_real_files().ticks;
    REQUIRE(!files.empty());
    const auto eurusd = tickd::test::shared_data("quotes-fxcm-eurusd-2014-05.ndjson.gz");
    if (!eurusd.empty() && std::ranges::find(files, eurusd) == files.end()) {
        files.push_back(eurusd);
    }
    segment_encoder encoder;
    for (const auto& path : files) {
        CAPTURE(path.string());
        auto ticks = tickd::test::recorded_ticks(path.string());
        std::ranges::stable_sort(ticks, {}, &stream_tick::time_us);
        std::map<std::string, std::vector<stream_tick>> by_symbol;
        for (const auto& tick : ticks) by_symbol[tick.symbol].push_back(tick);
        for (const auto& [symbol, of_symbol] : by_symbol) {
            CAPTURE(symbol);
            const auto segments =
                check_round_trip(encoder, ingest::limits::segment_bytes_max, of_symbol);
            std::size_t bytes = 0;
            for (const auto& each : segments) bytes += each.data.size();
            // Measured: 6 of Binance's dollar-margined futures, 11 to 12 of its other symbols.
            const double bytes_each =
                static_cast<double>(bytes) / static_cast<double>(of_symbol.size());
            CAPTURE(bytes_each, segments.size());
            CHECK(bytes_each < (symbol == "EURUSD" ? 8.0 : 16.0));
        }
        // All symbols together, as a batch of few ticks each leaves them.
        ticks.resize(std::min<std::size_t>(ticks.size(), 50'000));
        check_round_trip(encoder, ingest::limits::segment_bytes_max, ticks);
    }
}

TEST_CASE("ticks of overlapping segments are put in order, those of one time as they came") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        // Late ticks in segments of their own: from one run, which is in order, to many.
        const auto ticks = tickd::test::random_stream(random, 500);
        std::vector<std::vector<stream_tick>> runs(1 + seed % 30);
        for (const auto& tick : ticks)
            runs[random() % 3 == 0 ? random() % runs.size() : 0].push_back(tick);
        segment_encoder encoder;
        std::vector<stored_segment> segments;
        std::vector<stream_tick> want;
        for (const auto& run : runs) {
            const auto some = into_segments(encoder, run);
            segments.insert(segments.end(), some.begin(), some.end());
            want.insert(want.end(), run.begin(), run.end());
        }
        std::ranges::stable_sort(want, {}, &stream_tick::time_us);
        auto columns = tickd::test::decoded(segments, true);
        columns.sort_by_time();
        check_same(columns, want, true);
    }
}
