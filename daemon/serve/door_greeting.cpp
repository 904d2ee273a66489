// How the door greets a connection: its first line, its credential, its lane.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <algorithm>
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

}  // namespace

asio::awaitable<void> door::read_first_line(stream_socket& socket, first_line& line) {
    std::array<char, ingest::limits::hello_bytes_max> room;
    while (!line.done) {
        const std::size_t left = ingest::limits::hello_bytes_max - line.bytes.size();
        const auto [failed, bytes] =
            co_await socket.async_read_some(asio::buffer(room.data(), left), no_throw);
        if (failed == asio::error::operation_aborted) co_return;
        if (failed) {
            line.done = true;  // The lane will meet the same end, behind what has come.
            co_return;
        }
        line.bytes.append(room.data(), bytes);
        line.line_end = line.bytes.find('\n');
        line.done = line.line_end != std::string::npos || line.bytes.front() != '{' ||
                    line.bytes.size() == ingest::limits::hello_bytes_max;
    }
}

asio::awaitable<void> door::greet(stream_socket socket, int family, listener& at, std::string peer,
                                  std::shared_ptr<void> place) {
    using namespace asio::experimental::awaitable_operators;
    using ingest::session_error;
    const auto give_up_at = std::chrono::steady_clock::now() + settings_.limits.handshake_timeout;
    const bool authenticates = at.settings.auth != listener_auth::none;
    first_line first;
    if (authenticates) {
        asio::steady_timer limit(io_, give_up_at);
        co_await (read_first_line(socket, first) || limit.async_wait(no_throw));
    } else {
        co_await read_first_line(socket, first);
    }
    if (closed_ || (first.bytes.empty() && !authenticates)) co_return;

    std::optional<ingest::hello> hello;
    const std::string_view line = std::string_view(first.bytes).substr(0, first.line_end);
    if (first.line_end != std::string::npos && ingest::looks_like_hello(line)) {
        auto said =
            ingest::parse_hello(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
        if (!said) {
            co_await turn_away(socket, at, peer, session_error::bad_hello,
                               ingest::explain(said.error()));
            co_return;
        }
        hello = std::move(*said);
        first.bytes.erase(0, first.line_end + 1);
    }
    auto known = co_await identify(socket, at, hello, give_up_at);
    if (closed_) co_return;
    if (!known) {
        co_await turn_away(socket, at, peer, known.error().code, known.error().detail);
        co_return;
    }
    incoming connection{.socket = -1,
                        .family = family,
                        .source = {.session_id = next_session_id_++,
                                   .peer = std::move(peer),
                                   .listener = at.settings.name,
                                   .default_source = at.settings.source,
                                   .rules = at.rules,
                                   .feed = nullptr},
                        .first_bytes = std::move(first.bytes),
                        .hello = std::move(hello),
                        .place = std::move(place),
                        .still_good = std::move(known->still_good)};
    if (authenticates) {
        connection.source.rules.tenant = known->who.tenant;
        connection.source.rules.tenant_from_payload = known->who.may_name_tenant;
    }
    lane& home = connection.hello ? lane_for(connection.hello->producer)
                                  : *lanes_[next_lane_++ % lanes_.size()];
    boost::system::error_code failed;
    connection.socket = socket.release(failed);
    if (!failed) home.adopt(std::move(connection));
}

asio::awaitable<door::identified> door::identify(const stream_socket& socket, const listener& at,
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
        const int fd = const_cast<stream_socket&>(socket).native_handle();
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &from, &size) == 0) {
            const credential* const who =
                identities_.by_peer({.user = from.uid, .group = from.gid});
            if (who != nullptr) known = admission{.who = *who, .still_good = nullptr};
        }
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

// Says why, and lets the connection go.
asio::awaitable<void> door::turn_away(stream_socket& socket, listener& at, const std::string& peer,
                                      ingest::session_error why, std::string_view detail) {
    if (why != ingest::session_error::bad_hello) {
        log_limited(*at.complaints, spdlog::level::warn, "{}: {} turned away: {}: {}",
                    at.settings.name, peer, ingest::to_string(why), detail);
    }
    ingest::byte_buffer reply;
    ingest::append_error(why, detail, reply);
    co_await asio::async_write(socket, asio::buffer(reply.data(), reply.size()), no_throw);
}

}  // namespace tickd
