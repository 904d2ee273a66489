// Made-up market data, tenants and activity that are worth looking at: the same for the same
// options on every machine. Pure: no clock, no database, no randomness but the seed's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tickd {

struct seed_options {
    std::uint64_t ticks = 100'000;
    std::uint32_t tenants = 3;
    std::uint64_t seed = 1;
    std::int64_t until_us = 0;  // since 1970: everything lies in the days before it
};

struct seed_tenant {
    std::string id;  // a UUID
    std::string name;
};

struct seed_position {
    std::string_view symbol;
    std::int64_t quantity = 0;       // units of 10^-8; negative: short
    std::int64_t average_price = 0;  // units of 10^-8
};

struct seed_portfolio {
    std::string id;
    std::size_t tenant = 0;  // index into tenants()
    std::string_view name;
    std::vector<seed_position> positions;  // distinct symbols
};

struct seed_tick {
    std::int64_t time_us = 0;
    std::string_view symbol;
    std::int64_t bid = 0, ask = 0, mid = 0, volume = 0;  // units of 10^-8
    std::string_view source;
    std::string_view metadata;          // JSON; empty: none
    std::optional<std::size_t> tenant;  // none: shared
};

struct seed_event {
    std::int64_t time_us = 0, created_us = 0;
    std::string agent_id;
    std::string_view action_type;
    std::string payload, metadata;  // JSON; metadata empty: none
    std::string session_id;         // a UUID
    std::optional<std::size_t> tenant;
};

class seed_model {
public:
    static constexpr std::int64_t span_us = 5LL * 86'400 * 1'000'000;

    explicit seed_model(const seed_options& options);

    [[nodiscard]] const std::vector<seed_tenant>& tenants() const noexcept { return tenants_; }
    [[nodiscard]] const std::vector<seed_portfolio>& portfolios() const noexcept {
        return portfolios_;
    }

    // The next tick of options.ticks; false after the last. Ticks come in slices of time, and
    // inside a slice by symbol and time: the order in which the table takes them fastest.
    [[nodiscard]] bool next(seed_tick& tick);

    // One activity event for every twenty ticks.
    [[nodiscard]] std::uint64_t event_count() const noexcept { return options_.ticks / 20; }
    // The next of them, ascending in time; false after the last.
    [[nodiscard]] bool next(seed_event& event);

private:
    struct walk {
        double price = 0;  // of the simulation only: what is given out is a count of price steps
        std::int64_t last_time_us = 0;
    };

    void make_tenants();
    void make_portfolios();
    [[nodiscard]] std::uint64_t ticks_before(std::uint64_t slice, std::size_t symbol) const;
    bool open_cell();
    void move_price(std::size_t symbol, std::int64_t time_us);
    std::string event_payload(std::string_view action, std::size_t symbol);

    seed_options options_;
    std::mt19937_64 names_, prices_, deeds_;  // apart, so that one count does not shift another
    std::vector<seed_tenant> tenants_;
    std::vector<seed_portfolio> portfolios_;
    std::vector<walk> walks_;  // one per symbol
    std::uint64_t slices_ = 1;
    std::uint64_t slice_ = 0;  // the cell being given out: a slice of one symbol
    std::size_t symbol_ = 0;
    std::uint64_t cell_ticks_ = 0, cell_given_ = 0;
    bool cell_open_ = false;
    std::uint64_t events_given_ = 0;
};

// `65123.45000000`: a count of 10^-8 as NUMERIC(*,8) prints it.
[[nodiscard]] std::string seed_decimal(std::int64_t value);

}  // namespace tickd
