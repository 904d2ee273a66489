#include "daemon/serve/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstring>
#include <format>

#include "daemon/clock.h"
#include "daemon/log.h"

namespace tickd {

service_manager::service_manager() {
    std::uint64_t limit_us = 0;
    if (sd_watchdog_enabled(0, &limit_us) > 0) watchdog_ = std::chrono::microseconds(limit_us);
}

void service_manager::tell(const std::string& state) {
    if (const int sent = sd_notify(0, state.c_str()); sent < 0) {
        static log_limiter limiter;
        log_limited(limiter, spdlog::level::warn, "the service manager cannot be told: {}",
                    std::strerror(-sent));
    }
}

void service_manager::ready(const std::string& status) {
    status_ = status;
    tell(std::format("READY=1\nSTATUS={}", status));
}

void service_manager::reloading() {
    tell(std::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
}

void service_manager::stopping(std::chrono::milliseconds at_most) {
    status_ = "stopping: committing what was received";
    tell(std::format("STOPPING=1\nSTATUS={}\nEXTEND_TIMEOUT_USEC={}", status_,
                     std::chrono::microseconds(at_most + std::chrono::seconds(5)).count()));
}

void service_manager::status(const std::string& text) {
    if (text == status_) return;
    status_ = text;
    tell("STATUS=" + text);
}

void service_manager::alive() { tell("WATCHDOG=1"); }

}  // namespace tickd
