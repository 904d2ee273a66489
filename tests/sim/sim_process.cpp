#include "tests/sim/sim_process.h"

#include <algorithm>
#include <format>
#include <iterator>

namespace tickd::test {

namespace {

constexpr std::int64_t unix_now_us = 1'700'000'000'000'000;
constexpr std::size_t line_bytes_max = 1024;

}  // namespace

sim_process::sim_process(sim_database& database, sim_random& random, const sim_odds& odds,
                         sim_counts& counts, const bool& faults_on, std::uint64_t number,
                         std::uint32_t lane, spool_disk* disk, const std::int64_t& clock_us,
                         std::function<void(const std::string&, std::uint64_t, bool)> told)
    : database_(database),
      random_(random),
      counts_(counts),
      told_(std::move(told)),
      clock_us_(clock_us),
      faults_on_(faults_on),
      intake_(to_writer_, signal_, counters_, timings_,
              1 + static_cast<std::uint32_t>(random.below(4)), line_bytes_max),
      link_(database, random, odds, counts, faults_on, lane, number),
      spool_(disk == nullptr ? std::nullopt : std::optional<memory_spool>(std::in_place, *disk)),
      writer_(link_, ports(), 1 + static_cast<std::uint32_t>(random.below(8)), random.below(1000),
              spool_ ? &*spool_ : nullptr) {
    link_.during_commit = [this] { session_thread(); };
    if (!spool_) return;
    counts_.spools_found += !spool_->empty();
    spool_->append_fails = [this, &odds] {
        const bool full = faults_on_ && random_.chance(odds.spool_full);
        counts_.spools_full += full;
        return full;
    };
    spool_->sync_fails = [this, &odds] {
        const bool failed = faults_on_ && random_.chance(odds.sync_fails);
        counts_.syncs_failed += failed;
        return failed;
    };
}

sim_process::~sim_process() {
    for (const auto& [id, session] : sessions_) close(*session);
}

ingest::lane_writer_ports sim_process::ports() {
    return {
        .take =
            [this] {
                auto taken = to_writer_.try_pop();
                if (taken) taken_.push_back(taken.get());
                return taken;
            },
        .settled =
            [this](std::unique_ptr<ingest::block> done) {
                if (taken_.empty() || taken_.front() != done.get()) {
                    database_.breach("blocks settle out of order");
                } else {
                    taken_.pop_front();
                }
                count_home(*done, counters_);
                if (!to_sessions_.try_push(done)) database_.breach("more blocks than there are");
            },
        .next_request = [this]() -> std::optional<ingest::watermark_request> {
            if (requests_.empty()) return std::nullopt;
            auto [feed, wants_committed] = std::move(requests_.front());
            requests_.pop_front();
            return ingest::watermark_request{.producer = feed->name,
                                             .wants_committed = wants_committed,
                                             .answer = [this, feed](ingest::resume_point from) {
                                                 answers_.emplace_back(feed, from);
                                             }};
        },
        .unix_now_us = [] { return unix_now_us; },
        .failed = [](ingest::failure_action, const ingest::database_error&) {},
        .connected = [](std::int64_t) {},
        .spooled =
            [this](std::unique_ptr<ingest::block> done) {
                ++counts_.spooled;
                count_home(*done, counters_);
                std::erase(taken_, done.get());
                if (!spooled_home_.try_push(done)) database_.breach("more blocks than there are");
            },
        .replayed =
            [this](const ingest::block& done) {
                ++counts_.replayed;
                settle_late(done);
            },
        .starved = [this] { return intake_.starved(); },
        .stopping = [this] { return stopping_; },
        .monotonic_us = [this] { return clock_us_; },
    };
}

std::shared_ptr<sim_session> sim_process::connect(const std::string& name, bool spooled) {
    std::shared_ptr<producer>& feed = feeds_[name];
    if (!feed) {
        feed = std::make_shared<producer>();
        feed->name = name;
        feed->number = next_feed_++;
        feed->counted = registry_.of(name);
    }
    auto newcomer = new_session();
    newcomer->source.feed = feed;
    newcomer->spooled = spooled && spool_.has_value();
    newcomer->older = std::exchange(feed->session_id, newcomer->id);
    if (const auto older = sessions_.find(newcomer->older); older != sessions_.end()) {
        ++counts_.superseded;
        close(*older->second);
    }
    return newcomer;
}

std::shared_ptr<sim_session> sim_process::connect_plain() {
    auto newcomer = new_session();
    newcomer->at = sim_session::stage::welcomed;
    return newcomer;
}

std::shared_ptr<sim_session> sim_process::new_session() {
    auto newcomer = std::make_shared<sim_session>();
    newcomer->id = next_session_++;
    newcomer->source.session_id = newcomer->id;
    sessions_.emplace(newcomer->id, newcomer);
    return newcomer;
}

void sim_process::close(sim_session& one) {
    if (one.at == sim_session::stage::closed) return;
    one.at = sim_session::stage::closed;
    one.lines.clear();
    one.replies.push_back({sim_reply::what::closed});
    producer* const feed = one.source.feed.get();
    if (feed != nullptr && feed->session_id == one.id) feed->session_id = 0;
}

void sim_process::forget_closed() {
    std::erase_if(sessions_,
                  [](const auto& entry) { return entry.second->at == sim_session::stage::closed; });
}

void sim_process::session_thread() {
    switch (random_.below(8)) {
        case 0: intake_.offer(); break;
        case 1: intake_.flush(); break;
        case 2: collect(); break;
        case 3: hear_watermarks(); break;
        case 4: forget_closed(); break;
        default:
            if (sessions_.empty()) break;
            look_after(*std::next(sessions_.begin(),
                                  static_cast<std::ptrdiff_t>(random_.below(sessions_.size())))
                            ->second);
    }
}

// What a session waits for: the older one's end, its watermark, lines.
void sim_process::look_after(sim_session& one) {
    const auto& feed = one.source.feed;
    switch (one.at) {
        case sim_session::stage::waits_for_older:
            if (feed->session_id != one.id) return close(one);
            intake_.flush();
            if (feed->blocks_in_flight != 0 || sessions_.contains(one.older)) return;
            one.at = sim_session::stage::asks;
            if (!feed->watermark_known || (!one.spooled && !feed->committed_known)) {
                requests_.emplace_back(feed, !one.spooled);
            }
            return;
        case sim_session::stage::asks:
            if (feed->session_id != one.id) return close(one);
            if (!feed->watermark_known || (!one.spooled && !feed->committed_known)) return;
            one.at = sim_session::stage::welcomed;
            return tell(one, sim_reply::what::welcome, *feed);
        case sim_session::stage::welcomed:
            if (!one.lines.empty()) return read_line(one);
            if (one.hung_up) close(one);
            return;
        case sim_session::stage::closed: return;
    }
}

void sim_process::read_line(sim_session& from) {
    if (!intake_.has_room()) return;
    const std::string& padded = from.lines.front();
    const std::string_view line(padded.data(), padded.size() - ingest::line_padding_bytes);
    intake_.take(from.source, {line, line.size(), false}, unix_now_us);
    from.lines.pop_front();
    if (std::exchange(from.source.duplicate_seen, false)) {
        ++counts_.duplicates;
        tell(from, sim_reply::what::ack, *from.source.feed);
    }
}

void sim_process::tell(sim_session& whom, sim_reply::what is, const producer& feed) {
    const std::uint64_t seq = whom.spooled ? feed.kept_seq : feed.settled_seq;
    counts_.acked_from_spool += whom.spooled && feed.kept_seq > feed.settled_seq;
    told_(feed.name, seq, !whom.spooled);
    whom.replies.push_back({is, seq});
}

void sim_process::hear_watermarks() {
    for (const auto& [feed, from] : std::exchange(answers_, {})) {
        // A superseded session's question may be answered late: what is known is newer.
        if (from.committed) {
            feed->settled_seq =
                std::max(feed->committed_known ? feed->settled_seq : 0, *from.committed);
            feed->committed_known = true;
        }
        if (feed->watermark_known) continue;
        feed->kept_seq = feed->newest_seq = from.kept;
        feed->watermark_known = true;
    }
}

void sim_process::collect() {
    while (auto done = spooled_home_.try_pop()) {
        settle(*done, false);
        intake_.recycle(std::move(done));
    }
    while (auto done = to_sessions_.try_pop()) {
        settle(*done, true);
        intake_.recycle(std::move(done));
    }
}

void sim_process::settle(const ingest::block& done, bool committed) {
    if (committed) check_plain_rows(done);
    for (const ingest::dead_letter_row& row : done.dead_letters()) {
        const ingest::origin& from = done.origins()[row.origin];
        if (from.lost) continue;
        const auto session = sessions_.find(from.session_id);
        if (!committed && (session == sessions_.end() || !session->second->spooled)) continue;
        const std::string name(done.text(from.producer_name));
        if (committed && database_.copies_of(name, row.seq).dead_letters != 1) {
            database_.breach(std::format("{} {} is rejected without a dead letter", name, row.seq));
        }
        ++counts_.rejects;
        if (session == sessions_.end()) continue;
        session->second->replies.push_back({sim_reply::what::reject, row.seq});
    }
    for (const ingest::origin& from : done.origins()) {
        if (from.producer != 0) settle_origin(done, from, committed);
    }
}

// What was spooled is committed, by this process or one before it.
void sim_process::settle_late(const ingest::block& done) {
    check_plain_rows(done);
    for (const ingest::origin& from : done.origins()) {
        const auto known = feeds_.find(std::string(done.text(from.producer_name)));
        if (from.producer == 0 || from.lost || known == feeds_.end()) continue;
        producer& feed = *known->second;
        feed.settled_seq = std::max(feed.settled_seq, from.newest_seq);
        feed.kept_seq = std::max(feed.kept_seq, feed.settled_seq);
        tell_settled(feed);
    }
}

void sim_process::tell_settled(const producer& feed) {
    const auto session = sessions_.find(feed.session_id);
    if (session != sessions_.end() && session->second->at == sim_session::stage::welcomed) {
        tell(*session->second, sim_reply::what::ack, feed);
    }
}

void sim_process::settle_origin(const ingest::block& done, const ingest::origin& from,
                                bool committed) {
    producer& feed = *feeds_.at(std::string(done.text(from.producer_name)));
    --feed.blocks_in_flight;
    if (from.lost) {
        feed.watermark_known = feed.committed_known = false;
        const auto session = sessions_.find(from.session_id);
        if (session != sessions_.end()) close(*session->second);
        return;
    }
    feed.kept_seq = std::max(feed.kept_seq, from.newest_seq);
    if (committed) feed.settled_seq = std::max(feed.settled_seq, from.newest_seq);
    tell_settled(feed);
}

// Nobody sends a plain session's records again: once taken in by a process that lives, they are
// kept.
void sim_process::check_plain_rows(const ingest::block& done) {
    const auto check = [this](std::string_view feed, std::uint64_t seq) {
        if (!is_plain(feed) || database_.copies_of(std::string(feed), seq).rows == 1) return;
        database_.breach(std::format("{} {} has settled and is not there", feed, seq));
    };
    for (const ingest::tick_row& row : done.ticks()) {
        check(done.text(row.source), static_cast<std::uint64_t>(row.bid / ingest::decimal_one));
    }
    for (const ingest::activity_row& row : done.events()) {
        check(done.text(row.agent_id), std::stoull(std::string(done.text(row.action_payload))));
    }
}

bool sim_process::writer_thread(std::int64_t now_us) {
    using doing = ingest::lane_writer::doing;
    const doing now = writer_.step(now_us);
    check_counts();
    if (now == doing::fenced) {
        ++counts_.fenced;
        fenced_ = true;
    }
    if (now == doing::idle || writer_.takes_blocks()) signal_.hunger();
    return now == doing::worked;
}

// What the daemon would export: everything that came home is somewhere.
void sim_process::check_counts() {
    copy_counts(writer_, counters_);
    const std::int64_t off = records_unaccounted(counters_);
    if (off != 0) database_.breach(std::format("{} records are unaccounted for", off));
}

bool sim_process::at_rest() {
    collect();
    forget_closed();
    return intake_.all_home() && taken_.empty() && !writer_.holds_rows() && !writer_.has_backlog();
}

}  // namespace tickd::test
