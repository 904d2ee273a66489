// The admin server's life: where it listens, who is taken in, what happens once a second.
#include "daemon/admin/admin_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <chrono>
#include <type_traits>
#include <utility>

#include "daemon/serve/thread_name.h"
#include "ingest/limits.h"

namespace tickd {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view automatic = "auto";
constexpr std::uint16_t usual_port = 9464;

// By the socket itself, which may be inherited: what was configured need not be where it is bound.
[[nodiscard]] admin_reach reach_of(const listening& at) {
    return std::visit(
        [](const auto& acceptor) {
            using protocol = std::remove_cvref_t<decltype(acceptor)>::protocol_type;
            if constexpr (std::is_same_v<protocol, asio::ip::tcp>) {
                boost::system::error_code failed;
                const auto where = acceptor.local_endpoint(failed);
                return !failed && where.address().is_loopback() ? admin_reach::loopback
                                                                : admin_reach::network;
            } else {
                return admin_reach::socket_file;
            }
        },
        at.acceptor);
}

}  // namespace

admin_server::~admin_server() { stop(); }

void admin_server::add(std::string path, audience who, std::function<admin_page()> make) {
    entries_.insert_or_assign(std::move(path), entry{.who = who, .how = std::move(make)});
}

void admin_server::add_waiting(
    std::string path, audience who,
    std::function<void(std::string_view query, answer_later done)> begin) {
    entries_.insert_or_assign(std::move(path),
                              entry{.who = who, .how = waiting_page{std::move(begin)}});
}

void admin_server::add_events(std::string path, audience who, std::function<std::string()> make) {
    auto feed = std::make_unique<event_feed>(io_.get_executor(), std::move(make));
    works_.emplace_back([feed = feed.get()] { feed->beat(); });
    entries_.insert_or_assign(std::move(path), entry{.who = who, .how = std::move(feed)});
}

void admin_server::each_second(std::function<void()> work) { works_.push_back(std::move(work)); }

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
    reach_ = reach_of(*at_);
    return bound_address(*at_);
}

void admin_server::start() {
    std::visit(
        [this](auto& acceptor) { asio::co_spawn(io_, accept_all(acceptor), asio::detached); },
        at_->acceptor);
    asio::co_spawn(io_, beat(), asio::detached);
    thread_ = std::thread([this] {
        name_this_thread("admin", 0);
        io_.run();
    });
}

void admin_server::guard_by(admin_guard guard) {
    asio::post(io_, [this, guard] { guard_ = guard; });
}

void admin_server::stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    if (at_ && !at_->unix_path.empty()) ::unlink(at_->unix_path.c_str());
    at_.reset();
}

asio::awaitable<void> admin_server::beat() {
    asio::steady_timer second(io_);
    auto due = std::chrono::steady_clock::now();
    for (;;) {
        for (const auto& work : works_) work();
        // From the time it was due, so that seconds do not drift; late ones are left out.
        due = std::max(due + std::chrono::seconds(1), std::chrono::steady_clock::now());
        second.expires_at(due);
        co_await second.async_wait(no_throw);
    }
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

}  // namespace tickd
