// How the door greets a connection: its first line, its credential, its lane.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <span>
#include <tuple>
#include <utility>

#include "daemon/clock.h"
#include "daemon/serve/door.h"
#include "ingest/limits.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// The list of tokens is asked for as soon as the daemon starts: who comes before it is waited for.
constexpr std::chrono::milliseconds look_again{20};
// For who is turned away: its place at the listener is held for no longer.
constexpr std::chrono::seconds farewell_time{1};
constexpr std::size_t farewell_bytes_max = std::size_t{256} * 1024;

}  // namespace

asio::awaitable<void> door::shake_hands(wire& peer, tls_session session, std::string& failure) {
    const auto [failed, nothing] = co_await peer.shake_hands(std::move(session));
    if (failed == asio::error::operation_aborted) co_return;
    failure = !failed                                   ? std::string()
              : failed == asio::error::connection_reset ? tls_failure()
                                                        : failed.message();
}

// False: it has been cancelled.
asio::awaitable<bool> door::read_part(wire& peer, first_line& line) {
    std::array<char, ingest::limits::hello_bytes_max> room;
    const std::size_t left = ingest::limits::hello_bytes_max - line.bytes.size();
    const auto [failed, bytes] = co_await peer.read_some(std::span(room).first(left));
    if (failed == asio::error::operation_aborted) co_return false;
    if (failed) {
        line.done = true;  // The lane will meet the same end, behind what has come.
        co_return true;
    }
    line.bytes.append(room.data(), bytes);
    line.line_end = line.bytes.find('\n');
    line.done = line.line_end != std::string::npos || line.bytes.front() != '{' ||
                line.bytes.size() == ingest::limits::hello_bytes_max;
    co_return true;
}

asio::awaitable<void> door::read_first_line(wire& peer, first_line& line) {
    bool going_on = true;
    while (going_on && !line.done) going_on = co_await read_part(peer, line);
}

// Where nobody asks who it is, a feed may be silent for long before its first line; a line that has
// begun goes to the lane if it does not end in time, since a hello comes in one piece.
asio::awaitable<void> door::await_first_line(wire& peer, first_line& line) {
    using namespace asio::experimental::awaitable_operators;
    if (settings_.limits.idle_timeout) {
        asio::steady_timer limit(io_, *settings_.limits.idle_timeout);
        co_await (read_part(peer, line) || limit.async_wait(no_throw));
    } else {
        static_cast<void>(co_await read_part(peer, line));
    }
    if (line.bytes.empty()) {
        line.done = true;
        co_return;
    }
    asio::steady_timer limit(io_, settings_.limits.handshake_timeout);
    co_await (read_first_line(peer, line) || limit.async_wait(no_throw));
}

asio::awaitable<void> door::greet(stream_socket socket, int family, listener& at, std::string name,
                                  std::shared_ptr<void> place) {
    using namespace asio::experimental::awaitable_operators;
    using ingest::session_error;
    const auto give_up_at = std::chrono::steady_clock::now() + settings_.limits.handshake_timeout;
    const bool authenticates = at.settings.auth != listener_auth::none;
    wire peer(std::move(socket));
    if (at.tls) {
        std::string failure = "took too long";
        auto session = accept_tls(*at.tls, peer.socket().native_handle());
        if (session) {
            asio::steady_timer limit(io_, give_up_at);
            co_await (shake_hands(peer, std::move(session), failure) || limit.async_wait(no_throw));
        } else {
            failure = tls_failure();
        }
        if (closed_) co_return;
        if (!failure.empty()) {
            add(at.counters->tls_failures, 1);
            log_limited(*at.complaints, spdlog::level::warn, "{}: {}: no TLS session: {}",
                        at.settings.name, name, failure);
            co_return;
        }
    }
    first_line first;
    if (authenticates) {
        asio::steady_timer limit(io_, give_up_at);
        co_await (read_first_line(peer, first) || limit.async_wait(no_throw));
    } else {
        co_await await_first_line(peer, first);
    }
    // Who says nothing and ends is not complained of.
    if (closed_ || (first.bytes.empty() && first.done)) co_return;

    std::optional<ingest::hello> hello;
    const std::string_view line = std::string_view(first.bytes).substr(0, first.line_end);
    if (first.line_end != std::string::npos && ingest::looks_like_hello(line)) {
        auto said =
            ingest::parse_hello(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
        if (!said) {
            co_await turn_away(peer, at, name, session_error::bad_hello,
                               ingest::explain(said.error()));
            co_return;
        }
        hello = std::move(*said);
        first.bytes.erase(0, first.line_end + 1);
    }
    auto known = co_await identify(peer, at, hello, give_up_at);
    if (closed_) co_return;
    if (!known) {
        co_await turn_away(peer, at, name, known.error().code, known.error().detail);
        co_return;
    }
    session_limits limits = limits_at(at);
    if (authenticates && known->who.tenant) {
        const tenant_share& tenant = share_of(*known->who.tenant);
        if (tenant.flow) limits.flows.push_back(tenant.flow);
        place = place_among(tenant.sessions, settings_.limits.tenant_sessions.value_or(UINT32_MAX),
                            std::move(place));
        if (!place) {
            co_await turn_away(peer, at, name, session_error::too_many_sessions,
                               "the tenant has as many sessions as it may");
            co_return;
        }
    }
    incoming connection{.socket = -1,
                        .family = family,
                        .source = {.session_id = next_session_id_++,
                                   .peer = std::move(name),
                                   .listener = at.settings.name,
                                   .default_source = at.settings.source,
                                   .rules = at.rules,
                                   .feed = nullptr},
                        .tls = nullptr,
                        .first_bytes = std::move(first.bytes),
                        .hello = std::move(hello),
                        .place = std::move(place),
                        .limits = std::move(limits),
                        .still_good = std::move(known->still_good)};
    if (authenticates) {
        connection.source.own_tenant = true;
        connection.source.rules.tenant = known->who.tenant;
        connection.source.rules.tenant_from_payload = known->who.may_name_tenant;
    }
    lane& home = connection.hello ? lane_for(connection.hello->producer)
                                  : *lanes_[next_lane_++ % lanes_.size()];
    std::tie(connection.socket, connection.tls) = peer.release();
    if (connection.socket >= 0) home.adopt(std::move(connection));
}

asio::awaitable<door::identified> door::identify(wire& peer, const listener& at,
                                                 const std::optional<ingest::hello>& hello,
                                                 std::chrono::steady_clock::time_point give_up_at) {
    using ingest::session_error;
    if (at.settings.auth == listener_auth::none) co_return admission{};
    if (!hello) {
        co_return std::unexpected(
            rejection{session_error::unauthenticated, "the first line here is a hello"});
    }
    identified known = std::unexpected(rejection{session_error::unauthenticated, "not known here"});
    if (at.settings.auth == listener_auth::token) {
        known = co_await identify_by_token(hello->token, give_up_at);
    } else if (at.settings.auth == listener_auth::peer) {
        ucred from{};
        socklen_t size = sizeof from;
        const int fd = peer.socket().native_handle();
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &from, &size) == 0) {
            const credential* const who =
                identities_.by_peer({.user = from.uid, .group = from.gid});
            if (who != nullptr) known = admission{.who = *who, .still_good = nullptr};
        }
    } else {
        const credential* const who = identities_.by_certificate(names_of_peer(*peer.tls()));
        if (who != nullptr) known = admission{.who = *who, .still_good = nullptr};
    }
    if (known && !known->who.covers(hello->producer)) {
        co_return std::unexpected(
            rejection{session_error::unauthorized, "the credential does not cover this producer"});
    }
    co_return known;
}

asio::awaitable<door::identified> door::identify_by_token(
    const std::string& token, std::chrono::steady_clock::time_point give_up_at) {
    using ingest::session_error;
    std::shared_ptr<const token_list> tokens = tokens_->tokens();
    while (!tokens && !closed_ && std::chrono::steady_clock::now() < give_up_at) {
        asio::steady_timer pause(io_, look_again);
        co_await pause.async_wait(no_throw);
        tokens = tokens_->tokens();
    }
    if (!tokens) {
        co_return std::unexpected(
            rejection{session_error::unavailable, "tokens cannot be checked: come back later"});
    }
    const known_token* const found = tokens->find(token, unix_now_us());
    if (found == nullptr) {
        co_return std::unexpected(
            rejection{session_error::unauthenticated, "no token, or none that is good"});
    }
    co_return admission{.who = found->who, .still_good = [tokens_now = tokens_, id = found->id] {
                            const auto now = tokens_now->tokens();
                            return now && now->is_good(id, unix_now_us());
                        }};
}

// Says why, and lets the connection go. What still comes is read for a moment: closing a socket
// with unread bytes would take back what was said.
asio::awaitable<void> door::turn_away(wire& peer, listener& at, const std::string& name,
                                      ingest::session_error why, std::string_view detail) {
    using namespace asio::experimental::awaitable_operators;
    add(at.counters->turned_away[static_cast<std::size_t>(why)], 1);
    if (why != ingest::session_error::bad_hello) {
        log_limited(*at.complaints, spdlog::level::warn, "{}: {} turned away: {}: {}",
                    at.settings.name, name, ingest::to_string(why), detail);
    }
    ingest::byte_buffer reply;
    ingest::append_error(why, detail, reply);
    asio::steady_timer limit(io_, farewell_time);
    const auto say = [&]() -> asio::awaitable<void> {
        const auto [unsaid, said] = co_await peer.write_all(std::span(reply.data(), reply.size()));
        if (unsaid) co_return;
        peer.shutdown_send();
        std::array<char, 4096> unread;
        for (std::size_t left = farewell_bytes_max; left != 0;) {
            const auto [failed, bytes] = co_await peer.read_some(unread);
            if (failed) co_return;
            left -= std::min(left, bytes);
        }
    };
    co_await (say() || limit.async_wait(no_throw));
}

}  // namespace tickd
