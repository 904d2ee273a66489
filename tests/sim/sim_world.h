// Producers, up to three processes at once, one database and a clock, all on one thread.
//
// The law, checked whenever a producer is told something and again at the end: everything it was
// told is settled is kept exactly once, as a row or, when nobody can use it, as a dead letter;
// nothing is ever kept twice; and once nothing fails any more, everything settles.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_database.h"
#include "tests/sim/sim_process.h"
#include "tests/sim/sim_random.h"

namespace tickd::test {

struct sim_record {
    enum class what : std::uint8_t { tick, event, poison_tick, poison_event, refused_tick };
    std::uint64_t seq = 0;
    what is = what::tick;
    [[nodiscard]] bool usable() const { return is == what::tick || is == what::event; }
};

// A producer keeps what was not acked and sends it again after each new welcome.
struct sim_feed {
    std::string name;
    bool spooled = false;        // asks for acks of what is in the spool
    bool trusts_welcome = true;  // false: sends everything again that it has no ack for
    std::vector<sim_record> records;
    std::size_t acked = 0;    // records before this one are acked
    std::size_t next = 0;     // the next to send
    std::size_t checked = 0;  // records before this one are known to be kept
    bool welcomed = false;
    std::shared_ptr<sim_session> session;
};

// Sends without a hello, hears nothing and never sends anything twice.
struct sim_plain_feed {
    std::string name;
    std::uint64_t sent = 0;
    std::shared_ptr<sim_session> session;
};

class sim_world {
public:
    sim_world(std::uint64_t seed, sim_counts& counts);

    // The whole run. Empty: the law held; otherwise the first breach.
    [[nodiscard]] std::string run();

private:
    void make_feeds();
    void start_process();
    void one_thing();
    void act(sim_feed& feed);
    void act(sim_plain_feed& feed);
    [[nodiscard]] sim_process& any_process();
    void read_reply(sim_feed& feed);
    void send(sim_feed& feed);
    void hear_settled(const std::string& name, std::uint64_t seq);
    void end_process(std::list<sim_process>::iterator which);
    [[nodiscard]] spool_disk* free_disk(std::uint32_t lane);
    void bury_the_dead();
    void come_to_rest();
    [[nodiscard]] bool at_rest();
    void check_everything();

    sim_counts& counts_;
    sim_random random_;
    sim_odds odds_;
    sim_database database_;
    bool faults_on_ = true;
    std::int64_t now_us_ = 1;
    std::uint64_t next_process_ = 1;
    std::vector<sim_feed> feeds_;
    sim_plain_feed plain_;
    // A machine has one disk, and a spool for each lane on it.
    std::vector<spool_disk> disks_;
    std::list<sim_process> processes_;
};

}  // namespace tickd::test
