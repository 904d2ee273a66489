#include "daemon/serve/server.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <random>
#include <string>

#include "daemon/log.h"
#include "daemon/serve/pg_lane_database.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

// The writers run on threads of their own and are not asked to report: their end is looked for.
constexpr std::chrono::milliseconds watch_interval{20};

[[nodiscard]] std::string holder_name() {
    std::array<char, 256> host{};
    static_cast<void>(::gethostname(host.data(), host.size() - 1));
    // The number tells two runs apart that happen to get the same process id.
    return std::string(host.data()) + " pid " + std::to_string(::getpid()) + " run " +
           std::to_string(std::random_device{}());
}

[[nodiscard]] std::unique_ptr<ingest::lane_database> database_of(const config& settings,
                                                                 std::uint32_t number,
                                                                 const std::string& holder) {
    pg_lane_settings of_lane;
    of_lane.target.conninfo = settings.database.url;
    of_lane.target.password_file = settings.database.password_file;
    of_lane.target.connect_timeout = settings.database.connect_timeout;
    of_lane.target.application_name = "tickd lane " + std::to_string(number);
    of_lane.lane = number;
    of_lane.holder = holder;
    return std::make_unique<pg_lane_database>(std::move(of_lane));
}

}  // namespace

server::server(config settings)
    : settings_(std::move(settings)),
      signals_(io_, SIGTERM, SIGINT),
      watch_(io_),
      door_(io_, settings_, lanes_) {
    const std::string holder = holder_name();
    for (std::uint32_t i = 0; i < settings_.lanes.count; ++i) {
        const std::uint32_t number = settings_.lanes.first + i;
        lanes_.push_back(
            std::make_unique<lane>(number, settings_, database_of(settings_, number, holder)));
    }
}

exit_code server::run() {
    std::signal(SIGPIPE, SIG_IGN);
    // Nothing can be reloaded yet, and a hang-up must not end a daemon.
    std::signal(SIGHUP, SIG_IGN);
    auto signer = notary::make(settings_);
    if (!signer) {
        spdlog::error("notary: {}", signer.error());
        return exit_code::config;
    }
    notary_ = std::move(*signer);
    if (const auto opened = door_.open(); !opened) {
        spdlog::error("{}", opened.error());
        return exit_code::unavailable;
    }
    for (const auto& each : lanes_) each->start();
    if (notary_) notary_->start();
    for (const std::string& address : door_.addresses()) spdlog::info("listening on {}", address);
    spdlog::info("ready");
    await_signal();
    watch_lanes();
    io_.run();
    return finish();
}

void server::await_signal() {
    signals_.async_wait([this](boost::system::error_code failed, int number) {
        if (failed) return;
        if (stopping_) {
            spdlog::warn("second signal: ending at once");
            stop_by_ = std::chrono::steady_clock::now();
            return;
        }
        stop(number == SIGTERM ? "SIGTERM" : "SIGINT");
        await_signal();
    });
}

void server::stop(std::string_view why) {
    if (std::exchange(stopping_, true)) return;
    spdlog::info("{}: draining, for at most {} ms", why, settings_.stop.drain_timeout.count());
    stop_by_ = std::chrono::steady_clock::now() + settings_.stop.drain_timeout;
    door_.close();
    for (const auto& each : lanes_) each->drain();
}

void server::watch_lanes() {
    watch_.expires_after(watch_interval);
    watch_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled) return;
        bool all_ended = true;
        for (const auto& each : lanes_) {
            all_ended = all_ended && each->ended();
            if (each->fenced()) stop("another tickd has taken a lane");
        }
        if (all_ended || (stopping_ && std::chrono::steady_clock::now() >= stop_by_)) {
            io_.stop();
            return;
        }
        watch_lanes();
    });
}

exit_code server::finish() {
    bool fenced = false;
    std::uint64_t left = 0;
    for (const auto& each : lanes_) {
        fenced = fenced || each->fenced();
        each->end();
        left += each->uncommitted_records();
    }
    // Behind the lanes: what they have just committed is signed before the end.
    if (notary_ && !fenced && left == 0) notary_->finish();
    notary_.reset();
    if (fenced) {
        spdlog::error(
            "ended: another tickd writes these lanes; give each daemon on one database"
            " its own numbers (lanes.first)");
        return exit_code::unavailable;
    }
    if (left != 0) {
        spdlog::error(
            "ended with {} records not committed: acked producers will send theirs"
            " again, others are lost",
            left);
        return exit_code::try_again;
    }
    spdlog::info("ended: everything received is committed");
    return exit_code::ok;
}

}  // namespace tickd
