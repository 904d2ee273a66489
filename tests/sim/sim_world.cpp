#include "tests/sim/sim_world.h"

#include <algorithm>
#include <format>
#include <iterator>

namespace tickd::test {

namespace {

constexpr std::size_t processes_max = 3;
constexpr int things_max = 1500;
// Far more than a run without faults ever takes: what is not at rest by then never will be.
constexpr int rounds_max = 5000;
constexpr std::size_t lines_on_the_way_max = 6;
// Few enough that processes come into each other's way, enough that they also live side by side.
constexpr std::uint32_t lanes = 3;

// With the room behind it that the parser wants.
[[nodiscard]] std::string line_of(std::string_view feed, const sim_record& record) {
    // What is sent without a hello needs no sequence.
    const std::string seq = is_plain(feed) ? "" : std::format(R"(,"seq":{})", record.seq);
    std::string line;
    switch (record.is) {
        case sim_record::what::tick:
        case sim_record::what::poison_tick:
            line = std::format(R"({{"symbol":"{}","bid":{},"ask":"1","source":"{}"{}}})",
                               record.usable() ? "EURUSD" : poison, record.seq, feed, seq);
            break;
        case sim_record::what::event:
        case sim_record::what::poison_event:
            line = std::format(R"({{"action_type":"{}","action_payload":{},"agent_id":"{}"{}}})",
                               record.usable() ? "decision" : poison, record.seq, feed, seq);
            break;
        case sim_record::what::refused_tick:
            line = std::format(R"({{"symbol":"EURUSD","bid":0.123456789,"ask":1{}}})", seq);
            break;
    }
    return line + std::string(ingest::line_padding_bytes, '\0');
}

}  // namespace

sim_world::sim_world(std::uint64_t seed, sim_counts& counts)
    : counts_(counts), random_(seed), odds_(random_), database_(random_, counts) {
    disks_.resize(lanes);
    for (std::uint32_t i = 0; i < lanes; ++i) {
        disks_[i].name = uuid_of(static_cast<std::uint8_t>(i + 1));
        disks_[i].entries_max = 1 + static_cast<std::size_t>(random_.below(40));
    }
    make_feeds();
}

void sim_world::make_feeds() {
    plain_.name = std::format("{}0", plain_prefix);
    feeds_.resize(1 + static_cast<std::size_t>(random_.below(4)));
    for (std::size_t i = 0; i < feeds_.size(); ++i) {
        sim_feed& feed = feeds_[i];
        feed.name = std::format("feed-{}", i);
        feed.spooled = random_.coin();
        feed.trusts_welcome = random_.below(4) != 0;
        std::uint64_t seq = random_.below(3);
        for (std::uint64_t left = 5 + random_.below(30); left != 0; --left) {
            seq += random_.below(10) == 0 ? 2 + random_.below(50) : 1;
            const auto is =
                random_.chance(odds_.bad_record) ? 2 + random_.below(3) : random_.below(2);
            feed.records.push_back({seq, static_cast<sim_record::what>(is)});
        }
        counts_.records += feed.records.size();
    }
}

// A spool that waits is somebody's first.
spool_disk* sim_world::free_disk(std::uint32_t lane) {
    return disks_[lane].in_use ? nullptr : &disks_[lane];
}

void sim_world::start_process() {
    auto lane = static_cast<std::uint32_t>(random_.below(lanes));
    spool_disk* disk = random_.below(4) == 0 ? nullptr : free_disk(lane);
    if (!faults_on_) {
        for (std::uint32_t i = 0; i < lanes; ++i) {
            if (disks_[i].entries.empty() || disks_[i].in_use) continue;
            lane = i;
            disk = &disks_[i];
        }
    }
    processes_.emplace_back(
        database_, random_, odds_, counts_, faults_on_, next_process_++, lane, disk, now_us_,
        [this](const std::string& name, std::uint64_t seq, bool committed) {
            // A producer content with spools may have records in another daemon's: looked at last.
            const sim_feed& feed = *std::ranges::find(feeds_, name, &sim_feed::name);
            if (committed && !feed.spooled) hear_settled(name, seq);
        });
}

// A process dies, its disk stays; with the machine's power goes what was not synced.
void sim_world::end_process(std::list<sim_process>::iterator which) {
    const bool power = random_.below(3) == 0;
    counts_.machine_crashes += power;
    std::vector<spool_disk*> held;
    for (spool_disk& each : disks_) {
        if (each.in_use) held.push_back(&each);
    }
    processes_.erase(which);
    for (spool_disk* each : held) {
        if (power && !each->in_use) each->lose_power();
    }
}

void sim_world::hear_settled(const std::string& name, std::uint64_t seq) {
    sim_feed& feed = *std::ranges::find(feeds_, name, &sim_feed::name);
    for (; feed.checked < feed.records.size(); ++feed.checked) {
        const sim_record& record = feed.records[feed.checked];
        if (record.seq > seq) break;
        const auto [rows, dead_letters, moved] = database_.copies_of(name, record.seq);
        // What was acked as spooled here when somebody else spoke for the producer is kept too, for
        // people to look at.
        if (feed.spooled && rows == 0 && dead_letters == 0 && moved != 0) continue;
        if (rows != (record.usable() ? 1 : 0) || dead_letters != (record.usable() ? 0 : 1)) {
            database_.breach(std::format("{} {} is said to be settled: {} rows, {} dead letters",
                                         name, record.seq, rows, dead_letters));
        }
    }
}

void sim_world::act(sim_feed& feed) {
    if (!feed.session) {
        if (processes_.empty()) return;
        feed.session = any_process().connect(feed.name, feed.spooled);
        feed.welcomed = false;
        return;
    }
    if (faults_on_ && random_.chance(odds_.hang_up)) {
        feed.session->hung_up = true;
        feed.session.reset();
        return;
    }
    if (!feed.session->replies.empty() && random_.coin()) return read_reply(feed);
    send(feed);
}

sim_process& sim_world::any_process() {
    return *std::next(processes_.begin(),
                      static_cast<std::ptrdiff_t>(random_.below(processes_.size())));
}

void sim_world::act(sim_plain_feed& feed) {
    if (feed.session && feed.session->at == sim_session::stage::closed) feed.session.reset();
    if (!feed.session) {
        if (!processes_.empty()) feed.session = any_process().connect_plain();
    } else if (random_.chance(odds_.hang_up)) {
        feed.session->hung_up = true;
        feed.session.reset();
    } else if (feed.session->lines.size() < lines_on_the_way_max) {
        const auto is = random_.coin() ? sim_record::what::tick : sim_record::what::event;
        feed.session->lines.push_back(line_of(feed.name, {++feed.sent, is}));
    }
}

void sim_world::read_reply(sim_feed& feed) {
    const sim_reply reply = feed.session->replies.front();
    feed.session->replies.pop_front();
    const auto settle_up_to = [&feed](std::uint64_t seq) {
        while (feed.acked < feed.records.size() && feed.records[feed.acked].seq <= seq) {
            ++feed.acked;
        }
    };
    switch (reply.is) {
        case sim_reply::what::welcome:
            if (feed.trusts_welcome) settle_up_to(reply.seq);
            feed.next = feed.acked;
            feed.welcomed = true;
            break;
        case sim_reply::what::ack: settle_up_to(reply.seq); break;
        case sim_reply::what::reject: {
            const auto about = std::ranges::find(feed.records, reply.seq, &sim_record::seq);
            if (about == feed.records.end() || about->usable()) {
                database_.breach(std::format("{} {} is rejected", feed.name, reply.seq));
            }
            break;
        }
        case sim_reply::what::closed: feed.session.reset(); break;
    }
}

void sim_world::send(sim_feed& feed) {
    if (!feed.welcomed || feed.next == feed.records.size()) return;
    if (feed.session->at == sim_session::stage::closed) return;
    if (feed.session->lines.size() >= lines_on_the_way_max) return;
    feed.session->lines.push_back(line_of(feed.name, feed.records[feed.next++]));
}

void sim_world::one_thing() {
    now_us_ += static_cast<std::int64_t>(random_.below(2'000));
    if (random_.below(100) == 0) now_us_ += static_cast<std::int64_t>(random_.below(10'000'000));
    if (random_.below(50) == 0) database_.decide_one();
    if (processes_.empty() || (processes_.size() < processes_max && random_.chance(odds_.start))) {
        start_process();
    }
    if (random_.chance(odds_.crash)) {
        ++counts_.crashes;
        end_process(std::next(processes_.begin(),
                              static_cast<std::ptrdiff_t>(random_.below(processes_.size()))));
        return;
    }
    sim_process& process = any_process();
    // The database goes away for a while, and time passes with it.
    if (random_.chance(odds_.away)) now_us_ += 600'000;
    const auto feed = static_cast<std::size_t>(random_.below(feeds_.size() + 1));
    switch (random_.below(4)) {
        case 0: process.writer_thread(now_us_); break;
        case 1: feed == feeds_.size() ? act(plain_) : act(feeds_[feed]); break;
        default: process.session_thread(); break;
    }
    bury_the_dead();
}

void sim_world::bury_the_dead() {
    for (auto each = processes_.begin(); each != processes_.end();) {
        const auto next = std::next(each);
        if (each->dead()) {
            counts_.crashes += !each->fenced();
            if (each->fenced() && random_.coin()) each->rescue();
            end_process(each);
        }
        each = next;
    }
}

bool sim_world::at_rest() {
    bool resting = true;
    for (const sim_feed& feed : feeds_) resting = resting && feed.acked == feed.records.size();
    for (sim_process& process : processes_) resting = process.at_rest() && resting;
    for (const spool_disk& disk : disks_) {
        if (disk.in_use) continue;  // its process has said so
        const bool left =
            !disk.entries.empty() && disk.entries.back().number > database_.spools[disk.name];
        resting = resting && !left;
    }
    return resting;
}

void sim_world::come_to_rest() {
    faults_on_ = false;
    for (int round = 0; round < rounds_max && database_.problem.empty(); ++round) {
        if (at_rest()) return;
        const bool waits = std::ranges::any_of(
            disks_, [](const spool_disk& disk) { return !disk.in_use && !disk.entries.empty(); });
        if (processes_.empty() || (waits && round % 50 == 0)) start_process();
        database_.decide_one();
        for (sim_feed& feed : feeds_) act(feed);
        for (sim_process& process : processes_) {
            for (int i = 0; i < 8; ++i) process.session_thread();
            if (!process.writer_thread(now_us_)) now_us_ = std::max(now_us_, process.retry_at_us());
        }
        bury_the_dead();
    }
    database_.breach("does not come to rest");
}

void sim_world::check_everything() {
    for (const sim_feed& feed : feeds_) {
        if (feed.acked != feed.records.size()) database_.breach(feed.name + " lacks acks");
        hear_settled(feed.name, feed.records.back().seq);
        if (database_.watermark(feed.name) != feed.records.back().seq) {
            database_.breach(feed.name + ": the watermark is not the newest record");
        }
    }
}

std::string sim_world::run() {
    const auto things = 100 + random_.below(things_max);
    for (std::uint64_t i = 0; i < things && database_.problem.empty(); ++i) one_thing();
    come_to_rest();
    if (database_.problem.empty()) check_everything();
    return database_.problem;
}

}  // namespace tickd::test
