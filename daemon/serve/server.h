// The running daemon: lanes, the door, and how both stop.
//
// Stopping goes in this order, and each stage begins when the one before has nothing left:
//   1. the door closes: nobody new comes in;
//   2. sessions take what had arrived and read no more; acked producers are told to drain;
//   3. what is being filled goes to the writers, which commit all they hold;
//   4. settled blocks come home, last acks leave, sessions close;
//   5. threads end.
// A second signal, or stop.drain_timeout, ends it where it is; then the exit code says that
// something was left.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/admin/admin_server.h"
#include "daemon/admin/candle_desk.h"
#include "daemon/admin/observed.h"
#include "daemon/admin/status_board.h"
#include "daemon/compact/compactor.h"
#include "daemon/config/config.h"
#include "daemon/exit_code.h"
#include "daemon/identity/token_watch.h"
#include "daemon/notary/notary.h"
#include "daemon/serve/door.h"
#include "daemon/serve/lane.h"
#include "daemon/serve/producer_figures.h"
#include "daemon/serve/reload.h"
#include "daemon/serve/service_manager.h"
#include "daemon/serve/serving_state.h"

namespace tickd {

class pg_lane_database;

class server {
public:
    // `reread` reads the configuration again, for SIGHUP.
    server(config settings, std::function<loaded_config()> reread);

    // Runs until a signal or a failure ends it. Blocks; call once, from the main thread.
    [[nodiscard]] exit_code run();

private:
    void watch_tokens();
    void await_signal();
    void stop(std::string_view why);
    void watch_lanes();
    void come_round();
    void await_reload();
    void add_reload_parts();
    void feed_watchdog();
    [[nodiscard]] std::string status() const;
    [[nodiscard]] bool open_admin(inherited_sockets& inherited);
    void add_admin_pages();
    [[nodiscard]] exit_code finish();

    config settings_;  // changed by reloads, on the main thread
    reloader reloader_;
    service_manager manager_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_, hang_ups_;
    boost::asio::steady_timer watch_, round_;
    producer_registry producers_;
    serving_state serving_;
    std::vector<std::unique_ptr<lane>> lanes_;
    std::vector<pg_lane_database*> databases_;  // the lanes'
    std::uint64_t rounds_ = 0;
    door door_;
    std::unique_ptr<token_watch> tokens_;  // null: no listener asks for tokens
    std::unique_ptr<notary> notary_;
    std::unique_ptr<compactor> compactor_;
    std::unique_ptr<observed> observed_;  // null: no admin server, and none of the two below
    std::unique_ptr<status_board> board_;
    std::unique_ptr<candle_desk> candles_;
    admin_server admin_;  // before what it shows goes, its thread ends
    bool stopping_ = false;
    std::chrono::steady_clock::time_point stop_by_{};
};

}  // namespace tickd
