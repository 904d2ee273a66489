// A lane's writer thread: drives the lane_writer, and says in the log what it meets.
#include <boost/asio/post.hpp>

#include <algorithm>
#include <random>
#include <utility>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/serve/lane.h"
#include "daemon/serve/lane_counting.h"
#include "daemon/serve/thread_name.h"

namespace tickd {

namespace asio = boost::asio;

ingest::lane_writer_ports lane::writer_ports() {
    return {
        .take =
            [this] {
                // Asked in every wait for the server: a sign of life.
                alive();
                auto next = to_writer_.try_pop();
                if (next) {
                    add(counters_.blocks_taken, 1);
                    timings_.ring.record(unix_now_us() - next->sealed_us());
                }
                return next;
            },
        .settled =
            [this](std::unique_ptr<ingest::block> done) {
                count_commit(*done, unix_now_us());
                count_home(*done, counters_);
                static_cast<void>(to_sessions_.try_push(done));
            },
        .next_request = [this]() -> std::optional<ingest::watermark_request> {
            const std::scoped_lock lock(requests_mutex_);
            if (requests_.empty()) return std::nullopt;
            auto next = std::move(requests_.front());
            requests_.pop_front();
            return next;
        },
        .unix_now_us = [] { return unix_now_us(); },
        .failed =
            [this](ingest::failure_action action, const ingest::database_error& error) {
                counters_.failures_by_state.count(error.sqlstate);
                spdlog::warn("lane {}: {} {}: {}", number_,
                             error.sqlstate.empty() ? "no answer" : error.sqlstate, error.message,
                             to_string(action));
            },
        .connected =
            [this](std::int64_t epoch) {
                counters_.connected.store(true);
                spdlog::info("lane {}: connected, epoch {}", number_, epoch);
            },
        .spooled =
            [this](std::unique_ptr<ingest::block> done) {
                count_home(*done, counters_);
                export_counts(*writer_);
                static_cast<void>(spooled_home_.try_push(done));
                // A commit that stalls does not return to write_batches: sessions must hear now.
                asio::post(io_, [this] { collect(); });
            },
        .replayed =
            [this](const ingest::block& done) {
                count_commit(done, unix_now_us());
                tell_replayed(done);
            },
        .starved = [this] { return intake_.starved(); },
        .stopping = [this] { return stopping_.load(); },
        .monotonic_us = [] { return monotonic_us(); },
        .took =
            [this](ingest::writer_stage stage, std::int64_t took_us, std::uint32_t rows) {
                if (stage == ingest::writer_stage::prepare) {
                    timings_.prepare.record(took_us);
                } else {
                    timings_.commit.record(took_us);
                    timings_.batch_rows.record(rows);
                }
            },
    };
}

// The block's rows are committed, wherever it goes then.
void lane::count_commit(const ingest::block& done, std::int64_t now_us) {
    counters_.committed_at_us.store(now_us, std::memory_order_relaxed);
    if (done.oldest_us() == 0) return;
    timings_.block_age.record(now_us - done.oldest_us());
    std::uint64_t rows = 0;
    for (const ingest::origin& from : done.origins()) {
        if (!from.lost) rows += from.accepted + from.dead_lettered;
    }
    timings_.record_age.record(now_us - done.oldest_us(), rows);
}

void lane::write_batches() {
    using doing = ingest::lane_writer::doing;
    name_this_thread("writer", number_);
    ingest::lane_writer writer(*database_, writer_ports(), batch_rows_max_, std::random_device{}(),
                               spool_.get());
    if (!write_segments_) writer.leave_out_segments();
    writer_ = &writer;
    const auto all_is_kept = [&] {
        return no_more_blocks_.load() && to_writer_.waiting() == 0 &&
               !writer.holds_rows_in_memory();
    };
    while (!end_now_.load()) {
        alive();
        const doing now = writer.step(monotonic_us());
        export_counts(writer);
        say_of_spool(writer.has_backlog());
        if (now == doing::fenced) {
            fenced_.store(true);
            break;
        }
        // What is in the spool stays there until the next start.
        if (writer.has_backlog() && all_is_kept()) break;
        // Records in a block that is being filled wait for nobody while the spool takes them.
        if (writer.takes_blocks()) {
            writer_signal_.hunger();
            asio::post(io_, [this] { intake_.offer(); });
        }
        if (now == doing::worked) {
            asio::post(io_, [this] { collect(); });
        } else if (now == doing::waiting) {
            const std::int64_t wait_us = writer.wake_at_us() - monotonic_us();
            writer_signal_.sleep(std::chrono::microseconds(std::max<std::int64_t>(wait_us, 0)));
        } else if (all_is_kept()) {
            break;
        } else {
            // Whatever lies half filled is wanted now; see intake::offer for the other half.
            writer_signal_.hunger();
            asio::post(io_, [this] { intake_.offer(); });
            if (to_writer_.waiting() == 0) writer_signal_.sleep(std::nullopt);
        }
    }
    writer.rescue();
    export_counts(writer);
    writer_ = nullptr;
    database_->disconnect();
    ended_.store(true);
}

void lane::say_of_spool(bool backlog) {
    if (std::exchange(spooling_, backlog) == backlog) return;
    if (backlog) {
        spdlog::warn("lane {}: blocks go to the spool", number_);
    } else {
        spdlog::info("lane {}: the spool is empty again: everything in it is committed", number_);
    }
}

void lane::export_counts(const ingest::lane_writer& writer) {
    copy_counts(writer, counters_);
    if (spool_) counters_.spool_bytes.store(spool_->bytes(), std::memory_order_relaxed);
}

}  // namespace tickd
