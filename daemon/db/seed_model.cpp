#include "daemon/db/seed_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <format>

#include "ingest/decimal.h"

namespace tickd {

namespace {

constexpr std::int64_t one = 100'000'000;  // 1.00000000

struct instrument {
    std::string_view symbol, source;
    std::int64_t price;       // where the walk begins, units of 10^-8
    std::int64_t step;        // the smallest move of a price, units of 10^-8
    std::int64_t lot;         // the smallest volume, units of 10^-8
    double daily_volatility;  // standard deviation of a day's return
    unsigned weight;          // share of the ticks
};

// Prices near those of late 2024: people recognise them.
constexpr std::array instruments{
    instrument{"BTCUSDT", "binance", 65'000 * one, one / 100, one / 1000, 0.025, 12},
    instrument{"ETHUSDT", "binance", 3'200 * one, one / 100, one / 100, 0.03, 10},
    instrument{"SOLUSDT", "binance", 155 * one, one / 100, one / 10, 0.04, 8},
    instrument{"XRPUSDT", "binance", one * 6 / 10, one / 10'000, one, 0.035, 6},
    instrument{"DOGEUSDT", "binance", one * 12 / 100, one / 100'000, one, 0.05, 5},
    instrument{"ADAUSDT", "binance", one * 45 / 100, one / 10'000, one, 0.04, 4},
    instrument{"SHIBUSDT", "binance", 1'800, 1, 1000 * one, 0.05, 4},
    instrument{"AVAXUSDT", "binance", 27 * one, one / 100, one / 10, 0.045, 3},
    instrument{"LINKUSDT", "binance", 12 * one, one / 1000, one / 10, 0.04, 3},
    instrument{"LTCUSDT", "binance", 68 * one, one / 100, one / 10, 0.03, 3},
    instrument{"EURUSD", "fx-primary", one * 109 / 100, one / 100'000, 100'000 * one, 0.004, 10},
    instrument{"GBPUSD", "fx-primary", one * 131 / 100, one / 100'000, 100'000 * one, 0.005, 7},
    instrument{"USDJPY", "fx-primary", 147 * one, one / 1000, 100'000 * one, 0.006, 8},
    instrument{"USDCHF", "fx-primary", one * 86 / 100, one / 100'000, 100'000 * one, 0.004, 4},
    instrument{"AUDUSD", "fx-primary", one * 67 / 100, one / 100'000, 100'000 * one, 0.006, 4},
    instrument{"USDCAD", "fx-primary", one * 136 / 100, one / 100'000, 100'000 * one, 0.004, 4},
    instrument{"NZDUSD", "fx-primary", one * 61 / 100, one / 100'000, 100'000 * one, 0.006, 3},
    instrument{"EURGBP", "fx-primary", one * 84 / 100, one / 100'000, 100'000 * one, 0.003, 3},
    instrument{"EURJPY", "fx-primary", 160 * one, one / 1000, 100'000 * one, 0.006, 3},
    instrument{"XAUUSD", "metals", 2'480 * one, one / 100, one, 0.009, 6},
    instrument{"XAGUSD", "metals", 29 * one, one / 1000, 10 * one, 0.016, 3},
    instrument{"CL1", "energy", 76 * one, one / 100, one, 0.02, 5},
    instrument{"NG1", "energy", one * 21 / 10, one / 1000, one, 0.035, 3},
    instrument{"AAPL", "equities", 224 * one, one / 100, 100 * one, 0.014, 6},
    instrument{"MSFT", "equities", 415 * one, one / 100, 100 * one, 0.013, 5},
    instrument{"NVDA", "equities", 118 * one, one / 100, 100 * one, 0.03, 7},
    instrument{"AMZN", "equities", 176 * one, one / 100, 100 * one, 0.018, 5},
    instrument{"GOOGL", "equities", 164 * one, one / 100, 100 * one, 0.016, 4},
    instrument{"TSLA", "equities", 221 * one, one / 100, 100 * one, 0.035, 6},
    instrument{"JPM", "equities", 216 * one, one / 100, 100 * one, 0.012, 3},
    instrument{"XOM", "equities", 117 * one, one / 100, 100 * one, 0.013, 3},
    instrument{"KO", "equities", 69 * one, one / 100, 100 * one, 0.008, 2},
    instrument{"SPY", "equities", 555 * one, one / 100, 100 * one, 0.008, 8},
    instrument{"QQQ", "equities", 475 * one, one / 100, 100 * one, 0.011, 6},
    instrument{"TLT", "equities", 97 * one, one / 100, 100 * one, 0.009, 3},
    instrument{"VIX", "indices", 17 * one, one / 100, one, 0.08, 2},
};

constexpr std::array<std::string_view, 8> tenant_names{"Aldermoor Capital",
                                                       "Brightwater Partners",
                                                       "Cairnfield Macro",
                                                       "Dunmere Trading",
                                                       "Elmstead Pension Trust",
                                                       "Fernhollow Quant",
                                                       "Greyfriars Asset Management",
                                                       "Harrowgate Desk"};
constexpr std::array<std::string_view, 3> portfolio_names{"Core", "Relative value", "Overnight"};
constexpr std::array<std::string_view, 5> actions{"decision", "order_proposed", "risk_check",
                                                  "rebalance", "alert"};

constexpr unsigned all_weights() {
    unsigned sum = 0;
    for (const instrument& each : instruments) sum += each.weight;
    return sum;
}

// The distributions of <random> differ between standard libraries; these do not. `count` > 0.
std::uint64_t below(std::mt19937_64& random, std::uint64_t count) { return random() % count; }

double unit(std::mt19937_64& random) { return static_cast<double>(random() >> 11U) * 0x1.0p-53; }

// Near enough to a normal distribution: mean 0, deviation 1.
double gauss(std::mt19937_64& random) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit(random);
    return sum;
}

// Version 4 by its bits, though it follows from the seed.
std::string make_uuid(std::mt19937_64& random) {
    const std::uint64_t high = (random() & ~0xF000ULL) | 0x4000ULL;
    const std::uint64_t low = (random() >> 2U) | (1ULL << 63U);
    return std::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU,
                       high & 0xFFFFU, low >> 48U, low & 0xFFFF'FFFF'FFFFULL);
}

}  // namespace

std::string seed_decimal(std::int64_t value) {
    const auto magnitude = static_cast<std::uint64_t>(std::llabs(value));
    return std::format("{}{}.{:08}", value < 0 ? "-" : "", magnitude / one, magnitude % one);
}

seed_model::seed_model(const seed_options& options)
    : options_(options),
      names_(options.seed),
      prices_(options.seed ^ 0x7469'636B'6400'0001ULL),
      deeds_(options.seed ^ 0x7469'636B'6400'0002ULL),
      walks_(instruments.size()),
      // 50,000 ticks a slice: sorted by symbol they are as fast to take as larger ones, and
      // neighbours in time stay neighbours on disk.
      slices_(options.ticks / 50'000 + 1) {
    make_tenants();
    make_portfolios();
    for (std::size_t i = 0; i < instruments.size(); ++i) {
        walks_[i] = {static_cast<double>(instruments[i].price), options.until_us - span_us};
    }
}

void seed_model::make_tenants() {
    for (std::uint32_t i = 0; i < options_.tenants; ++i) {
        std::string name(tenant_names[i % tenant_names.size()]);
        if (i >= tenant_names.size()) name += std::format(" {}", i / tenant_names.size() + 1);
        if (options_.seed != 1) name += std::format(" (seed {})", options_.seed);
        tenants_.push_back({make_uuid(names_), std::move(name)});
    }
}

void seed_model::make_portfolios() {
    for (std::size_t tenant = 0; tenant < tenants_.size(); ++tenant) {
        for (const std::string_view name : portfolio_names) {
            seed_portfolio portfolio{make_uuid(names_), tenant, name, {}};
            const std::uint64_t count = 6 + below(names_, 7);
            std::size_t at = below(names_, instruments.size());
            for (std::uint64_t i = 0; i < count; ++i) {
                // 5 and 36 have no common divisor: twelve steps meet twelve instruments.
                at = (at + 5) % instruments.size();
                const instrument& held = instruments[at];
                const auto lots = static_cast<std::int64_t>(1 + below(names_, 400));
                const auto percent = static_cast<std::int64_t>(94 + below(names_, 13));
                const std::int64_t side = below(names_, 4) == 0 ? -1 : 1;
                portfolio.positions.push_back({held.symbol, side * lots * held.lot,
                                               held.price / 100 * percent / held.step * held.step});
            }
            portfolios_.push_back(std::move(portfolio));
        }
    }
}

std::uint64_t seed_model::ticks_before(std::uint64_t slice, std::size_t symbol) const {
    std::uint64_t weights = slice * all_weights();
    for (std::size_t i = 0; i < symbol; ++i) weights += instruments[i].weight;
    const ingest::uint128 share = ingest::uint128{options_.ticks} * weights;
    return static_cast<std::uint64_t>(share / (slices_ * all_weights()));
}

// Steps to the next cell that holds a tick; false when there is none.
bool seed_model::open_cell() {
    while (cell_given_ == cell_ticks_) {
        if (cell_open_ && ++symbol_ == instruments.size()) {
            symbol_ = 0;
            ++slice_;
        }
        cell_open_ = true;
        if (slice_ == slices_) return false;
        cell_ticks_ = ticks_before(slice_, symbol_ + 1) - ticks_before(slice_, symbol_);
        cell_given_ = 0;
    }
    return true;
}

void seed_model::move_price(std::size_t symbol, std::int64_t time_us) {
    const instrument& traded = instruments[symbol];
    walk& walked = walks_[symbol];
    const double days = static_cast<double>(time_us - walked.last_time_us) / 86'400e6;
    walked.last_time_us = time_us;
    walked.price *= 1 + traded.daily_volatility * std::sqrt(days) * gauss(prices_);
    const auto start = static_cast<double>(traded.price);
    walked.price = std::clamp(walked.price, start * 0.5, start * 2);
}

bool seed_model::next(seed_tick& tick) {
    if (slice_ == slices_ || !open_cell()) return false;
    const instrument& traded = instruments[symbol_];
    // Every cell gives each of its ticks a stretch of time of its own.
    const auto slices = static_cast<std::int64_t>(slices_);
    const std::int64_t slice_us = span_us / slices;
    const std::int64_t stretch_us = slice_us / static_cast<std::int64_t>(cell_ticks_);
    tick.time_us = options_.until_us - slice_us * (slices - static_cast<std::int64_t>(slice_)) +
                   stretch_us * static_cast<std::int64_t>(cell_given_) +
                   static_cast<std::int64_t>(below(
                       prices_, static_cast<std::uint64_t>(std::max<std::int64_t>(stretch_us, 1))));
    ++cell_given_;

    move_price(symbol_, tick.time_us);
    const auto spread = static_cast<std::int64_t>(1 + below(prices_, 3));
    const std::int64_t steps = std::llround(walks_[symbol_].price) / traded.step;
    const auto lots = static_cast<std::int64_t>(1 + below(prices_, 1 + below(prices_, 500)));
    tick.symbol = traded.symbol;
    tick.bid = steps * traded.step;
    tick.ask = tick.bid + spread * traded.step;
    tick.mid = static_cast<std::int64_t>(ingest::mid_of(tick.bid, tick.ask));
    tick.volume = lots * traded.lot;
    tick.source = traded.source;
    tick.metadata = below(prices_, 50) == 0 ? R"({"condition": "auction"})" : "";
    tick.tenant.reset();
    if (!tenants_.empty() && below(prices_, 32) == 0) {
        tick.tenant = below(prices_, tenants_.size());
        tick.source = "desk-marks";
    }
    return true;
}

std::string seed_model::event_payload(std::string_view action, std::size_t symbol) {
    const instrument& traded = instruments[symbol];
    const std::int64_t price = std::llround(walks_[symbol].price) / traded.step * traded.step;
    const std::uint64_t lots = 1 + below(deeds_, 200);
    const std::string_view side = below(deeds_, 2) == 0 ? "buy" : "sell";
    if (action == "risk_check") {
        return std::format(R"({{"limit": "gross", "used_percent": {}.{}, "passed": {}}})",
                           below(deeds_, 100), below(deeds_, 10), below(deeds_, 20) != 0);
    }
    if (action == "rebalance") {
        return std::format(R"({{"portfolio": "{}", "legs": [{{"symbol": "{}", "lots": {}}}]}})",
                           portfolio_names[below(deeds_, portfolio_names.size())], traded.symbol,
                           lots);
    }
    if (action == "alert") {
        return std::format(R"({{"symbol": "{}", "kind": "stale_quote", "seconds": {}}})",
                           traded.symbol, 5 + below(deeds_, 55));
    }
    return std::format(
        R"({{"symbol": "{}", "side": "{}", "lots": {}, "price": {}, "confidence": 0.{:02}}})",
        traded.symbol, side, lots, seed_decimal(price), below(deeds_, 100));
}

bool seed_model::next(seed_event& event) {
    if (events_given_ == event_count()) return false;
    const std::int64_t stretch_us = span_us / static_cast<std::int64_t>(event_count());
    event.time_us = options_.until_us - span_us +
                    stretch_us * static_cast<std::int64_t>(events_given_) +
                    static_cast<std::int64_t>(below(
                        deeds_, static_cast<std::uint64_t>(std::max<std::int64_t>(stretch_us, 1))));
    ++events_given_;
    event.created_us = event.time_us + 200 + static_cast<std::int64_t>(below(deeds_, 5'000));
    event.agent_id = std::format("agent-{}", 1 + below(deeds_, 12));
    event.action_type = actions[below(deeds_, actions.size())];
    event.payload = event_payload(event.action_type, below(deeds_, instruments.size()));
    event.metadata = below(deeds_, 4) == 0 ? R"({"model": "m-2", "version": 3})" : "";
    event.session_id = make_uuid(deeds_);
    event.tenant.reset();
    if (!tenants_.empty()) event.tenant = below(deeds_, tenants_.size());
    return true;
}

}  // namespace tickd
