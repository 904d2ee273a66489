#include "ingest/block_ring.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/records.h"

using ingest::block;
using ingest::block_ring;
using tickd::test::add_origin;
using tickd::test::keep_tick;

namespace {

constexpr std::uint32_t blocks_max = ingest::limits::blocks_per_lane;

// A full block weighs half a megabyte, most of it untouched.
std::unique_ptr<block> block_of(std::uint64_t serial) {
    auto made = std::make_unique<block>();
    add_origin(*made, {}, 0, 0, serial);
    return made;
}

std::uint64_t serial_of(const block& in) { return in.origins()[0].session_id; }

}  // namespace

TEST_CASE("a ring gives blocks back in the order they came", "[block_ring]") {
    block_ring ring;
    CHECK(ring.try_pop() == nullptr);
    CHECK(ring.waiting() == 0);
    std::uint64_t pushed = 0, popped = 0;
    // Wraps around the ring's end more than once.
    for (std::uint32_t round = 0; round < blocks_max; ++round) {
        for (int i = 0; i < 3; ++i) {
            auto next = block_of(pushed++);
            REQUIRE(ring.try_push(next));
            REQUIRE(next == nullptr);
        }
        REQUIRE(ring.waiting() == 3);
        for (int i = 0; i < 3; ++i) REQUIRE(serial_of(*ring.try_pop()) == popped++);
    }
    CHECK(ring.try_pop() == nullptr);
}

TEST_CASE("the block that comes out is the block that went in", "[block_ring]") {
    block_ring ring;
    auto one = block_of(1);
    const block* const address = one.get();
    REQUIRE(ring.try_push(one));
    CHECK(ring.try_pop().get() == address);
}

TEST_CASE("a full ring leaves the block with the caller", "[block_ring]") {
    block_ring ring;
    for (std::uint64_t i = 0; i < blocks_max; ++i) {
        auto next = block_of(i);
        REQUIRE(ring.try_push(next));
    }
    CHECK(ring.waiting() == blocks_max);
    auto surplus = block_of(blocks_max);
    REQUIRE_FALSE(ring.try_push(surplus));
    REQUIRE(surplus != nullptr);
    CHECK(serial_of(*surplus) == blocks_max);

    CHECK(serial_of(*ring.try_pop()) == 0);
    CHECK(ring.try_push(surplus));
    for (std::uint64_t i = 1; i <= blocks_max; ++i) REQUIRE(serial_of(*ring.try_pop()) == i);
    CHECK(ring.try_pop() == nullptr);
    // What a ring still holds when it ends is freed: the leak checker watches.
    auto left_inside = block_of(0);
    CHECK(ring.try_push(left_inside));
}

// A session thread and a writer thread pass few blocks round and round. Each writes plain memory of
// the block before it lets go of it and reads what the other wrote, so a ring that orders too
// little fails here under ThreadSanitizer, and one that loses or swaps blocks fails anywhere.
TEST_CASE("two threads share blocks without sharing a moment", "[block_ring][thread]") {
    constexpr std::uint64_t trips = 100'000;
    constexpr std::uint32_t pool = 5;
    block_ring to_writer, to_sessions;
    std::atomic<bool> gave_up{false};

    std::uint64_t written = 0, writer_mistakes = 0;
    std::thread writer([&] {
        while (written < trips && !gave_up.load()) {
            auto taken = to_writer.try_pop();
            if (!taken) {
                std::this_thread::yield();
                continue;
            }
            const ingest::tick_row& row = taken->ticks()[0];
            if (row.seq != written + 1 ||
                taken->text(row.raw) != "line " + std::to_string(row.seq)) {
                ++writer_mistakes;
            }
            taken->refuse_tick(0, "22003", static_cast<std::int64_t>(row.seq));
            ++written;
            if (!to_sessions.try_push(taken)) ++writer_mistakes;
        }
    });

    std::vector<std::unique_ptr<block>> spare;
    for (std::uint32_t i = 0; i < pool; ++i) spare.push_back(std::make_unique<block>());
    std::uint64_t sent = 0, settled = 0, session_mistakes = 0;
    while (settled < trips && session_mistakes == 0) {
        if (sent < trips && !spare.empty()) {
            auto filling = std::move(spare.back());
            spare.pop_back();
            keep_tick(*filling, add_origin(*filling, {}, 0, 0), ++sent);
            if (!to_writer.try_push(filling)) ++session_mistakes;
        }
        auto done = to_sessions.try_pop();
        if (!done) {
            std::this_thread::yield();
            continue;
        }
        ++settled;
        if (done->dead_letters().size() != 1 || done->dead_letters()[0].seq != settled ||
            done->dead_letters()[0].received_us != static_cast<std::int64_t>(settled) ||
            done->origins()[0].dead_lettered != 1) {
            ++session_mistakes;
        }
        done->reset();
        spare.push_back(std::move(done));
    }
    gave_up.store(true);
    writer.join();
    CHECK(session_mistakes == 0);
    CHECK(writer_mistakes == 0);
    CHECK(written == trips);
    CHECK(spare.size() == pool);
}
