// The operator's HTTP server: a few read-only pages and a stream of events on a thread of its own,
// so that whoever looks disturbs neither the door nor a lane.
//
// Everything a client can make it spend is bounded: connections, streams, bytes of a request, time
// of a request and of reading the answer. GET and HEAD only; a request has no body.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "daemon/admin/admin_guard.h"
#include "daemon/admin/admin_page.h"
#include "daemon/admin/event_feed.h"
#include "daemon/serve/counters.h"
#include "daemon/serve/listening.h"

namespace tickd {

// Who is answered: anybody who can connect, or those that the guard lets in.
enum class audience : std::uint8_t { anybody, let_in };

class admin_server {
public:
    admin_server() = default;
    ~admin_server();
    admin_server(const admin_server&) = delete;
    admin_server& operator=(const admin_server&) = delete;

    // --- before start; what they are given runs on the server's thread ---

    // What `path` answers with.
    void add(std::string path, audience who, std::function<admin_page()> make);
    // The same for an answer that has to be waited for, by the query behind the path's `?`: calls
    // `done` once, on any thread, while the server lives. After 10 s it is too late.
    using answer_later = std::function<void(admin_page)>;
    void add_waiting(std::string path, audience who,
                     std::function<void(std::string_view query, answer_later done)> begin);
    // A stream of server-sent events with these data, one a second: one line.
    void add_events(std::string path, audience who, std::function<std::string()> make);
    // Once a second.
    void each_second(std::function<void()> work);

    // `address` is a setting: `auto` (port 9464 of 127.0.0.1, or another one if that is taken) or
    // an address that must be had. Gives where it listens.
    [[nodiscard]] std::expected<std::string, std::string> open(const std::string& address,
                                                               inherited_sockets& inherited);
    // After open: who reaches it.
    [[nodiscard]] admin_reach reach() const noexcept { return reach_; }
    void start();

    // --- any thread ---

    // From the next request on; streams that are open go on.
    void guard_by(admin_guard guard);
    // Closes every connection where it is and ends the thread.
    void stop();

    // By the first digit of the status; [0]: connections that were one too many.
    struct request_counters {
        counter by_class[6]{};  // NOLINT(*-avoid-c-arrays): atomics cannot be moved
    };
    [[nodiscard]] const request_counters& requests() const noexcept { return requests_; }

private:
    using socket = boost::asio::generic::stream_protocol::socket;
    // What is kept of a request: the parser goes with it.
    struct request {
        std::string target, authorization, host;
        unsigned version = 11;
        bool head = false, keep_alive = true;

        [[nodiscard]] std::string_view path() const noexcept;
        [[nodiscard]] std::string_view query() const noexcept;  // without the `?`
    };
    struct waiting_page {
        std::function<void(std::string_view query, answer_later done)> begin;
    };
    struct entry {
        audience who = audience::let_in;
        std::variant<std::function<admin_page()>, waiting_page, std::unique_ptr<event_feed>> how;
    };

    template <typename Acceptor>
    boost::asio::awaitable<void> accept_all(Acceptor& acceptor);
    boost::asio::awaitable<void> serve(socket connection, std::shared_ptr<void> place);
    // Each says whether the connection goes on.
    boost::asio::awaitable<bool> converse(admin_stream& stream, boost::beast::flat_buffer& buffer);
    boost::asio::awaitable<bool> answer(admin_stream& stream, const request& asked);
    boost::asio::awaitable<bool> send_page(admin_stream& stream, const request& asked,
                                           admin_page page);
    boost::asio::awaitable<bool> send_events(admin_stream& stream, const request& asked,
                                             event_feed& from);
    boost::asio::awaitable<admin_page> wait_for(const waiting_page& page, std::string_view query);
    [[nodiscard]] admin_page not_found() const;
    boost::asio::awaitable<void> beat();

    request_counters requests_;
    std::size_t open_ = 0;
    admin_guard guard_;
    admin_reach reach_ = admin_reach::network;
    std::vector<std::function<void()>> works_;
    // Behind what its connections use, before what listens on it.
    boost::asio::io_context io_{1};
    // Their connections' coroutines go with io_, which is emptied by stop.
    std::map<std::string, entry, std::less<>> entries_;
    std::unique_ptr<listening> at_;
    std::thread thread_;
};

}  // namespace tickd
