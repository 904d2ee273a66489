#include "daemon/admin/status_history.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ingest/limits.h"

namespace tickd {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::size_t rate_seconds = 5;
constexpr std::int64_t latency_step_us = 5 * second_us;
constexpr std::int64_t latency_window_us = 60 * second_us;

// What was recorded between two readings of one histogram.
[[nodiscard]] ingest::latency_snapshot between(const ingest::latency_snapshot& older,
                                               const ingest::latency_snapshot& newer) {
    ingest::latency_snapshot seen;
    for (std::size_t i = 0; i < seen.counts.size(); ++i) {
        seen.counts[i] = newer.counts[i] - older.counts[i];
    }
    seen.total = newer.total - older.total;
    seen.sum = newer.sum - older.sum;
    seen.longest = newer.longest;  // of all time: no more than a bound
    return seen;
}

[[nodiscard]] latency_figures figures_of(const ingest::latency_snapshot& seen) {
    return {.count = seen.total,
            .p50_us = seen.quantile(0.5),
            .p99_us = seen.quantile(0.99),
            .p999_us = seen.quantile(0.999)};
}

[[nodiscard]] double a_second(std::uint64_t before, std::uint64_t now, std::int64_t took_us) {
    // Figures are read one after the other, so a sum may seem to shrink for a moment.
    if (took_us <= 0 || now <= before) return 0;
    return static_cast<double>(now - before) * static_cast<double>(second_us) /
           static_cast<double>(took_us);
}

[[nodiscard]] std::uint32_t rounded(double rate) {
    constexpr double most = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::lround(std::min(rate, most)));
}

[[nodiscard]] std::uint64_t committed(const traffic_totals& of) {
    return of.ticks + of.events + of.dead_letters;
}

}  // namespace

void status_history::note(std::int64_t monotonic_us, std::int64_t unix_us,
                          const traffic_totals& totals, bool database_connected) {
    moments_.push_back({.at_us = monotonic_us, .totals = totals});
    // One more than seconds: each is a difference.
    if (moments_.size() > ingest::limits::status_seconds_max + 1) moments_.pop_front();
    if (database_connected) {
        away_since_us_ = 0;
    } else if (away_since_us_ == 0) {
        away_since_us_ = unix_us;
    }
}

void status_history::note(std::int64_t monotonic_us, const latency_set& seen) {
    newest_ = seen;
    newest_at_us_ = monotonic_us;
    if (latency_moments_.empty() ||
        monotonic_us - latency_moments_.back().at_us >= latency_step_us) {
        latency_moments_.push_back({.at_us = monotonic_us, .seen = seen});
    }
    // The first that is kept is the last that is a window old.
    while (latency_moments_.size() > 1 &&
           monotonic_us - latency_moments_[1].at_us >= latency_window_us) {
        latency_moments_.pop_front();
    }
}

traffic_rates status_history::rates() const {
    if (moments_.size() < 2) return {};
    const moment& now = moments_.back();
    const moment& before =
        moments_[moments_.size() - 1 - std::min(rate_seconds, moments_.size() - 1)];
    const std::int64_t took_us = now.at_us - before.at_us;
    const auto of = [&](std::uint64_t traffic_totals::* total) {
        return a_second(before.totals.*total, now.totals.*total, took_us);
    };
    return {.received_bytes = of(&traffic_totals::received_bytes),
            .received = of(&traffic_totals::received),
            .ticks = of(&traffic_totals::ticks),
            .events = of(&traffic_totals::events)};
}

status_history::seconds status_history::last_seconds() const {
    seconds all;
    for (std::size_t i = 1; i < moments_.size(); ++i) {
        const moment &before = moments_[i - 1], &now = moments_[i];
        const std::int64_t took_us = now.at_us - before.at_us;
        const auto rate = [took_us](std::uint64_t from, std::uint64_t to) {
            return rounded(a_second(from, to, took_us));
        };
        all.received.push_back(rate(before.totals.received, now.totals.received));
        all.committed.push_back(rate(committed(before.totals), committed(now.totals)));
        all.bytes.push_back(rate(before.totals.received_bytes, now.totals.received_bytes));
    }
    return all;
}

status_history::latencies status_history::recent_latencies() const {
    latencies found;
    if (latency_moments_.empty()) return found;
    const latency_moment& before = latency_moments_.front();
    found.window_s = static_cast<std::uint32_t>((newest_at_us_ - before.at_us) / second_us);
    for (std::size_t i = 0; i < latency_stages; ++i) {
        found.of[i] = figures_of(between(before.seen[i], newest_[i]));
    }
    return found;
}

}  // namespace tickd
