#include "daemon/admin/admin_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include "daemon/address.h"
#include "daemon/log.h"
#include "daemon/serve/thread_name.h"
#include "ingest/limits.h"

namespace tickd {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
// From the first byte of a request to its last, and for an answer to be read.
constexpr std::chrono::seconds patience{10};
// What a peer that was answered and is to be closed may still have on its way.
constexpr std::chrono::seconds farewell_time{1};
constexpr std::size_t farewell_bytes_max = std::size_t{64} * 1024;
constexpr std::string_view automatic = "auto";
constexpr std::uint16_t usual_port = 9464;

[[nodiscard]] admin_page plain(unsigned status, std::string text) {
    return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

[[nodiscard]] http::response<http::string_body> response_of(admin_page page, unsigned version,
                                                            bool keep_alive, bool head) {
    http::response<http::string_body> response(http::int_to_status(page.status), version);
    response.set(http::field::content_type, page.content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    if (page.status == 405) response.set(http::field::allow, "GET, HEAD");
    response.keep_alive(keep_alive);
    const std::size_t size = page.body.size();
    if (!head) response.body() = std::move(page.body);
    response.content_length(size);
    return response;
}

// What a request that could not be read is told; 0: nothing, the peer has gone or was too slow.
[[nodiscard]] unsigned status_of(const boost::system::error_code& failed) {
    if (failed == http::error::header_limit || failed == http::error::buffer_overflow) return 431;
    if (failed == http::error::unexpected_body || failed == http::error::body_limit) return 413;
    if (failed == http::error::end_of_stream || failed == http::error::partial_message) return 0;
    return failed.category() == http::make_error_code(http::error::bad_method).category() ? 400 : 0;
}

}  // namespace

admin_server::~admin_server() { stop(); }

void admin_server::add(std::string path, std::function<admin_page()> make) {
    pages_.insert_or_assign(std::move(path), std::move(make));
}

std::expected<std::string, std::string> admin_server::open(const std::string& address,
                                                           inherited_sockets& inherited) {
    tickd::address where{
        .kind = address::family::tcp, .host = "127.0.0.1", .port = usual_port, .path = {}};
    if (address != automatic) {
        const auto given = parse_address(address);
        if (!given) return std::unexpected(given.error());
        where = *given;
    }
    auto opened = listen_at(io_, where, 0660, "admin", inherited);
    if (!opened && address == automatic) {
        where.port = 0;
        opened = listen_at(io_, where, 0660, "admin", inherited);
    }
    if (!opened) return std::unexpected(opened.error());
    at_ = std::make_unique<listening>(std::move(*opened));
    return bound_address(*at_);
}

void admin_server::start() {
    std::visit(
        [this](auto& acceptor) { asio::co_spawn(io_, accept_all(acceptor), asio::detached); },
        at_->acceptor);
    thread_ = std::thread([this] {
        name_this_thread("admin", 0);
        io_.run();
    });
}

void admin_server::stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    if (at_ && !at_->unix_path.empty()) ::unlink(at_->unix_path.c_str());
    at_.reset();
}

template <typename Acceptor>
asio::awaitable<void> admin_server::accept_all(Acceptor& acceptor) {
    for (;;) {
        auto [failed, accepted] = co_await acceptor.async_accept(no_throw);
        if (failed) {
            // Out of descriptors, most likely.
            asio::steady_timer pause(io_, std::chrono::milliseconds(50));
            co_await pause.async_wait(no_throw);
            continue;
        }
        if (open_ >= ingest::limits::admin_connections_max) {
            tickd::add(requests_.by_class[0], 1);
            continue;
        }
        ++open_;
        std::shared_ptr<void> place(static_cast<void*>(this), [this](void*) { --open_; });
        asio::co_spawn(io_, serve(socket(std::move(accepted)), std::move(place)), asio::detached);
    }
}

asio::awaitable<void> admin_server::serve(socket connection, std::shared_ptr<void> /*place*/) {
    beast::basic_stream<asio::generic::stream_protocol> stream(std::move(connection));
    beast::flat_buffer buffer(ingest::limits::admin_request_bytes_max);
    bool keep_alive = true;
    while (keep_alive) {
        http::request_parser<http::empty_body> parser;
        parser.header_limit(ingest::limits::admin_request_bytes_max);
        stream.expires_after(patience);
        const auto [failed, bytes] = co_await http::async_read(stream, buffer, parser, no_throw);
        admin_page page;
        bool head = false;
        unsigned version = 11;
        if (failed) {
            const unsigned status = status_of(failed);
            if (status == 0) break;
            page = plain(status, failed.message() + '\n');
            keep_alive = false;
        } else {
            const auto& request = parser.get();
            head = request.method() == http::verb::head;
            version = request.version();
            keep_alive = request.keep_alive();
            const std::string_view target(request.target().data(), request.target().size());
            page = head || request.method() == http::verb::get ? answer(target)
                                                               : plain(405, "GET and HEAD only\n");
        }
        tickd::add(requests_.by_class[std::min(page.status / 100, 5U)], 1);
        auto response = response_of(std::move(page), version, keep_alive, head);
        http::serializer<false, http::string_body> serializer(response);
        serializer.split(head);
        stream.expires_after(patience);
        const auto [unsent, sent] =
            head ? co_await http::async_write_header(stream, serializer, no_throw)
                 : co_await http::async_write(stream, serializer, no_throw);
        if (unsent) break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    // A close with bytes unread would reset the connection, and the answer with it.
    std::array<char, 4096> rest{};
    stream.expires_after(farewell_time);
    for (std::size_t taken = 0; taken < farewell_bytes_max;) {
        const auto [ended, bytes] =
            co_await stream.async_read_some(asio::buffer(rest.data(), rest.size()), no_throw);
        if (ended) break;
        taken += bytes;
    }
}

admin_page admin_server::answer(std::string_view target) {
    const auto found = pages_.find(target.substr(0, target.find('?')));
    if (found == pages_.end()) {
        std::string known;
        for (const auto& [path, make] : pages_) known += path + '\n';
        return plain(404, "There is:\n" + known);
    }
    try {
        return found->second();
    } catch (const std::exception& failed) {
        spdlog::error("admin: {}: {}", found->first, failed.what());
        return plain(500, "it could not be made\n");
    }
}

}  // namespace tickd
