// Answers what the chart of the status page asks the database: candles of a symbol up to its newest
// tick, and the symbols that ticked last.
//
// On a thread and a connection of its own, one question at a time, each bounded by a statement
// timeout: neither the admin thread nor a lane waits for it. It connects when somebody asks and
// leaves when nobody has for a minute.
//
// It logs in as the compactor, which may read ticks, and goes on as a reader without a tenant: what
// it can see is market data that everybody shares, and no tenant's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/config/config.h"
#include "daemon/db/link_cutter.h"
#include "daemon/db/pg_connection.h"

namespace tickd {

struct candle_question {
    std::string symbol;           // empty: the one that ticked last
    std::uint32_t bucket_s = 60;  // a multiple of 60
    std::uint32_t count = 120;    // buckets, 1 to limits::candles_max
};

// Of a URL's query, `symbol=BTCUSDT&bucket=60&count=120`, each with a default. An error says which
// of them makes no sense.
[[nodiscard]] std::expected<candle_question, std::string> parse_candle_question(
    std::string_view query);

class candle_desk {
public:
    explicit candle_desk(const config& settings);
    ~candle_desk();  // Cuts off a question that is being asked.
    candle_desk(const candle_desk&) = delete;
    candle_desk& operator=(const candle_desk&) = delete;

    void start();
    // Any thread. `done` is called once with a JSON object, by the desk's thread, or at once when
    // too many wait already; not at all when the desk goes first.
    void ask(candle_question question, std::function<void(std::string)> done);

private:
    struct waiting {
        candle_question question;
        std::function<void(std::string)> done;
    };
    void run();
    [[nodiscard]] std::string answer(const candle_question& question);
    [[nodiscard]] std::expected<void, pg_error> connect();
    void leave();
    [[nodiscard]] std::expected<std::string, pg_error> look_up(const candle_question& question);

    const pg_target target_;
    std::optional<pg_connection> connection_;
    link_cutter cutter_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<waiting> waiting_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace tickd
