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
    make_feeds();
}

void sim_world::make_feeds() {
    plain_.name = std::format("{}0", plain_prefix);
    feeds_.resize(1 + static_cast<std::size_t>(random_.below(4)));
    for (std::size_t i = 0; i < feeds_.size(); ++i) {
        sim_feed& feed = feeds_[i];
        feed.name = std::format("feed-{}", i);
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

void sim_world::start_process() {
    processes_.emplace_back(
        database_, random_, odds_, counts_, faults_on_, next_process_++,
        [this](const std::string& name, std::uint64_t seq) { hear_settled(name, seq); });
}

void sim_world::hear_settled(const std::string& name, std::uint64_t seq) {
    sim_feed& feed = *std::ranges::find(feeds_, name, &sim_feed::name);
    for (; feed.checked < feed.records.size(); ++feed.checked) {
        const sim_record& record = feed.records[feed.checked];
        if (record.seq > seq) break;
        const auto [rows, dead_letters] = database_.copies_of(name, record.seq);
        if (rows != (record.usable() ? 1 : 0) || dead_letters != (record.usable() ? 0 : 1)) {
            database_.breach(std::format("{} {} is said to be settled: {} rows, {} dead letters",
                                         name, record.seq, rows, dead_letters));
        }
    }
}

void sim_world::act(sim_feed& feed) {
    if (!feed.session) {
        if (processes_.empty()) return;
        feed.session = any_process().connect(feed.name);
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
        processes_.erase(std::next(processes_.begin(),
                                   static_cast<std::ptrdiff_t>(random_.below(processes_.size()))));
        return;
    }
    sim_process& process = any_process();
    const auto feed = static_cast<std::size_t>(random_.below(feeds_.size() + 1));
    switch (random_.below(4)) {
        case 0: process.writer_thread(now_us_); break;
        case 1: feed == feeds_.size() ? act(plain_) : act(feeds_[feed]); break;
        default: process.session_thread(); break;
    }
    bury_the_dead();
}

void sim_world::bury_the_dead() {
    std::erase_if(processes_, [this](const sim_process& process) {
        counts_.crashes += process.dead() && !process.fenced();
        return process.dead();
    });
}

bool sim_world::at_rest() {
    bool resting = true;
    for (const sim_feed& feed : feeds_) resting = resting && feed.acked == feed.records.size();
    for (sim_process& process : processes_) resting = process.at_rest() && resting;
    return resting;
}

void sim_world::come_to_rest() {
    faults_on_ = false;
    for (int round = 0; round < rounds_max && database_.problem.empty(); ++round) {
        if (at_rest()) return;
        if (processes_.empty()) start_process();
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
