#include "daemon/serve/server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <random>
#include <stdexcept>
#include <string>

#include "daemon/log.h"
#include "daemon/serve/inherited_sockets.h"
#include "daemon/serve/pg_lane_database.h"
#include "daemon/spool/file_spool.h"

namespace tickd {

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

[[nodiscard]] std::unique_ptr<pg_lane_database> database_of(const config& settings,
                                                            std::uint32_t number,
                                                            const std::string& holder) {
    pg_lane_settings of_lane;
    of_lane.target.conninfo = settings.database.url;
    of_lane.target.password_file = settings.database.password_file;
    of_lane.target.connect_timeout = settings.database.connect_timeout;
    of_lane.target.stall_limit = settings.database.stall_limit;
    of_lane.target.session_attrs = "read-write";
    of_lane.target.application_name = "tickd lane " + std::to_string(number);
    of_lane.lane = number;
    of_lane.holder = holder;
    of_lane.write_segments = settings.segments.write;
    return std::make_unique<pg_lane_database>(std::move(of_lane));
}

// Throws when the folder cannot be used.
[[nodiscard]] std::unique_ptr<file_spool> spool_of(const config& settings, std::uint32_t number) {
    if (settings.spool.folder.empty()) return nullptr;
    auto opened = file_spool::open(
        {.folder = spool_folder_of_lane(settings.spool.folder, number),
         .bytes_max = settings.spool.max_bytes,
         .file_bytes = settings.spool.file_bytes,
         .fsync = settings.spool.fsync,
         .warn = [number](const std::string& what) { spdlog::warn("lane {}: {}", number, what); }});
    if (!opened) throw std::runtime_error(opened.error());
    const spool_recovery& found = (*opened)->recovery();
    for (const std::string& each : found.messages) {
        spdlog::warn("lane {}: spool: {}", number, each);
    }
    if (found.torn_bytes != 0 || found.damaged_blocks != 0) {
        spdlog::warn(
            "lane {}: spool: {} bytes of an unfinished block were cut off, at least {} blocks are "
            "damaged and left out",
            number, found.torn_bytes, found.damaged_blocks);
    }
    if (found.blocks != 0) {
        spdlog::info("lane {}: spool: {} blocks with {} records, {} bytes", number, found.blocks,
                     found.rows, found.bytes);
    }
    return *std::move(opened);
}

}  // namespace

server::server(config settings, std::function<loaded_config()> reread)
    : settings_(std::move(settings)),
      reloader_(settings_, std::move(reread)),
      signals_(io_, SIGTERM, SIGINT),
      hang_ups_(io_, SIGHUP),
      watch_(io_),
      round_(io_),
      door_(io_, settings_, lanes_) {
    const std::string holder = holder_name();
    for (std::uint32_t i = 0; i < settings_.lanes.count; ++i) {
        const std::uint32_t number = settings_.lanes.first + i;
        auto database = database_of(settings_, number, holder);
        databases_.push_back(database.get());
        lanes_.push_back(std::make_unique<lane>(number, settings_, std::move(database),
                                                spool_of(settings_, number), producers_));
    }
}

// Whenever a token may have ceased to be good, the lanes look at their sessions.
void server::watch_tokens() {
    const auto asks = [](const listener_config& at) { return at.auth == listener_auth::token; };
    if (std::ranges::none_of(settings_.listeners, asks)) return;
    pg_target target;
    target.conninfo = settings_.database.url;
    target.password_file = settings_.database.password_file;
    target.connect_timeout = settings_.database.connect_timeout;
    target.stall_limit = settings_.database.stall_limit;
    target.application_name = "tickd tokens";
    tokens_ = std::make_unique<token_watch>(std::move(target), [this] {
        for (const auto& each : lanes_) each->recheck_credentials();
    });
    door_.use_tokens(*tokens_);
    tokens_->start();
}

exit_code server::run() {
    std::signal(SIGPIPE, SIG_IGN);
    auto signer = notary::make(settings_);
    if (!signer) {
        spdlog::error("notary: {}", signer.error());
        return exit_code::config;
    }
    const auto secret = read_admin_secret(settings_.admin.token_file);
    if (!secret) {
        spdlog::error("admin.token_file: {}", secret.error());
        return exit_code::config;
    }
    admin_.guard_by(admin_guard(*secret));
    notary_ = std::move(*signer);
    compactor_ = compactor::make(settings_);
    watch_tokens();
    inherited_sockets inherited = inherited_sockets::take();
    if (const auto opened = door_.open(inherited); !opened) {
        spdlog::error("{}", opened.error());
        return exit_code::unavailable;
    }
    if (!open_admin(inherited)) return exit_code::unavailable;
    for (const std::string& each : inherited.unclaimed()) {
        spdlog::warn("inherited socket {}: no listener has this name or address", each);
    }
    come_round();
    for (const auto& each : lanes_) each->start();
    if (notary_) notary_->start();
    if (compactor_) compactor_->start();
    if (observed_) {
        candles_->start();
        admin_.start();
    }
    for (const std::string& address : door_.addresses()) spdlog::info("listening on {}", address);
    add_reload_parts();
    spdlog::info("ready");
    manager_.ready(status());
    await_signal();
    await_reload();
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
    serving_.stopping.store(true);
    manager_.stopping(settings_.stop.drain_timeout);
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
    std::uint64_t left = 0, spooled = 0;
    for (const auto& each : lanes_) {
        fenced = fenced || each->fenced();
        each->end();
        left += each->uncommitted_records();
        spooled += records_spooled(each->counters());
    }
    tokens_.reset();  // Behind the lanes, whose sessions ask it.
    // Behind the lanes: what they have just committed is signed before the end.
    if (notary_ && !fenced && left == 0) notary_->finish();
    admin_.stop();
    candles_.reset();  // While the server that it answers is still there.
    notary_.reset();
    // Ended where it is: what it was doing is rolled back, and the next start goes on. It must not
    // hold up the end, whatever its connection waits for.
    compactor_.reset();
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
    if (spooled != 0) {
        spdlog::info(
            "ended: {} records wait in the spool for the next start, the rest is committed",
            spooled);
    } else {
        spdlog::info("ended: everything received is committed");
    }
    return exit_code::ok;
}

}  // namespace tickd
