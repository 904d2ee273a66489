// One connection. Lives on its lane's session thread and nowhere else; owns its socket.
//
// It is short because it only drives: bytes go to its frame buffer, lines to the lane's intake,
// and what it is owed comes back from settled blocks. Writing never holds up reading: acks
// coalesce into the newest one, rejects are bounded, and a peer that does not read them is told
// so and closed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "daemon/serve/intake.h"
#include "daemon/serve/session_limits.h"
#include "daemon/serve/wire.h"
#include "ingest/byte_buffer.h"
#include "ingest/frame_buffer.h"
#include "ingest/hello.h"
#include "ingest/session_messages.h"

namespace tickd {

class lane;

class session : public std::enable_shared_from_this<session> {
public:
    session(lane& home, wire socket, record_source source, ingest::ack_level acks,
            std::size_t line_bytes_max);

    [[nodiscard]] std::uint64_t id() const noexcept { return source_.session_id; }
    [[nodiscard]] record_source& source() noexcept { return source_; }
    [[nodiscard]] bool acked() const noexcept { return source_.feed != nullptr; }
    [[nodiscard]] ingest::ack_level acks() const noexcept { return acks_; }

    // Before it runs.
    void hold_to(session_limits limits) { limits_ = std::move(limits); }
    // Bytes that were read before the session came to its lane.
    void give(std::string_view bytes);
    // Reads until the peer or the lane ends it, then waits until what it is owed has been sent.
    boost::asio::awaitable<void> run();

    // --- from the lane ---

    // Says whether the session's credential is still good. Null: it is for life.
    void depends_on(std::function<bool()> still_good) { still_good_ = std::move(still_good); }
    // Ends the session if it is not.
    void recheck_credential();
    void welcome(std::uint64_t resume_after, std::size_t line_bytes_max);
    // Lines of so many bytes are in the database or in the spool.
    void kept(std::uint64_t bytes) noexcept { source_.bytes_in_flight -= bytes; }
    // A record is dead-lettered, and that is committed.
    void reject(std::uint64_t seq, ingest::verdict why, std::string_view field);
    // Everything up to `seq` is settled.
    void settled(std::uint64_t seq);
    // Says why and closes as soon as that is written.
    void close_with(ingest::session_error why, std::string_view detail);
    // Takes what has arrived already, reads no more. The peer of an acked session is told.
    void drain();

private:
    [[nodiscard]] bool take_lines(std::int64_t now_us);
    boost::asio::awaitable<void> obey_limits();
    void watch_idleness();
    boost::asio::awaitable<void> read_to_end();
    boost::asio::awaitable<void> take_last_line(bool broken);
    boost::asio::awaitable<void> write_replies();
    void wake_writer();
    [[nodiscard]] bool everything_settled() const noexcept;

    lane& lane_;
    wire socket_;
    record_source source_;
    std::function<bool()> still_good_;
    session_limits limits_;
    ingest::ack_level acks_;
    ingest::frame_buffer frames_;

    boost::asio::cancellation_signal read_cancel_;  // ends a read that waits for its peer
    boost::asio::steady_timer reply_signal_;        // cancelled when there is something to write
    boost::asio::steady_timer farewell_;            // for a peer that does not read its last lines
    boost::asio::steady_timer pace_, idle_;
    std::uint64_t lines_taken_ = 0, bytes_taken_ = 0;  // since limits were last asked
    std::size_t read_bytes_max_ = SIZE_MAX;            // less while a limit holds it
    std::int64_t waiting_since_us_ = 0;                // for the peer, monotonic; 0: it does not
    ingest::byte_buffer replies_, writing_;
    std::uint64_t acks_waiting_ = 0, rejects_waiting_ = 0;  // lines in replies_
    std::uint64_t settled_seq_ = 0;
    std::uint64_t acked_seq_ = 0;
    bool welcomed_ = false;
    bool ack_again_ = false;  // a duplicate came: its ack goes out once more
    bool reading_done_ = false;
    bool draining_ = false;
    bool closing_ = false;         // replies_ ends with the last line this peer will see
    std::size_t drain_bytes_ = 0;  // still to take of what had arrived when draining began
};

}  // namespace tickd
