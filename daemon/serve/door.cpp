#include "daemon/serve/door.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "daemon/address.h"
#include "daemon/config/record_rules.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

[[nodiscard]] std::string peer_of(const asio::ip::tcp::endpoint& from) {
    return to_text(address{.kind = address::family::tcp,
                           .host = from.address().to_string(),
                           .port = from.port(),
                           .path = {}});
}
[[nodiscard]] std::string peer_of(const asio::local::stream_protocol::endpoint&) { return "unix"; }

void set_options(asio::ip::tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    // A peer whose machine is gone is noticed after 60 + 4 * 15 s; the system's own is two hours.
    constexpr int idle_s = 60, interval_s = 15, probes = 4;
    const int fd = socket.native_handle();
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
void set_options(asio::local::stream_protocol::socket&) {}

// Null: neither is limited.
[[nodiscard]] std::shared_ptr<flow_limit> flow_of(std::optional<std::uint64_t> lines,
                                                  std::optional<std::uint64_t> bytes) {
    return lines || bytes ? std::make_shared<flow_limit>(lines, bytes) : nullptr;
}

// Null: the listener has no certificate.
[[nodiscard]] std::expected<tls_context, std::string> tls_of(const listener_config& at) {
    if (at.tls_certificate.empty()) return tls_context();
    return make_tls_server({.certificate = at.tls_certificate,
                            .key = at.tls_key,
                            .client_ca = at.tls_client_ca,
                            .minimum = at.tls_min_version});
}

}  // namespace

door::door(asio::io_context& io, const config& settings, std::vector<std::unique_ptr<lane>>& lanes)
    : io_(io), settings_(settings), lanes_(lanes), identities_(settings.identities) {}

door::~door() { close(); }

std::expected<void, std::string> door::open(inherited_sockets& inherited) {
    for (const listener_config& at : settings_.listeners) {
        const auto where = parse_address(at.address);
        if (!where) return std::unexpected(at.address + ": " + where.error());
        auto tls = tls_of(at);
        if (!tls) return std::unexpected(at.address + ": " + tls.error());
        auto opened = listen_at(io_, *where, at.unix_mode, at.name, inherited);
        if (!opened) return std::unexpected(at.address + ": " + opened.error());
        listeners_.push_back({.settings = at,
                              .rules = rules_of(at, settings_),
                              .at = std::move(*opened),
                              .tls = std::move(*tls),
                              .flow = flow_of(at.lines_per_second, at.bytes_per_second),
                              .counters = std::make_shared<listener_counters>()});
    }
    open_.store(true);
    for (listener& at : listeners_) {
        std::visit(
            [&](auto& acceptor) { asio::co_spawn(io_, accept_all(at, acceptor), asio::detached); },
            at.at.acceptor);
    }
    return {};
}

std::expected<std::function<void()>, std::string> door::prepare(const config& next) {
    // In the order of listeners_; a listener that is gone keeps what it has.
    std::vector<tls_context> contexts;
    for (const listener& at : listeners_) {
        const auto found =
            std::ranges::find(next.listeners, at.settings.name, &listener_config::name);
        auto tls = tls_of(found != next.listeners.end() ? *found : at.settings);
        if (!tls) return std::unexpected(at.settings.name + ": " + tls.error());
        contexts.push_back(std::move(*tls));
    }
    // Shared, since a std::function must be copyable.
    auto made = std::make_shared<std::vector<tls_context>>(std::move(contexts));
    const auto& before = settings_.limits;
    const bool new_rates = before.tenant_lines_per_second != next.limits.tenant_lines_per_second ||
                           before.tenant_bytes_per_second != next.limits.tenant_bytes_per_second;
    return [this, next, made, new_rates] {
        for (std::size_t i = 0; listener & at : listeners_) at.tls = std::move((*made)[i++]);
        replace(next);
        if (!new_rates) return;
        for (auto& [tenant, share] : tenants_) {
            share.flow =
                flow_of(next.limits.tenant_lines_per_second, next.limits.tenant_bytes_per_second);
        }
    };
}

void door::replace(const config& next) {
    std::vector<listener_rules> all;
    for (listener& at : listeners_) {
        const auto found =
            std::ranges::find(next.listeners, at.settings.name, &listener_config::name);
        if (found == next.listeners.end()) continue;
        // Open sessions keep the rates they came under.
        if (at.settings.lines_per_second != found->lines_per_second ||
            at.settings.bytes_per_second != found->bytes_per_second) {
            at.flow = flow_of(found->lines_per_second, found->bytes_per_second);
        }
        at.settings = *found;
        at.rules = rules_of(*found, next);
        all.push_back({at.settings.name, at.settings.source, at.rules});
    }
    identities_ = identity_map(next.identities);
    for (const auto& each : lanes_) each->replace_rules(all);
}

std::shared_ptr<void> door::place_at(listener& at) {
    // Shares the life of the listener's counters.
    auto place = place_among({at.counters, &at.counters->open}, at.settings.sessions_max);
    add(place ? at.counters->accepted : at.counters->refused, 1);
    return place;
}

template <typename Acceptor>
asio::awaitable<void> door::accept_all(listener& at, Acceptor& acceptor) {
    while (!closed_) {
        auto [failed, socket] = co_await acceptor.async_accept(no_throw);
        if (closed_) co_return;
        if (failed) {
            log_limited(*at.complaints, spdlog::level::warn, "{}: accept: {}", at.settings.address,
                        failed.message());
            // Out of descriptors, most likely: the queue keeps the connection until one is free.
            asio::steady_timer pause(io_, std::chrono::milliseconds(50));
            co_await pause.async_wait(no_throw);
            continue;
        }
        auto place = place_at(at);
        boost::system::error_code gone;
        const auto from = socket.remote_endpoint(gone);
        if (gone) continue;
        if (!place) {
            log_limited(*at.complaints, spdlog::level::warn,
                        "{}: {} refused: {} sessions are open already", at.settings.address,
                        peer_of(from), at.settings.sessions_max);
            continue;
        }
        set_options(socket);
        const int family = socket.local_endpoint(gone).protocol().family();
        stream_socket stream(std::move(socket));
        asio::co_spawn(io_, greet(std::move(stream), family, at, peer_of(from), std::move(place)),
                       asio::detached);
    }
}

lane& door::lane_for(const std::string& producer) {
    return *lanes_[std::hash<std::string>{}(producer) % lanes_.size()];
}

door::tenant_share& door::share_of(const ingest::uuid& tenant) {
    const auto& limits = settings_.limits;
    tenant_share& share = tenants_[tenant];
    if (!share.sessions) {
        share.sessions = std::make_shared<std::atomic<std::uint32_t>>(0);
        share.flow = flow_of(limits.tenant_lines_per_second, limits.tenant_bytes_per_second);
    }
    return share;
}

// Without those of its tenant.
session_limits door::limits_at(const listener& at) const {
    const auto& limits = settings_.limits;
    session_limits made{
        .flows = {}, .idle = limits.idle_timeout, .unacked_bytes = limits.session_unacked_bytes};
    if (at.flow) made.flows.push_back(at.flow);
    if (auto own = flow_of(limits.session_lines_per_second, limits.session_bytes_per_second)) {
        made.flows.push_back(std::move(own));
    }
    return made;
}

std::shared_ptr<void> place_among(std::shared_ptr<std::atomic<std::uint32_t>> sessions,
                                  std::uint64_t sessions_max, std::shared_ptr<void> further) {
    if (sessions->load() >= sessions_max) return nullptr;
    sessions->fetch_add(1);
    // The deleter is what matters: whoever drops the last copy gives the place back.
    void* const something = sessions.get();
    return {something, [held = std::move(sessions), further = std::move(further)](void*) {
                held->fetch_sub(1);
            }};
}

void door::close() {
    if (std::exchange(closed_, true)) return;
    open_.store(false);
    for (listener& at : listeners_) {
        std::visit(
            [](auto& acceptor) {
                boost::system::error_code ignored;
                acceptor.close(ignored);
            },
            at.at.acceptor);
        if (!at.at.unix_path.empty()) ::unlink(at.at.unix_path.c_str());
    }
}

std::vector<std::string> door::addresses() const {
    std::vector<std::string> all;
    for (const listener& each : listeners_) all.push_back(bound_address(each.at));
    return all;
}

std::vector<door::counted_listener> door::counted() const {
    std::vector<counted_listener> all;
    for (const listener& each : listeners_) all.push_back({each.settings.name, each.counters});
    return all;
}

}  // namespace tickd
