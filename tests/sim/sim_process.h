// One daemon with one lane: the real intake and the real writer, and between them and the
// producers a model of the lane's sessions, without sockets or threads. What its two threads do
// comes in an order that chance decides, one thing at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/serve/counters.h"
#include "daemon/serve/intake.h"
#include "daemon/serve/lane_counting.h"
#include "daemon/serve/producer_figures.h"
#include "daemon/serve/wake_signal.h"
#include "ingest/block_ring.h"
#include "ingest/lane_writer.h"
#include "tests/sim/sim_link.h"
#include "tests/support/memory_spool.h"

namespace tickd::test {

struct sim_reply {
    enum class what : std::uint8_t { welcome, ack, reject, closed };
    what is;
    std::uint64_t seq = 0;
};

// One connection. The producer holds one end of it, the process the other.
struct sim_session {
    enum class stage : std::uint8_t { waits_for_older, asks, welcomed, closed };
    std::uint64_t id = 0;
    std::uint64_t older = 0;  // the session it supersedes; 0: none
    stage at = stage::waits_for_older;
    bool spooled = false;  // content with the spool
    bool hung_up = false;  // by the producer; what it sent may still arrive
    record_source source;
    std::deque<std::string> lines;  // on their way to the process
    std::deque<sim_reply> replies;  // on their way to the producer
};

class sim_process {
public:
    // `told`: a producer is told that everything up to a seq is settled; true: in the database.
    // `disk`: of its lane's spool; null: it has none.
    sim_process(sim_database& database, sim_random& random, const sim_odds& odds,
                sim_counts& counts, const bool& faults_on, std::uint64_t number, std::uint32_t lane,
                spool_disk* disk, const std::int64_t& clock_us,
                std::function<void(const std::string&, std::uint64_t, bool)> told);
    // The process dies: its ends of all connections close, its blocks are gone.
    ~sim_process();
    sim_process(const sim_process&) = delete;
    sim_process& operator=(const sim_process&) = delete;

    [[nodiscard]] std::shared_ptr<sim_session> connect(const std::string& producer, bool spooled);
    // A session without a hello: it is told nothing.
    [[nodiscard]] std::shared_ptr<sim_session> connect_plain();
    // One thing that the session thread may do now.
    void session_thread();
    // One thing that the writer thread may do now. True: it took a step.
    bool writer_thread(std::int64_t now_us);

    [[nodiscard]] bool dead() const noexcept { return fenced_ || link_.killed; }
    [[nodiscard]] bool fenced() const noexcept { return fenced_; }
    [[nodiscard]] std::int64_t retry_at_us() const noexcept { return writer_.retry_at_us(); }
    [[nodiscard]] bool at_rest();
    // What a daemon does that ends before it has committed everything.
    void rescue() { writer_.rescue(); }

private:
    [[nodiscard]] ingest::lane_writer_ports ports();
    void check_counts();
    void look_after(sim_session& one);
    void read_line(sim_session& from);
    void close(sim_session& one);
    void forget_closed();
    void collect();
    void settle(const ingest::block& done, bool committed);
    void settle_origin(const ingest::block& done, const ingest::origin& from, bool committed);
    void settle_late(const ingest::block& done);
    void tell_settled(const producer& feed);
    void check_plain_rows(const ingest::block& done);
    void hear_watermarks();
    [[nodiscard]] std::shared_ptr<sim_session> new_session();
    void tell(sim_session& whom, sim_reply::what is, const producer& feed);

    sim_database& database_;
    sim_random& random_;
    sim_counts& counts_;
    std::function<void(const std::string&, std::uint64_t, bool)> told_;
    const std::int64_t& clock_us_;
    const bool& faults_on_;
    bool stopping_ = false;
    std::uint64_t next_session_ = 1;
    std::uint32_t next_feed_ = 1;
    std::map<std::string, std::shared_ptr<producer>> feeds_;
    std::map<std::uint64_t, std::shared_ptr<sim_session>> sessions_;
    std::deque<std::pair<std::shared_ptr<producer>, bool>> requests_;  // true: wants committed
    std::deque<std::pair<std::shared_ptr<producer>, ingest::resume_point>> answers_;
    std::deque<const ingest::block*> taken_;  // by the writer, not yet settled

    lane_counters counters_;
    lane_timings timings_;
    producer_registry registry_;
    wake_signal signal_;
    ingest::block_ring to_writer_, to_sessions_, spooled_home_;
    intake intake_;
    sim_link link_;
    std::optional<memory_spool> spool_;
    ingest::lane_writer writer_;
    bool fenced_ = false;
};

}  // namespace tickd::test
