#include "tests/support/writer_bench.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

namespace tickd::test {

using ingest::lane_writer;

writer_bench::writer_bench(std::uint64_t seed, std::uint32_t rows_max, ingest::lane_spool* spool)
    : writer(database, ports(), rows_max, seed, spool) {}

ingest::lane_writer_ports writer_bench::ports() {
    return {
        .take = [this]() -> std::unique_ptr<ingest::block> {
            if (ring.empty()) return nullptr;
            auto taken = std::move(ring.front());
            ring.pop_front();
            return taken;
        },
        .settled =
            [this](std::unique_ptr<ingest::block> done) { settled.push_back(std::move(done)); },
        .next_request = [this]() -> std::optional<ingest::watermark_request> {
            if (requests.empty()) return std::nullopt;
            ingest::watermark_request next{
                .producer = requests.front(),
                .wants_committed = wants_committed,
                .answer = [this](ingest::resume_point from) {
                    answers.push_back(wants_committed ? from.committed.value() : from.kept);
                }};
            requests.pop_front();
            return next;
        },
        .unix_now_us = [] { return std::int64_t{1'700'000'000'000'000}; },
        .failed =
            [this](ingest::failure_action action, const ingest::database_error& error) {
                failures.emplace_back(action, error.sqlstate);
            },
        .connected = [](std::int64_t) {},
        .spooled =
            [this](std::unique_ptr<ingest::block> done) { spooled.push_back(std::move(done)); },
        .replayed =
            [this](const ingest::block& done) {
                const ingest::origin& from = done.origins()[0];
                replayed.push_back(from.producer == 0 ? 0 : from.newest_seq);
            },
        .starved = [this] { return starved; },
        .stopping = [this] { return stopping; },
        .monotonic_us = [this] { return now_us; },
    };
}

void writer_bench::push(std::uint64_t rows, std::string_view symbol) {
    auto filling = std::make_unique<ingest::block>();
    const std::uint16_t from = add_origin(*filling, "feed-a", 1, newest_seq, ++blocks_pushed);
    for (std::uint64_t i = 0; i < rows; ++i) {
        keep_tick(*filling, from, ++newest_seq, i == 0 ? symbol : "EURUSD");
    }
    ring.push_back(std::move(filling));
}

void writer_bench::push_plain(std::uint64_t seq) {
    auto filling = std::make_unique<ingest::block>();
    keep_tick(*filling, add_origin(*filling, {}, 0, 0, ++blocks_pushed), seq);
    ring.push_back(std::move(filling));
}

void writer_bench::ask_watermark() { requests.emplace_back("feed-a"); }

lane_writer::doing writer_bench::run(int steps_max) {
    for (int i = 0; i < steps_max; ++i) {
        const lane_writer::doing now = step();
        if (now == lane_writer::doing::idle || now == lane_writer::doing::fenced) return now;
        if (now == lane_writer::doing::waiting) {
            REQUIRE(writer.retry_at_us() > now_us);
            waits_us.push_back(writer.retry_at_us() - now_us);
            now_us = writer.retry_at_us();
        }
    }
    FAIL("the writer does not come to rest");
    return lane_writer::doing::fenced;
}

std::vector<std::uint64_t> writer_bench::kept_seqs(known_row::table in) const {
    std::vector<std::uint64_t> seqs;
    for (const known_row& row : database.kept) {
        if (row.in == in) seqs.push_back(row.seq);
    }
    std::ranges::sort(seqs);
    return seqs;
}

std::vector<std::uint64_t> writer_bench::kept_seqs() const {
    std::vector<std::uint64_t> seqs;
    for (const known_row& row : database.kept) seqs.push_back(row.seq);
    std::ranges::sort(seqs);
    return seqs;
}

bool writer_bench::settled_in_order() const {
    for (std::size_t i = 0; i < settled.size(); ++i) {
        if (settled[i]->origins()[0].session_id != i + 1) return false;
    }
    return settled.size() <= blocks_pushed;
}

ingest::database_error error_of(std::string_view sqlstate) {
    return {.sqlstate = std::string(sqlstate), .message = "scripted", .subject = {}};
}

void check_all_delivered(const writer_bench& on) {
    std::vector<std::uint64_t> all(on.newest_seq);
    std::iota(all.begin(), all.end(), 1);
    CHECK(on.kept_seqs() == all);
    CHECK(on.settled.size() == on.blocks_pushed);
    CHECK(on.settled_in_order());
    CHECK_FALSE(on.writer.holds_rows());
    CHECK(on.database.calls_without_link == 0);
}

}  // namespace tickd::test
