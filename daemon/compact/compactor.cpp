#include "daemon/compact/compactor.h"

#include <chrono>
#include <utility>

#include "daemon/clock.h"
#include "daemon/db/conninfo_user.h"
#include "daemon/log.h"
#include "daemon/serve/counters.h"
#include "daemon/serve/thread_name.h"

namespace tickd {

namespace {

constexpr std::chrono::seconds interval{1};
// Some 350,000 ticks: at 10,000 a second of 500 symbols half a minute, and a whole segment for each
// symbol.
constexpr std::uint32_t mixed_waiting_min = 512;
// A quiet feed's mixed segments are taken apart after this long, so that a reader of one symbol
// does not have to look through many.
constexpr std::int64_t mixed_every_us = 600'000'000;
constexpr std::int64_t small_every_us = 60'000'000;

[[nodiscard]] pg_target target_of(const config& settings) {
    pg_target target;
    target.conninfo = settings.segments.database_url.empty()
                          ? with_user(settings.database.url, "tickd_compactor")
                          : settings.segments.database_url;
    target.password_file = settings.segments.password_file;
    target.connect_timeout = settings.database.connect_timeout;
    target.stall_limit = settings.database.stall_limit;
    target.session_attrs = "read-write";
    target.application_name = "tickd compactor";
    return target;
}

}  // namespace

std::unique_ptr<compactor> compactor::make(const config& settings) {
    if (!settings.segments.compact) return nullptr;
    return std::unique_ptr<compactor>(new compactor(settings));
}

compactor::compactor(const config& settings) : work_(target_of(settings)) {}

compactor::~compactor() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    work_.give_up();
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void compactor::start() {
    thread_ = std::thread([this] { run(); });
}

// False: it ends.
bool compactor::wait_for_next() {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, interval, [this] { return ending_; });
}

bool compactor::ending() {
    const std::scoped_lock lock(mutex_);
    return ending_;
}

void compactor::run() {
    name_this_thread("compactor", 0);
    mixed_due_us_ = monotonic_us() + mixed_every_us;
    small_due_us_ = monotonic_us() + small_every_us;
    while (wait_for_next()) {
        const auto done = round();
        add(counters_.rounds, 1);
        counters_.connected.store(work_.connected(), std::memory_order_relaxed);
        if (done) {
            if (!last_complaint_.empty()) spdlog::info("compactor: works again");
            last_complaint_.clear();
            continue;
        }
        if (ending()) return;  // It was cut off, which is no failure.
        add(counters_.failures, 1);
        if (std::exchange(last_complaint_, to_text(done.error())) != last_complaint_) {
            spdlog::warn("compactor: {}; it tries again, and queries are exact meanwhile",
                         last_complaint_);
        }
    }
}

void compactor::count(const compaction_step& done) {
    add(counters_.segments_taken, done.segments_taken);
    add(counters_.segments_made, done.segments_made);
    add(counters_.ticks, done.ticks);
    add(counters_.candles, done.candles);
}

std::expected<void, pg_error> compactor::round() {
    if (!work_.connected()) {
        if (auto connected = work_.connect(); !connected) return connected;
    }
    // Returns whether there may be more.
    const auto step = [&](compaction::outcome done) -> std::expected<bool, pg_error> {
        if (!done) return std::unexpected(done.error());
        count(*done);
        return done->segments_taken != 0 && !ending();
    };
    for (;;) {
        const auto more = step(work_.fold());
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        add(counters_.folds, 1);
    }
    counters_.last_done_us.store(unix_now_us(), std::memory_order_relaxed);
    const std::int64_t now_us = monotonic_us();
    const bool all = now_us >= mixed_due_us_;
    if (all) mixed_due_us_ = now_us + mixed_every_us;
    if (const auto more = step(work_.merge_mixed(all ? 2 : mixed_waiting_min)); !more) {
        return std::unexpected(more.error());
    }
    if (now_us >= small_due_us_) {
        small_due_us_ = now_us + small_every_us;
        if (const auto more = step(work_.merge_small()); !more) {
            return std::unexpected(more.error());
        }
    }
    return {};
}

}  // namespace tickd
