#include "daemon/serve/session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstring>

#include "daemon/clock.h"
#include "daemon/serve/lane.h"
#include "ingest/producer_key.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// How long a peer that was told why may take to read it.
constexpr std::chrono::seconds farewell_time{5};

// A session that a limit holds is read in pieces of so much of its rate: in whole buffers, what it
// sends in excess would come in lumps of hundreds of lines, and others' lines wait behind each.
constexpr std::chrono::milliseconds limited_read{10};
constexpr std::size_t limited_read_bytes_min = 512;

}  // namespace

session::session(lane& home, wire socket, record_source source, ingest::ack_level acks,
                 std::size_t line_bytes_max)
    : lane_(home),
      socket_(std::move(socket)),
      source_(std::move(source)),
      acks_(acks),
      frames_(line_bytes_max),
      reply_signal_(home.io(), asio::steady_timer::time_point::max()),
      farewell_(home.io()),
      pace_(home.io()),
      idle_(home.io()) {}

void session::give(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> room = frames_.room();
        const std::size_t part = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), part);
        frames_.received(part);
        bytes.remove_prefix(part);
    }
}

asio::awaitable<void> session::run() {
    using namespace asio::experimental::awaitable_operators;
    if (limits_.idle) watch_idleness();
    if (acked()) {
        co_await (read_to_end() && write_replies());
    } else {
        co_await read_to_end();
    }
    idle_.cancel();
    socket_.close();
}

// A peer that is not read, or that is owed acks, is not idle.
void session::watch_idleness() {
    idle_.expires_after(*limits_.idle);
    idle_.async_wait([self = weak_from_this()](boost::system::error_code cancelled) {
        const auto alive = self.lock();
        if (cancelled || !alive || alive->closing_ || alive->reading_done_) return;
        const bool owed = alive->acked() && !alive->everything_settled();
        const std::int64_t since_us = alive->waiting_since_us_;
        if (since_us == 0 || owed || monotonic_us() - since_us < alive->limits_.idle->count()) {
            alive->watch_idleness();
            return;
        }
        alive->close_with(ingest::session_error::idle_timeout, "nothing was sent for too long");
    });
}

// Waits until the session may be read again.
asio::awaitable<void> session::obey_limits() {
    const auto may_wait = [this] { return !closing_ && !draining_; };
    while (limits_.unacked_bytes && source_.bytes_in_flight > *limits_.unacked_bytes &&
           may_wait()) {
        lane_.records().flush();
        co_await lane_.until_change();
    }
    if (limits_.flows.empty()) co_return;
    const std::int64_t now_us = monotonic_us();
    std::int64_t wait_us = 0;
    for (const auto& each : limits_.flows) {
        wait_us = std::max(wait_us, each->take(lines_taken_, bytes_taken_, now_us));
    }
    const std::size_t line_bytes = bytes_taken_ / std::max<std::uint64_t>(lines_taken_, 1);
    lines_taken_ = bytes_taken_ = 0;
    read_bytes_max_ = SIZE_MAX;
    if (wait_us == 0 || !may_wait()) co_return;
    for (const auto& each : limits_.flows) {
        read_bytes_max_ = std::min(read_bytes_max_, each->bytes_within(limited_read, line_bytes));
    }
    read_bytes_max_ = std::max(read_bytes_max_, limited_read_bytes_min);
    add(lane_.counters().reading_limited, 1);
    pace_.expires_after(std::chrono::microseconds(wait_us));
    co_await pace_.async_wait(asio::bind_cancellation_slot(read_cancel_.slot(), no_throw));
}

// False: there are lines left and no block to keep them in.
bool session::take_lines(std::int64_t now_us) {
    intake& records = lane_.records();
    while (records.has_room()) {
        const auto line = frames_.next();
        if (!line) return true;
        records.take(source_, *line, now_us);
        ++lines_taken_;
        if (acked() && source_.duplicate_seen) {
            source_.duplicate_seen = false;
            ack_again_ = true;
        }
    }
    add(lane_.counters().reading_paused, 1);
    return false;
}

asio::awaitable<void> session::read_to_end() {
    bool broken = false;
    while (!closing_) {
        while (!closing_ && !take_lines(unix_now_us())) co_await lane_.until_change();
        lane_.records().offer();
        if (ack_again_) wake_writer();
        co_await obey_limits();
        if (closing_ || (draining_ && drain_bytes_ == 0)) break;

        std::span<char> room = frames_.room();
        room = room.first(std::min(room.size(), read_bytes_max_));
        // A read that began before draining may end behind its beginning: what it brings was not
        // among the bytes that drain() found.
        const bool counted = draining_;
        if (draining_) room = room.first(std::min<std::size_t>(room.size(), drain_bytes_));
        // What TLS has not decrypted yet cannot be counted: draining takes what is there.
        const bool at_hand = counted && socket_.secure();
        waiting_since_us_ = limits_.idle ? monotonic_us() : 0;
        wire::done got;
        if (at_hand) {
            got = socket_.read_ready(room);
        } else {
            got = co_await socket_.read_some(room, read_cancel_.slot());
        }
        const auto [failed, bytes] = got;
        waiting_since_us_ = 0;
        if (failed == asio::error::operation_aborted) continue;
        if (failed) {
            broken = failed != asio::error::eof;
            break;
        }
        if (at_hand && bytes == 0) break;
        add(lane_.counters().bytes_received, bytes);
        frames_.received(bytes);
        bytes_taken_ += bytes;
        if (counted) drain_bytes_ -= std::min<std::size_t>(drain_bytes_, bytes);
    }
    co_await take_last_line(broken);
    lane_.records().offer();
    reading_done_ = true;
    wake_writer();
}

// An acked producer sends its last line again; from anybody else a line without its newline is a
// record when the stream ended in order, and a dead letter when it broke off.
asio::awaitable<void> session::take_last_line(bool broken) {
    if (acked()) co_return;
    const auto line = frames_.finish();
    if (!line) co_return;
    while (!lane_.records().has_room()) co_await lane_.until_change();
    if (broken || draining_ || closing_) {
        lane_.records().take_unfinished(source_, *line, unix_now_us());
    } else {
        lane_.records().take(source_, *line, unix_now_us());
    }
}

// What is in the spool is settled for those who asked for no more, and for all when tickd stops.
bool session::everything_settled() const noexcept {
    const producer& feed = *source_.feed;
    if (feed.session_id != source_.session_id) return true;
    if (feed.blocks_in_flight != 0) return false;
    return acks_ != ingest::ack_level::committed || draining_ || feed.settled_seq >= feed.kept_seq;
}

asio::awaitable<void> session::write_replies() {
    for (;;) {
        if (acks_ != ingest::ack_level::none && !closing_ &&
            (settled_seq_ > acked_seq_ || std::exchange(ack_again_, false))) {
            acked_seq_ = settled_seq_;
            if (acked_seq_ != 0) {
                ingest::append_ack(acked_seq_, replies_);
                ++acks_waiting_;
            }
        }
        if (replies_.size() == 0) {
            if (closing_ || (reading_done_ && everything_settled())) break;
            co_await reply_signal_.async_wait(no_throw);
            continue;
        }
        std::swap(replies_, writing_);
        const std::uint64_t acks = std::exchange(acks_waiting_, 0);
        const std::uint64_t rejects = std::exchange(rejects_waiting_, 0);
        const auto [failed, bytes] =
            co_await socket_.write_all(std::span(writing_.data(), writing_.size()));
        writing_.clear();
        if (!failed) {
            add(lane_.counters().acks_sent, acks);
            add(lane_.counters().rejects_sent, rejects);
        }
        add(lane_.counters().bytes_sent, bytes);
        if (failed) {
            closing_ = true;
            break;
        }
    }
    farewell_.cancel();
    read_cancel_.emit(asio::cancellation_type::terminal);
    socket_.shutdown_send();
}

void session::wake_writer() { reply_signal_.cancel(); }

void session::recheck_credential() {
    if (!still_good_ || still_good_()) return;
    close_with(ingest::session_error::unauthenticated, "the token is not good any more");
}

void session::welcome(std::uint64_t resume_after, std::size_t line_bytes_max) {
    if (closing_) return;
    settled_seq_ = acked_seq_ = resume_after;
    welcomed_ = true;
    ingest::append_welcome(ingest::producer_name_of(source_.feed->name), resume_after, acks_,
                           line_bytes_max, replies_);
    wake_writer();
}

void session::reject(std::uint64_t seq, ingest::verdict why, std::string_view field) {
    if (acks_ == ingest::ack_level::none || closing_ || !welcomed_) return;
    if (replies_.size() > ingest::limits::reply_bytes_max) {
        close_with(ingest::session_error::rejects_overflow, "rejects are not being read");
        return;
    }
    ingest::append_reject(seq, why, field.empty() ? ingest::explain(why) : field, replies_);
    ++rejects_waiting_;
    wake_writer();
}

void session::settled(std::uint64_t seq) {
    if (welcomed_) settled_seq_ = std::max(settled_seq_, seq);
    wake_writer();
}

void session::close_with(ingest::session_error why, std::string_view detail) {
    if (closing_) return;
    ingest::append_error(why, detail, replies_);
    closing_ = true;
    read_cancel_.emit(asio::cancellation_type::terminal);
    wake_writer();
    farewell_.expires_after(farewell_time);
    farewell_.async_wait([self = weak_from_this()](boost::system::error_code cancelled) {
        if (cancelled) return;
        if (const auto alive = self.lock()) {
            alive->socket_.close();
        }
    });
}

void session::drain() {
    if (draining_) return;
    draining_ = true;
    drain_bytes_ = socket_.available();
    if (acked()) {
        ingest::append_drain(replies_);
        wake_writer();
    }
    read_cancel_.emit(asio::cancellation_type::terminal);
}

}  // namespace tickd
