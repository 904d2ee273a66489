#include "bench/activity/event_files.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <format>
#include <functional>
#include <stdexcept>

#include "bench/load/copy_files.h"
#include "ingest/activity_hash.h"
#include "ingest/block.h"
#include "ingest/copy_encode.h"
#include "ingest/record_parser.h"
#include "ingest/verdict.h"
#include "tests/support/real_data.h"

namespace bench {

namespace {

using line_use = std::function<void(std::string_view)>;

// When the rows were received, as far as the baseline is concerned.
constexpr std::int64_t received_us = 1'723'161'600'000'000;

// The fields of a COPY BINARY tuple begin behind its count; each is a length and its bytes.
constexpr std::size_t count_bytes = 2, length_bytes = 4, hash_bytes = 64;

std::size_t skip_fields(std::string_view tuple, std::size_t at, int fields) {
    while (fields-- > 0) {
        std::uint32_t big_endian = 0;
        std::memcpy(&big_endian, tuple.data() + at, sizeof big_endian);
        const auto length = static_cast<std::int32_t>(std::byteswap(big_endian));
        at += length_bytes + (length > 0 ? static_cast<std::size_t>(length) : 0);
    }
    return at;
}

// Without tenant_id, the last but one, which the mission's table lacks and which is NULL here.
std::string without_tenant(std::string_view tuple) {
    std::string shorter =
        without_last_null(tuple.substr(0, tuple.size() - length_bytes - hash_bytes));
    return shorter.append(tuple.substr(tuple.size() - length_bytes - hash_bytes));
}

// Fields 3 to 8 as a tuple of their own: event_check_columns.
std::string checked_fields(std::string_view tuple) {
    const std::size_t begin = skip_fields(tuple, count_bytes, 2);
    const std::size_t end = skip_fields(tuple, begin, 6);
    return std::string("\0\6", 2).append(tuple.substr(begin, end - begin));
}

void each_recorded(const event_workload& of, std::uint64_t rows, const line_use& use) {
    std::vector<std::string> texts;
    for (const auto& path : of.recorded) texts.push_back(tickd::test::gunzip(path));
    std::uint64_t seq = 0;
    std::string numbered;
    while (seq < rows) {
        const std::uint64_t before = seq;
        for (const std::string& text : texts) {
            for (const std::string_view line : tickd::test::lines_of(text)) {
                if (seq == rows) return;
                numbered.assign(R"({"seq":)").append(std::to_string(++seq)).append(",");
                use(numbered.append(line.substr(1)).append("\n"));
            }
        }
        if (seq == before) throw std::runtime_error(of.name + ": the recordings hold no event");
    }
}

// Decisions of some 20 agents, about 300 bytes each.
void each_made_up(std::uint64_t rows, const line_use& use) {
    constexpr std::array actions{"decision", "order.placed", "order.refused", "risk.checked"};
    for (std::uint64_t seq = 1; seq <= rows; ++seq) {
        const std::uint64_t dice = seq * 0x9E37'79B9'7F4A'7C15;
        use(std::format(
            R"({{"seq":{},"type":"activity","timestamp":"2024-08-08T{:02}:{:02}:{:02}.{:06}Z",)"
            R"("agent_id":"agent-{:02}","action_type":"{}","action_payload":{{"order":{},)"
            R"("symbol":"SYM{:05}","side":"{}","quantity":{},"limit":{}.{:02},"reason":)"
            R"("momentum above threshold in 3 of 4 windows","score":0.{:04}}},)"
            R"("session_id":"00000000-0000-4000-8000-{:012x}","metadata":{{"step":{}}}}})"
            "\n",
            seq, seq / 36'000'000 % 24, seq / 600'000 % 60, seq / 10'000 % 60, seq % 10'000 * 100,
            dice % 20, actions.at((dice >> 20U) % actions.size()), seq, dice % 500,
            dice % 2 == 0 ? "buy" : "sell", dice % 1'000 + 1, dice % 1'000, dice % 100,
            dice % 10'000, seq / 50, seq % 50));
    }
}

}  // namespace

std::vector<event_workload> event_workloads() {
    std::vector<event_workload> all;
    event_workload recorded{.name = "recorded",
                            .description = "an agent's decisions and a host's audit trail",
                            .recorded = tickd::test::find_real_files().events};
    std::ranges::sort(recorded.recorded);
    if (!recorded.recorded.empty()) all.push_back(std::move(recorded));
    all.push_back({.name = "synthetic", .description = "decisions of 20 agents"});
    return all;
}

event_files make_event_files(const event_workload& of, std::uint64_t rows,
                             const std::filesystem::path& folder) {
    event_files files{.lines = folder / "events.ndjson",
                      .rows_with_hash = folder / "events.copy",
                      .expected = {}};
    output_file lines(files.lines);
    copy_file tuples(files.rows_with_hash);
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::activity_hasher hasher;
    ingest::block kept;
    ingest::byte_buffer tuple;
    std::string padded;
    const line_use take = [&](std::string_view line) {
        lines.write(line);
        padded.assign(line).append(ingest::line_padding_bytes, ' ');
        const std::string_view bare(padded.data(), line.size() - 1);
        ingest::record record;
        const ingest::refusal refused = parser.parse(bare, {}, {}, received_us, record);
        // All of them are older than that.
        if (!refused.accepted() || record.kind != ingest::record_kind::activity) {
            throw std::runtime_error("not an event that tickd takes: " + std::string(bare));
        }
        kept.reset();
        static_cast<void>(kept.add_origin({.session_id = 1}));
        kept.keep(record, bare, received_us, 0);
        tuple.clear();
        static_cast<void>(ingest::append_event(
            kept, kept.events().back(), static_cast<std::int64_t>(++files.rows), hasher, tuple));
        tuples.write(without_tenant(tuple.view()));
        files.expected.add(checked_fields(tuple.view()));
        files.line_bytes += line.size();
    };
    if (of.recorded.empty()) {
        each_made_up(rows, take);
    } else {
        each_recorded(of, rows, take);
    }
    lines.close();
    tuples.close();
    return files;
}

}  // namespace bench
