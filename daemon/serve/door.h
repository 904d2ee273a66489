// Where connections come in. Listens, accepts, reads a connection's first line to learn whether it
// is an acked producer's hello, asks for its credential where the listener wants one, and hands the
// connection to the lane that will keep it for life: a producer's lane follows from its name, plain
// sessions take turns.
//
// Runs on the main thread's io_context.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/identity/identity_map.h"
#include "daemon/identity/token_watch.h"
#include "daemon/log.h"
#include "daemon/serve/counters.h"
#include "daemon/serve/lane.h"
#include "daemon/serve/listening.h"
#include "ingest/hello.h"
#include "ingest/session_messages.h"

namespace tickd {

// A place among at most `sessions_max`, which is given back with the last copy, and `further` with
// it. Null: there is none.
[[nodiscard]] std::shared_ptr<void> place_among(
    std::shared_ptr<std::atomic<std::uint32_t>> sessions, std::uint64_t sessions_max,
    std::shared_ptr<void> further = nullptr);

class door {
public:
    door(boost::asio::io_context& io, const config& settings,
         std::vector<std::unique_ptr<lane>>& lanes);
    // Where tokens are looked up. Needed before open if a listener asks for them; outlives the
    // door.
    void use_tokens(const token_watch& tokens) noexcept { tokens_ = &tokens; }
    ~door();

    // Binds every listener that was not inherited, then accepts on all. On failure nothing accepts,
    // and the text says which address could not be had and why.
    [[nodiscard]] std::expected<void, std::string> open(inherited_sockets& inherited);

    // Reads the certificates and keys that `next` names and gives what swaps in all that may
    // change while it listens, for those listeners of the same name: certificates, identities and
    // limits for who comes from then on, rules for sessions that are open, too. Or says what is
    // wrong, and nothing has changed.
    [[nodiscard]] std::expected<std::function<void()>, std::string> prepare(const config& next);
    // Accepts no more; connections that are still being greeted are closed.
    void close();

    // The addresses listened on, with the port the system chose where 0 was asked for.
    [[nodiscard]] std::vector<std::string> addresses() const;

    struct counted_listener {
        std::string name;
        std::shared_ptr<const listener_counters> counters;
    };
    // After open. What it gives may be read on any thread.
    [[nodiscard]] std::vector<counted_listener> counted() const;
    // Whether connections are accepted. Any thread.
    [[nodiscard]] bool is_open() const noexcept { return open_.load(); }

private:
    struct listener {
        listener_config settings;
        ingest::record_rules rules;
        listening at;
        tls_context tls;                   // null: none
        std::shared_ptr<flow_limit> flow;  // null: none
        std::shared_ptr<listener_counters> counters;
        std::unique_ptr<log_limiter> complaints = std::make_unique<log_limiter>();
    };

    // What a tenant's sessions have in common. Kept for life: tenants are few.
    struct tenant_share {
        std::shared_ptr<flow_limit> flow;  // null: none
        std::shared_ptr<std::atomic<std::uint32_t>> sessions;
    };
    // What comes before the lane knows of a connection.
    struct first_line {
        std::string bytes;
        std::size_t line_end = std::string::npos;
        bool done = false;  // it is whole, or will never be a hello, or the connection has ended
    };
    struct admission {
        credential who;
        std::function<bool()> still_good;  // null: for life
    };
    struct rejection {
        ingest::session_error code = ingest::session_error::unauthenticated;
        std::string_view detail;  // static storage
    };
    using identified = std::expected<admission, rejection>;

    template <typename Acceptor>
    boost::asio::awaitable<void> accept_all(listener& at, Acceptor& acceptor);
    boost::asio::awaitable<void> greet(stream_socket socket, int family, listener& at,
                                       std::string name, std::shared_ptr<void> place);
    boost::asio::awaitable<void> shake_hands(wire& peer, tls_session session, std::string& failure);
    boost::asio::awaitable<bool> read_part(wire& peer, first_line& line);
    boost::asio::awaitable<void> read_first_line(wire& peer, first_line& line);
    boost::asio::awaitable<void> await_first_line(wire& peer, first_line& line);
    boost::asio::awaitable<identified> identify(wire& peer, const listener& at,
                                                const std::optional<ingest::hello>& hello,
                                                std::chrono::steady_clock::time_point give_up_at);
    boost::asio::awaitable<identified> identify_by_token(
        const std::string& token, std::chrono::steady_clock::time_point give_up_at);
    boost::asio::awaitable<void> turn_away(wire& peer, listener& at, const std::string& name,
                                           ingest::session_error why, std::string_view detail);
    void replace(const config& next);
    [[nodiscard]] std::shared_ptr<void> place_at(listener& at);
    [[nodiscard]] tenant_share& share_of(const ingest::uuid& tenant);
    [[nodiscard]] session_limits limits_at(const listener& at) const;
    [[nodiscard]] lane& lane_for(const std::string& producer);

    boost::asio::io_context& io_;
    const config& settings_;
    std::vector<std::unique_ptr<lane>>& lanes_;
    identity_map identities_;
    const token_watch* tokens_ = nullptr;
    std::map<ingest::uuid, tenant_share> tenants_;
    std::list<listener> listeners_;
    std::uint64_t next_session_id_ = 1;
    std::size_t next_lane_ = 0;
    bool closed_ = false;
    std::atomic<bool> open_{false};
};

}  // namespace tickd
