// The operator's HTTP server: a few read-only pages on a thread of its own, so that whoever looks
// disturbs neither the door nor a lane.
//
// Everything a client can make it spend is bounded: connections, bytes of a request, time of a
// request and of reading the answer. GET and HEAD only; a request has no body.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/serve/counters.h"
#include "daemon/serve/listening.h"

namespace tickd {

struct admin_page {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

class admin_server {
public:
    admin_server() = default;
    ~admin_server();
    admin_server(const admin_server&) = delete;
    admin_server& operator=(const admin_server&) = delete;

    // What `path` answers with; `make` runs on the server's thread. Before start.
    void add(std::string path, std::function<admin_page()> make);

    // `address` is a setting: `auto` (port 9464 of 127.0.0.1, or another one if that is taken) or
    // an address that must be had. Gives where it listens.
    [[nodiscard]] std::expected<std::string, std::string> open(const std::string& address,
                                                               inherited_sockets& inherited);
    void start();
    // Closes every connection where it is and ends the thread.
    void stop();

    // By the first digit of the status; [0]: connections that were one too many. Any thread.
    struct request_counters {
        counter by_class[6]{};  // NOLINT(*-avoid-c-arrays): atomics cannot be moved
    };
    [[nodiscard]] const request_counters& requests() const noexcept { return requests_; }

private:
    using socket = boost::asio::generic::stream_protocol::socket;

    template <typename Acceptor>
    boost::asio::awaitable<void> accept_all(Acceptor& acceptor);
    boost::asio::awaitable<void> serve(socket connection, std::shared_ptr<void> place);
    [[nodiscard]] admin_page answer(std::string_view target);

    std::map<std::string, std::function<admin_page()>, std::less<>> pages_;
    request_counters requests_;
    std::size_t open_ = 0;
    // Behind what its connections use, before what listens on it.
    boost::asio::io_context io_{1};
    std::unique_ptr<listening> at_;
    std::thread thread_;
};

}  // namespace tickd
