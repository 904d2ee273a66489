// One connection of the admin server: requests in, pages and events out.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "daemon/admin/admin_server.h"
#include "daemon/log.h"
#include "ingest/limits.h"

namespace tickd {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
// From the first byte of a request to its last, for a page that is waited for, and for an answer
// to be read.
constexpr std::chrono::seconds patience{10};
// What a peer that was answered and is to be closed may still have on its way.
constexpr std::chrono::seconds farewell_time{1};
constexpr std::size_t farewell_bytes_max = std::size_t{64} * 1024;

[[nodiscard]] admin_page plain(unsigned status, std::string text) {
    return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

template <typename Body>
void set_common(http::response<Body>& response, const std::string& content_type) {
    response.set(http::field::content_type, content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Cross-Origin-Resource-Policy", "same-origin");
}

[[nodiscard]] http::response<http::string_body> response_of(admin_page page, unsigned version,
                                                            bool keep_alive, bool head) {
    http::response<http::string_body> response(http::int_to_status(page.status), version);
    set_common(response, page.content_type);
    for (const auto& [name, value] : page.headers) response.set(name, value);
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

[[nodiscard]] admin_page refusal_of(admin_guard::verdict why) {
    if (why == admin_guard::verdict::unknown) {
        admin_page page = plain(401, "the secret of admin.token_file is needed\n");
        page.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tickd\"");
        return page;
    }
    return plain(403, why == admin_guard::verdict::closed
                          ? "not on a network without admin.token_file\n"
                          : "not under this name: ask for localhost or an address\n");
}

[[nodiscard]] admin_page made(std::string_view path, const std::function<admin_page()>& make) {
    try {
        return make();
    } catch (const std::exception& failed) {
        spdlog::error("admin: {}: {}", path, failed.what());
        return plain(500, "it could not be made\n");
    }
}

}  // namespace

std::string_view admin_server::request::path() const noexcept {
    return std::string_view(target).substr(0, target.find('?'));
}

std::string_view admin_server::request::query() const noexcept {
    const std::size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view{}
                                     : std::string_view(target).substr(mark + 1);
}

asio::awaitable<void> admin_server::serve(socket connection, std::shared_ptr<void> /*place*/) {
    admin_stream stream(std::move(connection));
    beast::flat_buffer buffer(ingest::limits::admin_request_bytes_max);
    while (co_await converse(stream, buffer)) {
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

asio::awaitable<bool> admin_server::converse(admin_stream& stream, beast::flat_buffer& buffer) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(ingest::limits::admin_request_bytes_max);
    stream.expires_after(patience);
    const auto [failed, bytes] = co_await http::async_read(stream, buffer, parser, no_throw);
    request asked;
    if (failed) {
        const unsigned status = status_of(failed);
        if (status == 0) co_return false;
        asked.keep_alive = false;
        co_return co_await send_page(stream, asked, plain(status, failed.message() + '\n'));
    }
    const auto& got = parser.get();
    asked = {.target = std::string(got.target()),
             .authorization = std::string(got[http::field::authorization]),
             .host = std::string(got[http::field::host]),
             .version = got.version(),
             .head = got.method() == http::verb::head,
             .keep_alive = got.keep_alive()};
    if (!asked.head && got.method() != http::verb::get) {
        admin_page page = plain(405, "GET and HEAD only\n");
        page.headers.emplace_back("Allow", "GET, HEAD");
        co_return co_await send_page(stream, asked, std::move(page));
    }
    co_return co_await answer(stream, asked);
}

asio::awaitable<bool> admin_server::answer(admin_stream& stream, const request& asked) {
    const auto found = entries_.find(asked.path());
    if (found == entries_.end()) co_return co_await send_page(stream, asked, not_found());
    const entry& what = found->second;
    if (what.who == audience::let_in) {
        const auto judged = guard_.judge(reach_, asked.authorization, asked.host);
        if (judged != admin_guard::verdict::welcome) {
            co_return co_await send_page(stream, asked, refusal_of(judged));
        }
    }
    if (const auto* feed = std::get_if<std::unique_ptr<event_feed>>(&what.how)) {
        co_return co_await send_events(stream, asked, **feed);
    }
    if (const auto* waiting = std::get_if<waiting_page>(&what.how)) {
        admin_page page = co_await wait_for(*waiting, asked.query());
        co_return co_await send_page(stream, asked, std::move(page));
    }
    co_return co_await send_page(
        stream, asked, made(found->first, std::get<std::function<admin_page()>>(what.how)));
}

admin_page admin_server::not_found() const {
    std::string known;
    for (const auto& [path, what] : entries_) known += path + '\n';
    return plain(404, "There is:\n" + known);
}

asio::awaitable<bool> admin_server::send_page(admin_stream& stream, const request& asked,
                                              admin_page page) {
    tickd::add(requests_.by_class[std::min(page.status / 100, 5U)], 1);
    auto response = response_of(std::move(page), asked.version, asked.keep_alive, asked.head);
    http::serializer<false, http::string_body> serializer(response);
    serializer.split(asked.head);
    stream.expires_after(patience);
    const auto [unsent, sent] =
        asked.head ? co_await http::async_write_header(stream, serializer, no_throw)
                   : co_await http::async_write(stream, serializer, no_throw);
    co_return !unsent && asked.keep_alive;
}

// Its end is that of the connection.
asio::awaitable<bool> admin_server::send_events(admin_stream& stream, const request& asked,
                                                event_feed& from) {
    const std::shared_ptr<void> place = from.join();
    if (!place) {
        admin_page page = plain(503, "as many look as may: close another page\n");
        page.headers.emplace_back("Retry-After", "10");
        co_return co_await send_page(stream, asked, std::move(page));
    }
    tickd::add(requests_.by_class[2], 1);
    http::response<http::empty_body> head(http::status::ok, asked.version);
    set_common(head, "text/event-stream");
    head.keep_alive(false);
    http::serializer<false, http::empty_body> serializer(head);
    stream.expires_after(patience);
    const auto [unsent, sent] = co_await http::async_write_header(stream, serializer, no_throw);
    if (unsent || asked.head) co_return false;
    boost::system::error_code ignored;
    stream.socket().set_option(
        asio::socket_base::send_buffer_size(ingest::limits::admin_stream_buffer_bytes), ignored);
    co_await from.send_to(stream);
    co_return false;
}

asio::awaitable<admin_page> admin_server::wait_for(const waiting_page& page,
                                                   std::string_view query) {
    struct slot {
        explicit slot(asio::io_context& io) : made(io, patience) {}
        std::optional<admin_page> page;
        asio::steady_timer made;
    };
    const auto here = std::make_shared<slot>(io_);
    // Only this thread may hold the slot: its timer belongs to it.
    page.begin(query, [this, there = std::weak_ptr(here)](admin_page answer) {
        asio::post(io_, [there, answer = std::move(answer)]() mutable {
            const auto waiting = there.lock();
            if (!waiting) return;
            waiting->page = std::move(answer);
            waiting->made.cancel();
        });
    });
    co_await here->made.async_wait(no_throw);
    co_return here->page ? std::move(*here->page) : plain(504, "it took too long\n");
}

}  // namespace tickd
