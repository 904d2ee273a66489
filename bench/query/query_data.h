// A database to be queried: one symbol with more than a million ticks, among others or alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "bench/load/bench_server.h"
#include "tests/support/daemon_process.h"

namespace bench {

struct query_dataset {
    std::string name;         // `EURUSD`, `10 M`
    std::string description;  // for the report
    bool recorded = false;    // the recording; else made up
    // In all, of made-up ones: 1,144,807 of them are the symbol's, one a second as in the
    // recording, and the rest lie evenly in the same two weeks.
    std::uint64_t rows = 0;
};

class query_data {
public:
    // Loads it through tickd, and waits until the compactor has nothing left to do. `progress`
    // hears how many rows are in.
    query_data(bench_server& server, const query_dataset& what,
               const std::function<void(std::uint64_t)>& progress);
    ~query_data();
    query_data(const query_data&) = delete;
    query_data& operator=(const query_data&) = delete;

    [[nodiscard]] const std::string& conninfo() const noexcept { return conninfo_; }
    // A connection string of a role that sees shared ticks as one tenant.
    [[nodiscard]] std::string as_tenant() const;
    [[nodiscard]] const std::string& symbol() const noexcept { return symbol_; }
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    // Of the symbol: times of its first and last tick, since 1970.
    [[nodiscard]] std::int64_t first_us() const noexcept { return first_us_; }
    [[nodiscard]] std::int64_t last_us() const noexcept { return last_us_; }

    // Sends made-up ticks of other symbols at full rate until the object is gone. They are newer
    // than what is queried, as ticks are that come in while somebody looks back.
    class full_load {
    public:
        full_load(const std::string& address, std::int64_t begin_us);
        ~full_load() = default;

    private:
        std::jthread thread_;
    };
    [[nodiscard]] std::unique_ptr<full_load> under_load() const;
    // Until the compactor has nothing left to do.
    void await_compactor() const;

private:
    void load_recorded(const std::function<void(std::uint64_t)>& progress);
    void load_made_up(std::uint64_t rows, const std::function<void(std::uint64_t)>& progress);
    void make_tenant() const;

    bench_server& server_;
    std::string conninfo_, symbol_;
    std::unique_ptr<tickd::test::daemon_process> daemon_;
    std::uint64_t rows_ = 0;
    std::int64_t first_us_ = 0, last_us_ = 0;
};

// Whether the recording of a million ticks lies beside the checkout.
[[nodiscard]] bool has_recording();

}  // namespace bench
