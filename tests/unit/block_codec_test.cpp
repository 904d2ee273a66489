#include "ingest/block_codec.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "ingest/activity_hash.h"
#include "ingest/batch.h"
#include "tests/support/records.h"
#include "tests/unit/spool_blocks.h"

using ingest::block;
using ingest::block_codec;
using tests::describe;
using tests::fill_randomly;

namespace {

std::string encoded(const block& from) {
    ingest::byte_buffer out;
    block_codec::encode(from, out);
    return std::string(out.view());
}

// Everything that would be written of it: whatever decode lets through must be safe to commit.
void write_all_of(std::unique_ptr<block> from) {
    ingest::activity_hasher hasher;
    ingest::batch rows;
    rows.add(std::move(from));
    rows.prepare();
    rows.number_events(1, hasher);
    CHECK(rows.tick_stream().empty() == rows.ticks().empty());
}

}  // namespace

TEST_CASE("a block comes back as it was", "[block_codec]") {
    block back;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        block original;
        fill_randomly(original, random, seed % 50 == 0 ? ingest::limits::block_rows_max : 40);
        const std::string bytes = encoded(original);
        // `back` still holds the block before.
        REQUIRE(block_codec::decode(bytes, back));
        REQUIRE(describe(back) == describe(original));
        REQUIRE(encoded(back) == bytes);
    }
}

TEST_CASE("numbers at the ends of their columns come back", "[block_codec]") {
    block original;
    const std::uint16_t from = tickd::test::add_origin(original, "feed", 1, 0);
    ingest::record row;
    row.symbol = "X";
    for (const ingest::int128 price :
         {ingest::price_limit - 1, 1 - ingest::price_limit, ingest::int128{-1}}) {
        row.bid = row.ask = row.mid = price;
        row.volume = ingest::volume_limit - 1;
        original.keep(row, "raw", 1, from);
    }
    block back;
    REQUIRE(block_codec::decode(encoded(original), back));
    REQUIRE(back.ticks().size() == 3);
    CHECK(back.ticks()[0].bid == ingest::price_limit - 1);
    CHECK(back.ticks()[1].ask == 1 - ingest::price_limit);
    CHECK(back.ticks()[2].mid == -1);
    CHECK(back.ticks()[0].volume == ingest::volume_limit - 1);
}

TEST_CASE("an empty block, and one with nothing but an origin, come back", "[block_codec]") {
    block original, back;
    tickd::test::keep_tick(back, tickd::test::add_origin(back, "feed", 1, 0), 1);
    REQUIRE(block_codec::decode(encoded(original), back));
    CHECK(back.empty());
    (void)tickd::test::add_origin(original, "feed", 1, 7);
    REQUIRE(block_codec::decode(encoded(original), back));
    CHECK(describe(back) == describe(original));
    CHECK(back.origins()[0].expected_seq == 7);
}

TEST_CASE("a row that the server refused comes back as a dead letter alone", "[block_codec]") {
    block original, back;
    const std::uint16_t from = tickd::test::add_origin(original, "feed", 1, 0);
    for (std::uint64_t seq = 1; seq <= 3; ++seq) tickd::test::keep_tick(original, from, seq);
    tickd::test::keep_event(original, from, 4);
    original.refuse_tick(1, "22003", 5);
    original.refuse_event(0, "22P02", 6);
    REQUIRE(block_codec::decode(encoded(original), back));
    CHECK(describe(back) == describe(original));
    CHECK(back.ticks().size() == 2);
    CHECK(back.events().empty());
    REQUIRE(back.dead_letters().size() == 2);
    CHECK(std::string_view(back.dead_letters()[0].sqlstate.data(), 5) == "22003");
    CHECK(back.text(back.dead_letters()[1].raw) == "line 4");
    CHECK(back.dead_letters()[1].reason == ingest::verdict::refused_by_server);
}

TEST_CASE("a lost producer stays lost", "[block_codec]") {
    block original, back;
    const std::uint16_t lost = tickd::test::add_origin(original, "feed-a", 1, 0);
    const std::uint16_t kept = tickd::test::add_origin(original, "feed-b", 2, 0);
    tickd::test::keep_tick(original, lost, 1);
    tickd::test::keep_tick(original, kept, 1);
    original.drop_producer("feed-a");
    REQUIRE(block_codec::decode(encoded(original), back));
    CHECK(back.origins()[0].lost);
    CHECK_FALSE(back.origins()[1].lost);
    REQUIRE(back.ticks().size() == 1);
    CHECK(back.ticks()[0].origin == kept);
}

TEST_CASE("a block that was cut anywhere is refused", "[block_codec]") {
    std::mt19937_64 random(1);
    block original, back;
    fill_randomly(original, random, 20);
    REQUIRE(original.row_count() > 0);
    const std::string bytes = encoded(original);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        // A copy of its own, so that reading behind it is noticed.
        const auto cut = std::make_unique<char[]>(length);
        std::memcpy(cut.get(), bytes.data(), length);
        REQUIRE_FALSE(block_codec::decode({cut.get(), length}, back));
        REQUIRE(back.empty());
    }
    CHECK_FALSE(block_codec::decode(bytes + '\0', back));
    CHECK(block_codec::decode(bytes, back));
}

TEST_CASE("flipped bits are refused or give a block that is safe to write", "[block_codec]") {
    std::mt19937_64 random(2);
    std::size_t refused = 0;
    for (int round = 0; round < 3000; ++round) {
        CAPTURE(round);
        block original;
        fill_randomly(original, random, 12);
        std::string bytes = encoded(original);
        for (auto flips = 1 + random() % 4; flips > 0; --flips) {
            const std::size_t at = random() % bytes.size();
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
        }
        auto back = std::make_unique<block>();
        if (!block_codec::decode(bytes, *back)) {
            ++refused;
            REQUIRE(back->empty());
            continue;
        }
        // Nothing was passed over: what it holds is what the bytes say.
        REQUIRE(encoded(*back) == bytes);
        REQUIRE_FALSE(describe(*back).empty());
        write_all_of(std::move(back));
    }
    CHECK(refused > 100);
}

TEST_CASE("random bytes are refused", "[block_codec]") {
    std::mt19937_64 random(3);
    block back;
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 400, ' ');
        for (char& c : bytes) c = static_cast<char>(random());
        // With a version that is known, so that the rest is looked at.
        if (bytes.size() >= 2) bytes.replace(0, 2, {1, 0});
        CAPTURE(round);
        REQUIRE_FALSE(block_codec::decode(bytes, back));
        REQUIRE(back.empty());
    }
}

TEST_CASE("a version that is not known is refused", "[block_codec]") {
    block original, back;
    (void)tickd::test::add_origin(original, "feed", 1, 0);
    std::string bytes = encoded(original);
    ++bytes[0];
    CHECK_FALSE(block_codec::decode(bytes, back));
}
