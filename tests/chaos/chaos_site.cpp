#include "tests/chaos/chaos_site.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <stdexcept>

#include "tests/chaos/chaos_form.h"
#include "tests/support/segment_check.h"

namespace tickd::test {

namespace {

// Of each producer: its rows, the different ones, the last, and how many are where.
constexpr const char* kept_records = R"(
    WITH kept AS (
        SELECT symbol::text AS feed, bid::bigint AS seq, 't' AS kind FROM price_telemetry
        UNION ALL
        SELECT agent_id, action_payload::text::bigint, 'e' FROM unified_activity_log
        UNION ALL
        SELECT producer, seq, 'd' FROM tickd.dead_letter WHERE producer IS NOT NULL)
    SELECT feed, count(*), count(DISTINCT seq), max(seq), count(*) FILTER (WHERE kind = 't'),
           count(*) FILTER (WHERE kind = 'e'), count(*) FILTER (WHERE kind = 'd'),
           (SELECT watermark FROM tickd.producer p WHERE p.producer = feed),
           (SELECT received = committed + duplicates + dead_lettered
               FROM tickd.producer p WHERE p.producer = feed)
      FROM kept GROUP BY feed)";

// A connection that is cut within its hello leaves a last line that nobody can read, of nobody.
constexpr const char* strange_letters = R"(
    SELECT count(*) FROM tickd.dead_letter
     WHERE producer IS NULL
       AND NOT (starts_with(encode(raw, 'escape'), '{"type":"hello"')
                OR starts_with('{"type":"hello"', encode(raw, 'escape'))))";

// Records settle in order, so what is kept is 1 to some number, without a gap.
void check_kept(const std::vector<std::string>& row, const acked_producer& producer) {
    const std::uint64_t last = std::stoull(row[3]);
    std::uint64_t ticks = 0, events = 0, dead = 0;
    for (std::uint64_t seq = 1; seq <= last; ++seq) {
        switch (fate_of(seq)) {
            case record_fate::tick: ++ticks; break;
            case record_fate::event: ++events; break;
            case record_fate::dead_letter: ++dead; break;
        }
    }
    CHECK(row == std::vector<std::string>{producer.name(), row[3], row[3], row[3],
                                          std::to_string(ticks), std::to_string(events),
                                          std::to_string(dead), row[3], "t"});
    CHECK(last >= producer.acked());
    CHECK(last <= producer.sent());
}

}  // namespace

std::string through_port(std::uint16_t port) {
    return std::format("host=127.0.0.1 port={} sslmode=disable gssencmode=disable", port);
}

chaos_site::chaos_site(private_cluster& cluster, const std::string& route,
                       const std::string& stall_limit, const std::string& more)
    : conninfo_(migrated_database(cluster)), address_("unix:" + folder_.file("feeds.sock")) {
    std::string of_daemon = as_user(conninfo_, "tickd_ingest");
    // What comes later in a conninfo counts.
    if (!route.empty()) of_daemon += ' ' + route;
    yaml_ = daemon_yaml(of_daemon, more, "  - address: \"" + address_ + "\"");
    yaml_.insert(yaml_.find("listeners:"), "  stall_limit: " + stall_limit + '\n');
    start_daemon();
}

void chaos_site::start_daemon() {
    daemon_ = std::make_unique<daemon_process>(yaml_);
    if (!daemon_->ready()) throw std::runtime_error("not ready:\n" + daemon_->log());
}

void chaos_site::add_producers(int count, double rate_of_each, const std::string& through,
                               const std::string& ack) {
    for (int i = 0; i < count; ++i) {
        add_producer({.name = std::format("feed-{}", producers_.size()),
                      .address = through.empty() ? address_ : through,
                      .rate = rate_of_each,
                      .ack = ack,
                      .append = {}});
    }
}

void chaos_site::add_producer(producer_plan plan) {
    producers_.push_back(std::make_unique<acked_producer>(std::move(plan)));
}

std::uint64_t chaos_site::acked() const {
    std::uint64_t sum = 0;
    for (const auto& each : producers_) sum += each->acked();
    return sum;
}

bool chaos_site::await_acked(std::uint64_t more) const {
    const std::uint64_t wanted = acked() + more;
    return await_condition([&] { return acked() >= wanted; });
}

void chaos_site::finish_and_compare() {
    INFO("seed " << chaos_seed());
    const std::string log = daemon_->log();
    constexpr std::size_t shown = 6000;
    INFO(log.substr(log.size() - std::min(log.size(), shown)));
    for (const auto& each : producers_) {
        INFO(each->name() << ": " << each->acked() << " of " << each->sent() << " acked");
        REQUIRE(each->finish());
    }
    compare();
    CHECK(daemon_->stop() == 0);
}

void chaos_site::moved_to(const private_cluster& cluster) {
    conninfo_ += " host=" + cluster.directory();
}

void chaos_site::compare() const {
    pg_connection sql = connect(conninfo_);
    CHECK(segment_faults(conninfo_) == std::vector<std::string>{});
    const text_rows kept = rows(sql, kept_records);
    CHECK(kept.size() <= producers_.size());
    CHECK(one(sql, strange_letters) == "0");
    for (const auto& producer : producers_) {
        CHECK(producer->complaints().empty());
        INFO(producer->complaints());
        const auto found =
            std::ranges::find(kept, producer->name(), [](const auto& row) { return row[0]; });
        if (found == kept.end()) {
            CHECK(producer->acked() == 0);
        } else {
            check_kept(*found, *producer);
        }
    }
}

}  // namespace tickd::test
