#include "daemon/serve/lane.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/serve/thread_name.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

// Producers that nobody feeds any more are forgotten beyond this many: their watermark is in the
// database, so forgetting costs one look-up when they return.
constexpr std::size_t feeds_kept_max = 65'536;

}  // namespace

lane::lane(std::uint32_t number, const config& settings,
           std::unique_ptr<ingest::lane_database> database)
    : number_(number),
      line_bytes_max_(settings.records.line_bytes),
      batch_rows_max_(settings.batch.rows_max),
      stays_open_(asio::make_work_guard(io_)),
      change_(io_, asio::steady_timer::time_point::max()),
      intake_(to_writer_, writer_signal_, counters_, ingest::limits::blocks_per_lane,
              line_bytes_max_),
      database_(std::move(database)) {}

lane::~lane() {
    if (session_thread_.joinable() || writer_thread_.joinable()) end();
}

void lane::start() {
    writer_thread_ = std::thread([this] { write_batches(); });
    session_thread_ = std::thread([this] {
        name_this_thread("lane", number_);
        io_.run();
    });
}

void lane::adopt(incoming connection) {
    // std::function must be copyable and an incoming is not cheap to copy: shared, then moved from.
    auto held = std::make_shared<incoming>(std::move(connection));
    asio::post(io_, [this, held] { open_session(std::move(*held)); });
}

void lane::open_session(incoming connection) {
    stream_socket socket(io_);
    boost::system::error_code failed;
    socket.assign(asio::generic::stream_protocol(connection.family, 0), connection.socket, failed);
    if (failed) {
        ::close(connection.socket);
        return;
    }
    add(counters_.sessions_opened, 1);
    const std::uint64_t id = connection.source.session_id;
    const bool acked = connection.hello.has_value();
    const auto acks = acked ? connection.hello->ack : ingest::ack_level::none;
    if (acked) {
        connection.source.feed = feed_named(connection.hello->producer);
        if (!connection.hello->source.empty()) {
            connection.source.default_source = connection.hello->source;
        }
    }
    auto newcomer = std::make_shared<session>(*this, std::move(socket),
                                              std::move(connection.source), acks, line_bytes_max_);
    newcomer->give(connection.first_bytes);
    sessions_.emplace(id, newcomer);
    auto place = std::move(connection.place);
    if (acked) {
        asio::co_spawn(io_, acked_session(newcomer, place), asio::detached);
    } else {
        asio::co_spawn(io_, plain_session(newcomer, place), asio::detached);
    }
}

asio::awaitable<void> lane::plain_session(std::shared_ptr<session> newcomer,
                                          std::shared_ptr<void> /*place*/) {
    if (draining_) newcomer->drain();
    co_await newcomer->run();
    end_session(*newcomer);
}

// A producer has one session. The newer one wins: the older is told, its blocks settle, and only
// then is the newer welcomed, so what it is told to resume after is the truth.
asio::awaitable<void> lane::acked_session(std::shared_ptr<session> newcomer,
                                          std::shared_ptr<void> /*place*/) {
    const std::shared_ptr<producer> feed = newcomer->source().feed;
    const std::uint64_t id = newcomer->id();
    const std::uint64_t older = std::exchange(feed->session_id, id);
    if (const auto found = sessions_.find(older); found != sessions_.end()) {
        found->second->close_with(ingest::session_error::superseded,
                                  "a newer session of this producer has begun");
    }
    while (feed->session_id == id && (feed->blocks_in_flight != 0 || sessions_.contains(older))) {
        intake_.flush();
        co_await until_change();
    }
    if (co_await learn_watermark(feed, id)) {
        newcomer->welcome(feed->settled_seq, line_bytes_max_);
    } else if (draining_) {
        newcomer->close_with(ingest::session_error::shutting_down, "before the session began");
    }
    if (draining_) newcomer->drain();
    co_await newcomer->run();
    if (feed->session_id == id) feed->session_id = 0;
    end_session(*newcomer);
}

// False: the session has been superseded, or the lane drains, before the watermark was known.
asio::awaitable<bool> lane::learn_watermark(std::shared_ptr<producer> feed,
                                            std::uint64_t session_id) {
    if (!feed->watermark_known && feed->session_id == session_id) {
        {
            const std::scoped_lock lock(requests_mutex_);
            requests_.push_back({feed->name, [this, feed](std::uint64_t watermark) {
                                     asio::post(io_, [this, feed, watermark] {
                                         // Asked twice when a session was superseded while it
                                         // waited: the second answer comes when records do.
                                         if (feed->watermark_known) return;
                                         feed->settled_seq = feed->newest_seq = watermark;
                                         feed->watermark_known = true;
                                         changed();
                                     });
                                 }});
        }
        writer_signal_.wake();
    }
    while (feed->session_id == session_id && !feed->watermark_known && !draining_) {
        co_await until_change();
    }
    co_return feed->session_id == session_id && feed->watermark_known;
}

std::shared_ptr<producer> lane::feed_named(const std::string& name) {
    if (const auto known = feeds_.find(name); known != feeds_.end()) return known->second;
    if (feeds_.size() >= feeds_kept_max) {
        std::erase_if(feeds_, [](const auto& entry) {
            return entry.second->session_id == 0 && entry.second->blocks_in_flight == 0;
        });
    }
    auto feed = std::make_shared<producer>();
    feed->name = name;
    feed->number = next_feed_number_++;
    feeds_.emplace(name, feed);
    return feed;
}

void lane::end_session(session& gone) {
    add(counters_.sessions_closed, 1);
    sessions_.erase(gone.id());
    changed();
    finish_when_empty();
}

asio::awaitable<void> lane::until_change() {
    co_await change_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void lane::changed() { change_.cancel(); }

// Settled blocks come home: their sessions hear of it, then the blocks are free again.
void lane::collect() {
    while (auto done = to_sessions_.try_pop()) {
        settle(*done);
        intake_.recycle(std::move(done));
    }
    changed();
    finish_when_empty();
}

void lane::settle(const ingest::block& done) {
    for (const ingest::dead_letter_row& row : done.dead_letters()) {
        const ingest::origin& from = done.origins()[row.origin];
        if (from.producer == 0 || from.lost) continue;
        const auto found = sessions_.find(from.session_id);
        if (found != sessions_.end()) found->second->reject(row.seq, row.reason, row.field);
    }
    for (const ingest::origin& from : done.origins()) {
        if (from.producer == 0) continue;
        const auto feed = feeds_.find(std::string(done.text(from.producer_name)));
        if (feed == feeds_.end()) continue;
        producer& settled = *feed->second;
        --settled.blocks_in_flight;
        const auto found = sessions_.find(from.session_id);
        if (from.lost) {
            settled.watermark_known = false;
            if (found != sessions_.end()) {
                found->second->close_with(ingest::session_error::superseded,
                                          "another daemon has taken this producer");
            }
            continue;
        }
        if (from.newest_seq > settled.settled_seq) settled.settled_seq = from.newest_seq;
        if (found != sessions_.end()) found->second->settled(settled.settled_seq);
    }
}

void lane::drain() {
    asio::post(io_, [this] { begin_drain(); });
}

void lane::begin_drain() {
    draining_ = true;
    // Ending sessions change the map: go by a copy.
    std::vector<std::shared_ptr<session>> all;
    for (const auto& [id, open] : sessions_) all.push_back(open);
    for (const auto& open : all) open->drain();
    intake_.flush();
    changed();
    finish_when_empty();
}

void lane::finish_when_empty() {
    if (!draining_) return;
    intake_.flush();
    if (!sessions_.empty() || !intake_.all_home()) return;
    no_more_blocks_.store(true);
    writer_signal_.wake();
    stays_open_.reset();
}

std::uint64_t lane::uncommitted_records() const noexcept {
    const std::uint64_t taken = read(counters_.records_received);
    const std::uint64_t settled =
        read(counters_.ticks_committed) + read(counters_.events_committed) +
        read(counters_.dead_letters_committed) + read(counters_.records_duplicate);
    return taken > settled ? taken - settled : 0;
}

void lane::end() {
    end_now_.store(true);
    database_->give_up();
    writer_signal_.wake();
    if (writer_thread_.joinable()) writer_thread_.join();
    io_.stop();
    if (session_thread_.joinable()) session_thread_.join();
}

// --- writer thread -------------------------------------------------------------------------------

ingest::lane_writer_ports lane::writer_ports() {
    return {
        .take = [this] { return to_writer_.try_pop(); },
        .settled =
            [this](std::unique_ptr<ingest::block> done) {
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
                counters_.connected.store(false);
                spdlog::warn("lane {}: {} {}: {}", number_,
                             error.sqlstate.empty() ? "no answer" : error.sqlstate, error.message,
                             to_string(action));
            },
        .connected =
            [this](std::int64_t epoch) {
                counters_.connected.store(true);
                spdlog::info("lane {}: connected, epoch {}", number_, epoch);
            },
    };
}

void lane::write_batches() {
    using doing = ingest::lane_writer::doing;
    name_this_thread("writer", number_);
    ingest::lane_writer writer(*database_, writer_ports(), batch_rows_max_, std::random_device{}());
    while (!end_now_.load()) {
        const doing now = writer.step(monotonic_us());
        export_counts(writer);
        if (now == doing::worked) {
            asio::post(io_, [this] { collect(); });
        } else if (now == doing::fenced) {
            fenced_.store(true);
            break;
        } else if (now == doing::waiting) {
            const std::int64_t wait_us = writer.retry_at_us() - monotonic_us();
            writer_signal_.sleep(std::chrono::microseconds(std::max<std::int64_t>(wait_us, 0)));
        } else if (no_more_blocks_.load() && to_writer_.waiting() == 0) {
            break;
        } else {
            // Whatever lies half filled is wanted now; see intake::offer for the other half.
            writer_signal_.hunger();
            asio::post(io_, [this] { intake_.offer(); });
            if (to_writer_.waiting() == 0) writer_signal_.sleep(std::nullopt);
        }
    }
    database_->disconnect();
    ended_.store(true);
}

void lane::export_counts(const ingest::lane_writer& writer) {
    const ingest::lane_writer_counts& counts = writer.counts();
    counters_.batches_committed.store(counts.batches, std::memory_order_relaxed);
    counters_.ticks_committed.store(counts.ticks, std::memory_order_relaxed);
    counters_.events_committed.store(counts.events, std::memory_order_relaxed);
    counters_.dead_letters_committed.store(counts.dead_letters, std::memory_order_relaxed);
    counters_.connects.store(counts.connects, std::memory_order_relaxed);
    counters_.failures.store(counts.failures, std::memory_order_relaxed);
    counters_.in_doubt.store(counts.in_doubt, std::memory_order_relaxed);
}

}  // namespace tickd
