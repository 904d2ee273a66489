#include "bench/micro/sample_lines.h"

#include <format>

#include "ingest/limits.h"
#include "ingest/record_parser.h"
#include "ingest/timestamp.h"

namespace bench {

namespace {

constexpr std::size_t lines_made = 16'384;

std::string make_ticks(std::size_t made) {
    std::string lines;
    for (std::size_t i = 0; i < made; ++i) {
        const auto time = ingest::to_rfc3339(sample_now_us + static_cast<std::int64_t>(i) * 100);
        lines += std::format(
            R"({{"type":"tick","time":"{}","symbol":"SYM{:03}","bid":{}.{:05},"ask":{}.{:05},)"
            R"("source":"bench"{}}})"
            "\n",
            time, i * 7919 % 500, 100 + i % 50, i % 100'000, 100 + i % 50, i % 99'999 + 1,
            i % 4 == 0 ? R"(,"metadata":{"bid_size":3.0292,"ask_size":31.4395})" : "");
    }
    return lines;
}

std::string make_events() {
    std::string lines;
    for (std::size_t i = 0; i < lines_made; ++i) {
        lines +=
            std::format(R"({{"type":"activity","agent_id":"agent-{}","action_type":"decision",)"
                        R"("action_payload":{{"step":{},"reason":"{}","score":0.{:04}}}}})"
                        "\n",
                        i % 20, i, std::string(120, 'x'), i % 10'000);
    }
    return lines;
}

}  // namespace

const std::string& tick_lines() {
    static const std::string lines = make_ticks(lines_made);
    return lines;
}

const std::string& full_batch_lines() {
    static const std::string lines = make_ticks(ingest::limits::batch_rows_max);
    return lines;
}

const std::string& event_lines() {
    static const std::string lines = make_events();
    return lines;
}

std::vector<std::unique_ptr<ingest::block>> blocks_of(const std::string& lines) {
    std::vector<std::unique_ptr<ingest::block>> blocks;
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::record record;
    each_frame(lines, frames, [&](const auto& line) {
        if (blocks.empty() || !blocks.back()->has_room()) {
            blocks.push_back(std::make_unique<ingest::block>());
            static_cast<void>(blocks.back()->add_origin({.session_id = 1}));
        }
        if (parser.parse(line.line, {}, {}, sample_now_us, record).accepted()) {
            blocks.back()->keep(record, line.line, sample_now_us, 0);
        }
    });
    return blocks;
}

std::size_t count_lines(std::string_view lines) {
    return static_cast<std::size_t>(std::ranges::count(lines, '\n'));
}

void count(benchmark::State& state, std::size_t records, std::size_t bytes) {
    const auto rounds = static_cast<std::int64_t>(state.iterations());
    state.SetItemsProcessed(rounds * static_cast<std::int64_t>(records));
    state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes));
}

}  // namespace bench
