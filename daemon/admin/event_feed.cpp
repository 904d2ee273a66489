#include "daemon/admin/event_feed.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <exception>
#include <utility>

#include "daemon/log.h"
#include "ingest/limits.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
// For the kernel to take an event, whose buffer holds ten of them already.
constexpr std::chrono::seconds patience{5};

}  // namespace

event_feed::event_feed(const asio::any_io_executor& executor, std::function<std::string()> make)
    : make_(std::move(make)), next_(executor, asio::steady_timer::time_point::max()) {}

std::shared_ptr<void> event_feed::join() {
    if (*readers_ >= ingest::limits::admin_streams_max) return nullptr;
    ++*readers_;
    // A place may be given back when the feed is no more: with the server's last connections.
    return {static_cast<void*>(this), [readers = readers_](void*) { --*readers; }};
}

void event_feed::renew() {
    try {
        newest_ = std::make_shared<const std::string>("data: " + make_() + "\n\n");
        ++number_;
    } catch (const std::exception& failed) {
        static log_limiter limiter;
        log_limited(limiter, spdlog::level::err, "admin: events: {}", failed.what());
    }
}

void event_feed::beat() {
    if (*readers_ == 0) return;
    renew();
    next_.cancel();
}

asio::awaitable<void> event_feed::send_to(admin_stream& reader) {
    renew();
    std::uint64_t sent = 0;
    for (;;) {
        if (sent == number_) {
            co_await next_.async_wait(no_throw);
            continue;
        }
        sent = number_;
        // Its own reference: the newest is another by the time it has gone out.
        const std::shared_ptr<const std::string> event = newest_;
        reader.expires_after(patience);
        const auto [failed, bytes] = co_await asio::async_write(
            reader, asio::buffer(event->data(), event->size()), no_throw);
        if (failed) co_return;
    }
}

}  // namespace tickd
