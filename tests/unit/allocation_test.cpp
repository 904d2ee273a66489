// No allocation per record: what a lane has once handled, it handles again in the same memory.
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <format>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/batch.h"
#include "ingest/frame_buffer.h"
#include "ingest/record_parser.h"
#include "tests/support/writer_bench.h"
#include "tests/unit/allocation_count.h"

using tickd::test::allocations_of_this_thread;
using tickd::test::largest_allocation_of_this_thread;

namespace {

constexpr std::int64_t now_us = 1'723'161'255'000'000;
constexpr int records = 20'000;

// Usual ticks, ticks for the longer way, late ones, events, and lines to refuse.
[[nodiscard]] std::string mixed_lines() {
    std::string lines;
    for (int i = 0; i < records; ++i) {
        const std::string symbol = std::format("SYMBOL{}", i * 7'919 % 300);
        switch (i % 5) {
            case 0:
                lines += std::format(
                    R"({{"action_type":"a","action_payload":{{"b":{},"a":"\u00e4"}}}})", i);
                break;
            case 1: lines += std::format(R"({{"symbol":"{}","bid":"x","ask":2}})", symbol); break;
            case 2:
                lines +=
                    std::format(R"({{"symbol":"{}\u0041","bid":1,"ask":2,"venue":"é"}})", symbol);
                break;
            default:
                lines += std::format(
                    R"({{"type":"tick","time":{},"symbol":"{}","bid":1.5,"ask":2,"metadata":{{"size":{},"n":1}}}})",
                    1'723'161'254'000 + i - i % 7 * 100, symbol, i);
        }
        lines += '\n';
    }
    return lines;
}

// One lane's path over all lines, in blocks and a batch that are used again.
struct lane_path {
    ingest::frame_buffer frames;
    ingest::record_parser parser{ingest::limits::line_bytes_default};
    ingest::record_rules rules;
    ingest::record record;
    std::vector<std::unique_ptr<ingest::block>> spare, full;
    ingest::batch batch;
    ingest::activity_hasher hasher;

    void take(const ingest::frame& line) {
        if (!full.back()->has_room()) next_block();
        const ingest::refusal why = parser.parse(line.line, rules, {}, now_us, record);
        if (why.accepted()) {
            full.back()->keep(record, line.line, now_us, 0);
        } else {
            full.back()->keep_refused(why, 0, line.line, line.length, now_us, 0);
        }
    }
    void next_block() {
        full.push_back(std::move(spare.back()));
        spare.pop_back();
        full.back()->reset();
        static_cast<void>(full.back()->add_origin({.session_id = 1}));
    }
    void receive(std::string_view lines) {
        next_block();
        while (!lines.empty()) {
            const auto room = frames.room();
            const std::size_t part = std::min(room.size(), lines.size());
            std::memcpy(room.data(), lines.data(), part);
            frames.received(part);
            lines.remove_prefix(part);
            while (const auto line = frames.next()) take(*line);
        }
    }
    void commit() {
        for (auto& each : full) batch.add(std::move(each));
        full.clear();
        batch.prepare();
        batch.number_events(1, hasher);
        for (auto& each : batch.release()) spare.push_back(std::move(each));
    }
};

}  // namespace

TEST_CASE("a record costs no allocation once the lane is warm", "[allocation]") {
    const std::string lines = mixed_lines();
    lane_path lane;
    for (std::size_t i = 0; i < 16; ++i) lane.spare.push_back(std::make_unique<ingest::block>());
    lane.full.reserve(16);
    // Until every block has held every kind of row: they take turns.
    for (int round = 0; round < 8; ++round) {
        lane.receive(lines);
        lane.commit();
    }
    const std::uint64_t before = allocations_of_this_thread();
    lane.receive(lines);
    const std::uint64_t received = allocations_of_this_thread();
    lane.commit();
    const std::uint64_t committed = allocations_of_this_thread();
    CHECK(before > 0);
    CHECK(received - before == 0);
    // A batch's list of blocks, which grows by doubling: for each batch, not for each record.
    CHECK(committed - received <= 8);
}

// Given anew, a megabyte for each small batch cost more than a millisecond of its latency.
TEST_CASE("a batch that is settled leaves its memory to the next", "[allocation]") {
    tickd::test::writer_bench on;
    const auto commit = [&] {
        on.push(100);
        static_cast<void>(largest_allocation_of_this_thread());
        CHECK(on.run() == ingest::lane_writer::doing::idle);
        return largest_allocation_of_this_thread();
    };
    constexpr std::size_t large = 256UL * 1024;
    CHECK(commit() > large);
    // The writer has two, which take turns.
    static_cast<void>(commit());
    CHECK(commit() < large);
    CHECK(commit() < large);
}
