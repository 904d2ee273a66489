#include "daemon/verify/segment_verification.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "daemon/compact/segment_rebuild.h"

namespace tickd {

namespace {

constexpr std::chrono::milliseconds look_interval{100};

// What the threads share.
class day_crew {
public:
    day_crew(const segment_request& request, std::vector<std::int64_t> days)
        : request_(request), days_(std::move(days)) {}

    void work() {
        auto connection = pg_connection::connect(request_.target);
        if (!connection) return fail(to_text(connection.error()));
        for (std::size_t at = next_++; at < days_.size() && !failed_.load(); at = next_++) {
            auto day = verify_segment_day(*connection, days_[at]);
            if (!day) return fail(to_text(day.error()));
            const std::scoped_lock lock(mutex_);
            ++report_.days;
            report_.rows += day->rows;
            report_.segments += day->segments;
            report_.candles += day->candles;
            std::ranges::move(day->found, std::back_inserter(report_.found));
        }
    }
    void leave() {
        const std::scoped_lock lock(mutex_);
        ++left_;
        changed_.notify_all();
    }
    // Until `workers` have left.
    void wait(unsigned workers,
              const std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>& progress) {
        std::unique_lock lock(mutex_);
        while (!changed_.wait_for(lock, look_interval, [&] { return left_ == workers; })) {
            progress(report_.days, days_.size(), report_.rows);
        }
    }
    [[nodiscard]] std::expected<segment_report, std::string> result() {
        if (failed_.load()) return std::unexpected(error_);
        std::ranges::stable_sort(report_.found, {}, &segment_finding::day);
        return std::move(report_);
    }

private:
    void fail(std::string why) {
        const std::scoped_lock lock(mutex_);
        if (!failed_.exchange(true)) error_ = std::move(why);
    }

    const segment_request& request_;
    const std::vector<std::int64_t> days_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned left_ = 0;
    std::string error_;
    segment_report report_;
};

}  // namespace

std::expected<segment_report, std::string> verify_segments(
    const segment_request& request,
    const std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>& progress) {
    auto connection = pg_connection::connect(request.target);
    if (!connection) return std::unexpected(to_text(connection.error()));
    auto days = days_with_ticks(*connection, request.from_day, request.to_day);
    if (!days) return std::unexpected(to_text(days.error()));
    day_crew crew(request, *std::move(days));
    const unsigned workers = std::max(1U, request.jobs);
    std::vector<std::jthread> threads;
    threads.reserve(workers);
    for (unsigned i = 0; i < workers; ++i) {
        threads.emplace_back([&crew] {
            crew.work();
            crew.leave();
        });
    }
    crew.wait(workers, progress);
    threads.clear();
    return crew.result();
}

}  // namespace tickd
