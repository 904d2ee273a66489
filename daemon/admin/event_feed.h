// Server-sent events: whoever listens gets the newest one at once and then one a second.
//
// An event is made once, however many listen, and only while somebody does. A reader that is slower
// than that misses events; one that takes none for some seconds is closed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tickd {

using admin_stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

// Belongs to the admin server's thread, where `make` runs, too.
class event_feed {
public:
    // `make` gives an event's data: one line.
    event_feed(const boost::asio::any_io_executor& executor, std::function<std::string()> make);

    // A place among limits::admin_streams_max, given back with the last copy; null: none is free.
    [[nodiscard]] std::shared_ptr<void> join();
    // Sends until the reader has gone or has been too slow. The head has been sent.
    boost::asio::awaitable<void> send_to(admin_stream& reader);
    // A second has passed.
    void beat();

private:
    void renew();

    std::function<std::string()> make_;
    std::shared_ptr<std::size_t> readers_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<const std::string> newest_;
    std::uint64_t number_ = 0;  // of the newest
    boost::asio::steady_timer next_;
};

}  // namespace tickd
