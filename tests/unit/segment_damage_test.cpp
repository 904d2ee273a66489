// The decoder and bytes that are no segment: each time an answer, never a read beyond them (which
// AddressSanitizer would see: they lie in memory of exactly their size).
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "ingest/segment_decoder.h"
#include "tests/support/segment_streams.h"

using ingest::segment_decoder;
using ingest::segment_error;
using ingest::tick_columns;
using tickd::test::stored_segment;

namespace {

struct exact_bytes {
    explicit exact_bytes(std::string_view bytes)
        : memory(std::make_unique<char[]>(bytes.size())), view(memory.get(), bytes.size()) {
        if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
    }
    std::unique_ptr<char[]> memory;
    std::string_view view;
};

// Whether it was taken; whatever was is read whole. After a refusal nothing may be left of it.
bool survives(segment_decoder& decoder, std::string_view data, std::string_view metadata) {
    const exact_bytes data_bytes(data), metadata_bytes(metadata);
    tick_columns columns;
    const auto appended =
        decoder.append_with_metadata(data_bytes.view, metadata_bytes.view, {}, columns);
    if (!appended) {
        CHECK(columns.size() == 0);
        CHECK((columns.bid.empty() && columns.volume.empty() && columns.metadata.ends.empty()));
        return false;
    }
    REQUIRE(columns.size() == *appended);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto tick = tickd::test::tick_of(columns, i);
        REQUIRE((tick.bid < ingest::price_limit && tick.bid > -ingest::price_limit));
        REQUIRE((tick.mid < ingest::price_limit && tick.mid > -ingest::price_limit));
        REQUIRE((!tick.volume || (*tick.volume >= 0 && *tick.volume < ingest::volume_limit)));
        REQUIRE((i == 0 || columns.time_us[i - 1] <= tick.time_us));
    }
    return true;
}

std::vector<stored_segment> some_segments(std::uint64_t seed, std::size_t ticks) {
    std::mt19937_64 random(seed);
    ingest::segment_encoder encoder(1024);
    return tickd::test::into_segments(encoder, tickd::test::random_stream(random, ticks));
}

segment_error error_of(std::string_view data, std::string_view metadata = {}) {
    segment_decoder decoder;
    tick_columns columns;
    const auto appended = decoder.append_with_metadata(data, metadata, {}, columns);
    REQUIRE_FALSE(appended.has_value());
    CHECK_FALSE(to_string(appended.error()).empty());
    return appended.error();
}

std::string plain_segment() {
    ingest::segment_encoder encoder;
    REQUIRE(encoder.add({.time_us = 5, .bid = 100, .ask = 300, .mid = 200, .symbol = "A"}));
    REQUIRE(encoder.add({.time_us = 7, .bid = 200, .ask = 500, .mid = 350, .symbol = "A"}));
    return std::string(encoder.finish().data);
}

std::string with_byte(std::string bytes, std::size_t at, int value) {
    bytes.at(at) = static_cast<char>(value);
    return bytes;
}

}  // namespace

TEST_CASE("a segment that is cut anywhere is refused, or goes on too long") {
    segment_decoder decoder;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        const stored_segment segment = some_segments(seed, 100)[0];
        REQUIRE(survives(decoder, segment.data, segment.metadata));
        for (std::size_t size = 0; size < segment.data.size(); ++size) {
            REQUIRE_FALSE(survives(decoder, segment.data.substr(0, size), segment.metadata));
        }
        for (std::size_t size = 0; size < segment.metadata.size(); size += 1 + size / 20) {
            REQUIRE_FALSE(survives(decoder, segment.data, segment.metadata.substr(0, size)));
        }
        CHECK_FALSE(survives(decoder, segment.data + '\0', segment.metadata));
        CHECK_FALSE(survives(decoder, segment.data, segment.metadata + '\0'));
    }
}

TEST_CASE("whatever a damaged segment holds, it is read or refused") {
    segment_decoder decoder;
    std::size_t taken = 0, refused = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed * 7919);
        const stored_segment segment = some_segments(seed, 60)[0];
        for (int round = 0; round < 60; ++round) {
            std::string data = segment.data, metadata = segment.metadata;
            for (std::uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
                // Mostly in the descriptors, where a bit means most.
                const std::size_t within =
                    random() % 3 == 0 ? data.size() : ingest::segment_head_bytes;
                const std::size_t at = random() % within;
                const auto flipped = static_cast<unsigned char>(data[at]) ^ 1U << random() % 8;
                data[at] = static_cast<char>(random() % 4 == 0 ? random() : flipped);
                if (!metadata.empty() && random() % 8 == 0) {
                    metadata[random() % std::min<std::size_t>(metadata.size(), 200)] ^= 1;
                }
            }
            survives(decoder, data, metadata) ? ++taken : ++refused;
        }
    }
    // Some damage gives other numbers, most gives none: both ways are walked.
    CHECK(taken > 100);
    CHECK(refused > 1000);
}

TEST_CASE("the reason says what is wrong") {
    const std::string good = plain_segment();
    constexpr std::size_t time_at = ingest::segment_prefix_bytes;
    constexpr std::size_t bid_at = time_at + ingest::number_descriptor_bytes;
    constexpr std::size_t symbol_at = time_at + 5 * ingest::number_descriptor_bytes;
    CHECK(error_of("") == segment_error::truncated);
    CHECK(error_of(good.substr(0, 20)) == segment_error::truncated);
    CHECK(error_of(good + "x") == segment_error::trailing_bytes);
    CHECK(error_of(with_byte(good, 0, 2)) == segment_error::unknown_version);
    CHECK(error_of(with_byte(good, 1, 3)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, 2, 0)) == segment_error::bad_count);
    CHECK(error_of(with_byte(good, 3, 0x7F)) == segment_error::bad_count);
    CHECK(error_of(with_byte(good, time_at, 1)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, bid_at, 0)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, bid_at, 3)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, bid_at + 1, 4)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, bid_at + 2, 3)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, bid_at + 3, 39)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, bid_at + 4 + 9, 0x7F)) == segment_error::out_of_range);
    CHECK(error_of(with_byte(good, time_at + 4 + 7, 0x7F)) == segment_error::out_of_range);
    CHECK(error_of(with_byte(good, time_at + 20 + 7, 0x80)) == segment_error::bad_descriptor);
    CHECK(error_of(with_byte(good, symbol_at + 2, 0)) == segment_error::bad_text);
    CHECK(error_of(with_byte(good, ingest::segment_head_bytes, 0)) != segment_error::bad_count);
    CHECK(error_of(good, "metadata of another") == segment_error::metadata_mismatch);
    CHECK(error_of(with_byte(good, 1, 1)) == segment_error::metadata_mismatch);
}
