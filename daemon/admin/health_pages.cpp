#include "daemon/admin/health_pages.h"

#include <format>

#include "daemon/clock.h"

namespace tickd {

namespace {

// The main thread comes round every second.
constexpr std::int64_t main_patience_us = 30'000'000;

}  // namespace

std::vector<std::string> unhealthy_reasons(const std::vector<std::unique_ptr<lane>>& lanes,
                                           const serving_state& serving) {
    std::vector<std::string> reasons;
    const std::int64_t silent_us = monotonic_us() - serving.main_alive_us.load();
    if (silent_us > main_patience_us) {
        reasons.push_back(
            std::format("the main thread has not come round for {} s", silent_us / 1'000'000));
    }
    for (const auto& each : lanes) {
        if (std::string stuck = each->stuck(); !stuck.empty()) reasons.push_back(std::move(stuck));
    }
    return reasons;
}

std::vector<std::string> unready_reasons(const observed& of) {
    std::vector<std::string> reasons;
    if (of.serving.stopping.load()) {
        reasons.emplace_back("it stops");
    } else if (!of.entrance.is_open()) {
        reasons.emplace_back("no connections are accepted");
    }
    for (const auto& each : of.lanes) {
        if (each->fenced()) {
            reasons.push_back(std::format("lane {}: another tickd has taken it", each->number()));
        } else if (!each->counters().connected.load()) {
            reasons.push_back(
                std::format("lane {}: not connected to the database", each->number()));
        }
    }
    return reasons;
}

admin_page health_page(const std::vector<std::string>& reasons) {
    admin_page page;
    if (reasons.empty()) {
        page.body = "ok\n";
        return page;
    }
    page.status = 503;
    for (const std::string& each : reasons) page.body += each + '\n';
    return page;
}

}  // namespace tickd
