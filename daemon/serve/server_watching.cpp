// How the daemon is looked after: the admin server, and the main thread's round once a second,
// which asks the lanes whether they live and tells the service manager.
#include <algorithm>
#include <format>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/admin/health_pages.h"
#include "daemon/admin/metrics.h"
#include "daemon/admin/status_page.h"
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/serve/inherited_sockets.h"
#include "daemon/serve/server.h"

namespace tickd {

namespace {

constexpr std::chrono::seconds round_interval{1};
constexpr std::uint64_t rounds_a_status = 5;

}  // namespace

// False: the address could not be had, and the log says so.
bool server::open_admin(inherited_sockets& inherited) {
    if (settings_.admin.address == "none") return true;
    const auto opened = admin_.open(settings_.admin.address, inherited);
    if (!opened) {
        spdlog::error("admin.address: {}", opened.error());
        return false;
    }
    observed_ = std::make_unique<observed>(observed{
        .lanes = lanes_,
        .entrance = door_,
        .listeners = door_.counted(),
        .producers = producers_,
        .serving = serving_,
        .notary = notary_ ? &notary_->figures() : nullptr,
        .compaction = compactor_ ? &compactor_->counters() : nullptr,
        .requests = admin_.requests(),
        .spool_bytes_max = settings_.spool.folder.empty() ? 0 : settings_.spool.max_bytes});
    board_ = std::make_unique<status_board>(*observed_);
    candles_ = std::make_unique<candle_desk>(settings_);
    add_admin_pages();
    spdlog::info("admin: http at {}", *opened);
    if (admin_.reach() == admin_reach::network && settings_.admin.token_file.empty()) {
        spdlog::warn("admin: only health is answered at {}: there is no admin.token_file", *opened);
    }
    return true;
}

void server::add_admin_pages() {
    admin_.add("/healthz", audience::anybody,
               [this] { return health_page(unhealthy_reasons(lanes_, serving_)); });
    admin_.add("/readyz", audience::anybody,
               [this] { return health_page(unready_reasons(*observed_)); });
    admin_.add("/metrics", audience::let_in, [this] {
        return admin_page{.status = 200,
                          .content_type = "text/plain; version=0.0.4; charset=utf-8",
                          .body = metrics_text(*observed_)};
    });
    add_status_page(admin_);
    admin_.each_second([this] { board_->look(); });
    admin_.add_events("/events", audience::let_in, [this] { return board_->json(); });
    admin_.add("/status.json", audience::let_in, [this] {
        return admin_page{
            .status = 200, .content_type = "application/json", .body = board_->json() + '\n'};
    });
    admin_.add_waiting(
        "/candles.json", audience::let_in,
        [this](std::string_view query, admin_server::answer_later done) {
            auto asked = parse_candle_question(query);
            if (!asked) {
                done({.status = 400, .body = asked.error() + '\n'});
                return;
            }
            candles_->ask(*std::move(asked), [done = std::move(done)](std::string found) {
                done({.content_type = "application/json", .body = std::move(found) + '\n'});
            });
        });
}

// Once a second: says that this thread lives, and asks the lanes whether they do.
void server::come_round() {
    serving_.main_alive_us.store(monotonic_us());
    for (const auto& each : lanes_) each->poke();
    feed_watchdog();
    if (!stopping_ && rounds_++ % rounds_a_status == 0) manager_.status(status());
    std::chrono::microseconds pause = round_interval;
    // A third of what the manager allows: one round may be late.
    if (const auto limit = manager_.watchdog()) pause = std::min(pause, *limit / 3);
    round_.expires_after(pause);
    round_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled) come_round();
    });
}

// A lane that hangs must not be covered by a main thread that lives.
void server::feed_watchdog() {
    if (!manager_.watchdog()) return;
    const auto reasons = unhealthy_reasons(lanes_, serving_);
    if (reasons.empty()) {
        manager_.alive();
        return;
    }
    static log_limiter limiter;
    log_limited(limiter, spdlog::level::critical, "the watchdog is not fed: {}", reasons.front());
}

std::string server::status() const {
    std::size_t connected = 0;
    std::uint64_t sessions = 0, committed = 0, spooled = 0;
    for (const auto& each : lanes_) {
        const lane_counters& counted = each->counters();
        if (counted.connected.load()) ++connected;
        sessions += read(counted.sessions_opened) - read(counted.sessions_closed);
        committed += read(counted.ticks_committed) + read(counted.events_committed) +
                     read(counted.dead_letters_committed);
        spooled += records_spooled(counted);
    }
    std::string text = std::format("{} of {} lanes connected, {} sessions, {} records committed",
                                   connected, lanes_.size(), sessions, committed);
    if (spooled != 0) text += std::format(", {} in the spool", spooled);
    return text;
}

}  // namespace tickd
