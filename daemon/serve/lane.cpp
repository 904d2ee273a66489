#include "daemon/serve/lane.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <format>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/clock.h"
#include "daemon/serve/thread_name.h"
#include "ingest/producer_key.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

// Producers that nobody feeds any more are forgotten beyond this many: their watermark is in the
// database, so forgetting costs one look-up when they return.
constexpr std::size_t feeds_kept_max = 65'536;

// A session thread waits for nothing: it comes round many times a second. The writer does so while
// it waits for a commit, too, but not while it connects: four hosts, and as many statements that
// the server answers at the last moment, are less than eight times both limits.
constexpr std::int64_t session_patience_us = 30'000'000;
constexpr std::int64_t writer_calls = 8;

}  // namespace

lane::lane(std::uint32_t number, const config& settings,
           std::unique_ptr<ingest::lane_database> database, std::unique_ptr<file_spool> spool,
           producer_registry& producers)
    : number_(number),
      line_bytes_max_(settings.records.line_bytes),
      batch_rows_max_(settings.batch.rows_max),
      write_segments_(settings.segments.write),
      writer_patience_us_(writer_calls *
                          std::chrono::microseconds(settings.database.connect_timeout +
                                                    settings.database.stall_limit)
                              .count()),
      producers_(producers),
      stays_open_(asio::make_work_guard(io_)),
      change_(io_, asio::steady_timer::time_point::max()),
      intake_(to_writer_, writer_signal_, counters_, timings_, ingest::limits::blocks_per_lane,
              line_bytes_max_),
      database_(std::move(database)),
      spool_(std::move(spool)) {
    if (spool_) add(counters_.spool_records_found, spool_->recovery().rows);
}

lane::~lane() {
    if (session_thread_.joinable() || writer_thread_.joinable()) end();
}

void lane::start() {
    session_alive_us_.store(monotonic_us());
    alive();
    writer_thread_ = std::thread([this] { write_batches(); });
    session_thread_ = std::thread([this] {
        name_this_thread("lane", number_);
        io_.run();
    });
}

void lane::poke() {
    asio::post(io_, [this] { session_alive_us_.store(monotonic_us(), std::memory_order_relaxed); });
    writer_signal_.wake();
}

std::string lane::stuck() const {
    if (ended_.load()) return {};
    const std::int64_t now_us = monotonic_us();
    const auto silent = [&](std::string_view which, const std::atomic<std::int64_t>& alive_us,
                            std::int64_t patience_us) -> std::string {
        const std::int64_t silent_us = now_us - alive_us.load(std::memory_order_relaxed);
        if (silent_us <= patience_us) return {};
        return std::format("lane {}: its {} thread has not come round for {} s", number_, which,
                           silent_us / 1'000'000);
    };
    const std::string session = silent("session", session_alive_us_, session_patience_us);
    return session.empty() ? silent("writer", writer_alive_us_, writer_patience_us_) : session;
}

void lane::adopt(incoming connection) {
    // std::function must be copyable and an incoming is not cheap to copy: shared, then moved from.
    auto held = std::make_shared<incoming>(std::move(connection));
    asio::post(io_, [this, held] { open_session(std::move(*held)); });
}

void lane::replace_rules(std::vector<listener_rules> all) {
    asio::post(io_, [this, all = std::move(all)] {
        // What a block says of an origin is said once: records under new rules go into a new one.
        intake_.flush();
        for (const auto& [id, open] : sessions_) {
            record_source& source = open->source();
            const auto found = std::ranges::find(all, source.listener, &listener_rules::listener);
            if (found == all.end()) continue;
            ingest::record_rules rules = found->rules;
            if (source.own_tenant) {
                rules.tenant = source.rules.tenant;
                rules.tenant_from_payload = source.rules.tenant_from_payload;
            }
            source.rules = rules;
            if (!source.own_source) source.default_source = found->default_source;
        }
    });
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
    auto acks = acked ? connection.hello->ack : ingest::ack_level::none;
    // Without a spool the stronger promise is the only one there is to give.
    if (acks == ingest::ack_level::spooled && !spool_) acks = ingest::ack_level::committed;
    if (acked) {
        connection.source.feed = feed_named(
            ingest::producer_key(connection.hello->producer, connection.source.rules.tenant));
        if (!connection.hello->source.empty()) {
            connection.source.default_source = connection.hello->source;
            connection.source.own_source = true;
        }
    }
    auto newcomer =
        std::make_shared<session>(*this, wire(std::move(socket), std::move(connection.tls)),
                                  std::move(connection.source), acks, line_bytes_max_);
    newcomer->hold_to(std::move(connection.limits));
    newcomer->depends_on(std::move(connection.still_good));
    add(counters_.bytes_received, connection.first_bytes.size());
    newcomer->give(connection.first_bytes);
    sessions_.emplace(id, newcomer);
    newcomer->recheck_credential();  // It may have been revoked on the way from the door.
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
    const bool spooled = newcomer->acks() == ingest::ack_level::spooled;
    if (co_await learn_watermark(feed, id, !spooled)) {
        newcomer->welcome(spooled ? feed->kept_seq : feed->settled_seq, line_bytes_max_);
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
                                            std::uint64_t session_id, bool wants_committed) {
    const auto known = [&] {
        return feed->watermark_known && (feed->committed_known || !wants_committed);
    };
    if (!known() && feed->session_id == session_id) {
        {
            const std::scoped_lock lock(requests_mutex_);
            requests_.push_back({.producer = feed->name,
                                 .wants_committed = wants_committed,
                                 .answer = [this, feed](ingest::resume_point from) {
                                     asio::post(io_, [this, feed, from] { learn(*feed, from); });
                                 }});
        }
        writer_signal_.wake();
    }
    while (feed->session_id == session_id && !known() && !draining_) co_await until_change();
    co_return feed->session_id == session_id&& known();
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
    feed->counted = producers_.of(name);
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

void lane::recheck_credentials() {
    asio::post(io_, [this] {
        for (const auto& [id, open] : sessions_) open->recheck_credential();
    });
}

void lane::drain() {
    asio::post(io_, [this] { begin_drain(); });
}

void lane::begin_drain() {
    draining_ = true;
    stopping_.store(true);
    writer_signal_.wake();
    // Ending sessions change the map: go by a copy.
    std::vector<std::shared_ptr<session>> all;
    all.reserve(sessions_.size());
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

std::uint64_t lane::uncommitted_records() const noexcept { return records_in_flight(counters_); }

void lane::end() {
    end_now_.store(true);
    database_->give_up();
    writer_signal_.wake();
    if (writer_thread_.joinable()) writer_thread_.join();
    io_.stop();
    if (session_thread_.joinable()) session_thread_.join();
}

}  // namespace tickd
