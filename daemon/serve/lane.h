// A lane: one session thread, one ring each way, one writer thread, one database connection.
//
//     session thread (io_)                    writer thread
//     sessions -> intake ==to_writer_==> lane_writer -> database
//        ^------ collect <==to_sessions_======'
//
// Everything but adopt, drain, the counters and the questions about its end belongs to the session
// thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "daemon/clock.h"
#include "daemon/config/config.h"
#include "daemon/serve/counters.h"
#include "daemon/serve/intake.h"
#include "daemon/serve/producer_figures.h"
#include "daemon/serve/session.h"
#include "daemon/serve/wake_signal.h"
#include "daemon/spool/file_spool.h"
#include "ingest/hello.h"
#include "ingest/lane_database.h"
#include "ingest/lane_writer.h"

namespace tickd {

// A connection on its way from the door to its lane.
struct incoming {
    int socket = -1;                     // owned
    int family = 0;                      // AF_INET, AF_INET6 or AF_UNIX
    record_source source;                // without its feed
    tls_session tls;                     // on the socket; null: none
    std::string first_bytes;             // read at the door, without the hello
    std::optional<ingest::hello> hello;  // none: a plain session
    std::shared_ptr<void> place;         // counts it against its listener's limit while it lives
    session_limits limits;
    std::function<bool()> still_good;  // whether its credential is; null: for life. Any thread
};

// What a reload changes for the sessions of a listener.
struct listener_rules {
    std::string listener;        // its name
    std::string default_source;  // empty: none
    ingest::record_rules rules;
};

class lane {
public:
    // `spool`: null when there is none. `producers` outlives the lane.
    lane(std::uint32_t number, const config& settings,
         std::unique_ptr<ingest::lane_database> database, std::unique_ptr<file_spool> spool,
         producer_registry& producers);
    ~lane();
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    void start();

    // --- any thread ---

    void adopt(incoming connection);
    // Ends the sessions whose credential is not good any more.
    void recheck_credentials();
    // From the next record on these hold for the sessions of the listeners named.
    void replace_rules(std::vector<listener_rules> all);
    // Takes in what has arrived, tells the sessions, commits everything, then ends.
    void drain();
    // True once the lane has ended by itself: after drain, or because a newer holder has it.
    [[nodiscard]] bool ended() const noexcept { return ended_.load(); }
    [[nodiscard]] bool fenced() const noexcept { return fenced_.load(); }
    // Ends the threads where they are: what is neither committed nor spooled by then is given up.
    void end();
    // Received, and neither committed nor in the spool.
    [[nodiscard]] std::uint64_t uncommitted_records() const noexcept;
    [[nodiscard]] bool has_spool() const noexcept { return spool_ != nullptr; }
    [[nodiscard]] lane_counters& counters() noexcept { return counters_; }
    [[nodiscard]] const lane_timings& timings() const noexcept { return timings_; }
    [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

    // Asks both threads for a sign of life. Call it once a second; an idle lane notices a broken
    // connection by it, too.
    void poke();
    // Which of its threads has given none for longer than anything it does can take, and since
    // when; empty: neither, or the lane has ended. To wait for an absent database is no fault.
    [[nodiscard]] std::string stuck() const;

    // --- session thread: for sessions ---

    [[nodiscard]] intake& records() noexcept { return intake_; }
    // Waits until something has changed: a block came home, a watermark is known, a session ended.
    boost::asio::awaitable<void> until_change();
    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }

private:
    void open_session(incoming connection);
    boost::asio::awaitable<void> plain_session(std::shared_ptr<session> newcomer,
                                               std::shared_ptr<void> place);
    boost::asio::awaitable<void> acked_session(std::shared_ptr<session> newcomer,
                                               std::shared_ptr<void> place);
    boost::asio::awaitable<bool> learn_watermark(std::shared_ptr<producer> feed,
                                                 std::uint64_t session_id, bool wants_committed);
    std::shared_ptr<producer> feed_named(const std::string& name);
    void end_session(session& gone);
    // What a block that comes home says of its rows.
    enum class home : std::uint8_t { committed, spooled };
    struct late_receipt;
    void collect();
    void settle(const ingest::block& done, home how);
    void settle_origin(const ingest::block& done, const ingest::origin& from, home how);
    void settle_late(const std::vector<late_receipt>& receipts);
    static void count_settled(producer& feed, std::uint64_t committed, std::uint64_t dead_lettered);
    void tell(const producer& feed);
    void learn(producer& feed, const ingest::resume_point& from);
    void changed();
    void begin_drain();
    void finish_when_empty();

    void count_commit(const ingest::block& done, std::int64_t now_us);
    void alive() noexcept { writer_alive_us_.store(monotonic_us(), std::memory_order_relaxed); }

    void write_batches();
    [[nodiscard]] ingest::lane_writer_ports writer_ports();
    void export_counts(const ingest::lane_writer& writer);
    void tell_replayed(const ingest::block& done);
    void say_of_spool(bool backlog);

    const std::uint32_t number_;
    const std::size_t line_bytes_max_;
    const std::uint32_t batch_rows_max_;
    const bool write_segments_;
    const std::int64_t writer_patience_us_;
    producer_registry& producers_;
    lane_counters counters_;
    lane_timings timings_;
    std::atomic<std::int64_t> session_alive_us_{0}, writer_alive_us_{0};  // monotonic
    ingest::lane_writer* writer_ = nullptr;                               // the writer's own

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stays_open_;
    boost::asio::steady_timer change_;
    std::unordered_map<std::uint64_t, std::shared_ptr<session>> sessions_;
    std::map<std::string, std::shared_ptr<producer>> feeds_;
    std::uint32_t next_feed_number_ = 1;
    bool draining_ = false;

    ingest::block_ring to_writer_, to_sessions_, spooled_home_;
    wake_signal writer_signal_;
    intake intake_;

    std::unique_ptr<ingest::lane_database> database_;
    std::unique_ptr<file_spool> spool_;  // the writer's, once it runs
    bool spooling_ = false;              // the writer's
    std::mutex requests_mutex_;
    std::deque<ingest::watermark_request> requests_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> no_more_blocks_{false};
    std::atomic<bool> end_now_{false};
    std::atomic<bool> fenced_{false};
    std::atomic<bool> ended_{false};

    std::thread session_thread_, writer_thread_;
};

}  // namespace tickd
