#include "bench/query/query_data.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <format>
#include <stdexcept>
#include <string_view>

#include "bench/ingest/tick_workload.h"
#include "bench/load/acked_connection.h"
#include "bench/load/tick_generator.h"
#include "tests/support/pg_query.h"

namespace bench {

namespace {

constexpr std::uint64_t symbol_rows = 1'144'807;  // as many as the recording has
constexpr std::uint32_t other_symbols = 500;
constexpr std::string_view made_up_symbol = "WANTED";
constexpr const char* tenant_role = "bench_tenant";

const tick_workload* recording() {
    static const std::vector<tick_workload> all = tick_workloads();
    const auto found = std::ranges::find_if(all, [](const tick_workload& each) {
        return std::ranges::any_of(each.recorded, [](const std::filesystem::path& file) {
            return file.filename().string().contains("eurusd");
        });
    });
    return found == all.end() ? nullptr : &*found;
}

// Sends lines in pieces, and keeps count of what is acked.
class piece_sender {
public:
    piece_sender(const std::string& address, const std::string& producer)
        : to_(address, producer) {}

    void add(std::string_view line, const std::function<void(std::uint64_t)>& progress) {
        constexpr std::size_t piece_bytes = 4UL * 1024 * 1024;
        piece_ += line;
        ++lines_;
        if (piece_.size() >= piece_bytes) send(progress);
    }
    void finish(const std::function<void(std::uint64_t)>& progress) {
        send(progress);
        while (to_.acked() < lines_) {
            to_.wait(false);
            to_.receive();
            progress(to_.acked());
        }
        if (to_.rejected() != 0) throw std::runtime_error("tickd refused some of the ticks");
    }

private:
    void send(const std::function<void(std::uint64_t)>& progress) {
        for (std::string_view left = piece_; !left.empty();) {
            left.remove_prefix(to_.send_some(left));
            to_.wait(!left.empty(), left.empty() ? 0 : -1);
            to_.receive();
        }
        piece_.clear();
        progress(to_.acked());
    }

    acked_connection to_;
    std::string piece_;
    std::uint64_t lines_ = 0;
};

}  // namespace

bool has_recording() { return recording() != nullptr; }

query_data::query_data(bench_server& server, const query_dataset& what,
                       const std::function<void(std::uint64_t)>& progress)
    : server_(server), conninfo_(server.tickd_database()) {
    daemon_ = std::make_unique<tickd::test::daemon_process>(
        tickd::test::daemon_yaml(tickd::test::as_user(conninfo_, "tickd_ingest")));
    if (!daemon_->ready()) throw std::runtime_error("tickd is not ready:\n" + daemon_->log());
    what.recorded ? load_recorded(progress) : load_made_up(what.rows, progress);
    await_compactor();
    tickd::pg_connection sql = tickd::test::connect(conninfo_);
    tickd::test::run(sql, "VACUUM ANALYZE public.price_telemetry; ");
    for (const char* table : {"price_segment", "price_candle_1m", "price_latest"}) {
        tickd::test::run(sql, std::format("VACUUM ANALYZE public.{}", table));
    }
    const auto bounds = tickd::test::rows(
        sql,
        "SELECT (extract(epoch FROM min(time)) * 1000000)::bigint,"
        " (extract(epoch FROM max(time)) * 1000000)::bigint FROM price_telemetry WHERE symbol = $1",
        {symbol_});
    first_us_ = std::stoll(bounds.at(0).at(0));
    last_us_ = std::stoll(bounds.at(0).at(1));
    make_tenant();
    server.settle();
}

void query_data::await_compactor() const {
    tickd::pg_connection sql = tickd::test::connect(conninfo_);
    constexpr std::chrono::minutes patience{30};
    if (!tickd::test::await_condition(
            [&] { return tickd::test::one(sql, "SELECT tickd.fresh_segments()") == "0"; },
            patience)) {
        throw std::runtime_error("the compactor does not come to its end:\n" + daemon_->log());
    }
}

query_data::~query_data() {
    static_cast<void>(daemon_->stop());
    server_.drop(conninfo_);
}

void query_data::load_recorded(const std::function<void(std::uint64_t)>& progress) {
    symbol_ = "EURUSD";
    piece_sender to(daemon_->address(), "recorded");
    each_line(*recording(), UINT64_MAX, [&](std::string_view line) {
        to.add(line, progress);
        ++rows_;
    });
    to.finish(progress);
}

void query_data::load_made_up(std::uint64_t rows,
                              const std::function<void(std::uint64_t)>& progress) {
    symbol_ = made_up_symbol;
    const std::uint64_t others = rows > symbol_rows ? rows - symbol_rows : 0;
    piece_sender to(daemon_->address(), "wanted");
    constexpr double second_us = 1'000'000;
    tick_generator wanted({.symbols = 1, .step_us = second_us});
    std::string line;
    for (std::uint64_t i = 0; i < symbol_rows; ++i) {
        line.clear();
        wanted.append_line(line);
        constexpr std::string_view from = "SYM00000";
        line.replace(line.find(from), from.size(), made_up_symbol);
        to.add(line, progress);
    }
    to.finish(progress);
    if (others != 0) {
        piece_sender of_others(daemon_->address(), "others");
        constexpr double span_us = second_us * static_cast<double>(symbol_rows);
        tick_generator generator({.symbols = other_symbols,
                                  .seed = 2,
                                  .step_us = span_us / static_cast<double>(others)});
        const auto behind = [&](std::uint64_t acked) { progress(symbol_rows + acked); };
        for (std::uint64_t i = 0; i < others; ++i) {
            line.clear();
            generator.append_line(line);
            of_others.add(line, behind);
        }
        of_others.finish(behind);
    }
    rows_ = symbol_rows + others;
}

void query_data::make_tenant() const {
    tickd::pg_connection sql = tickd::test::connect(conninfo_);
    if (tickd::test::one(sql, "SELECT count(*) FROM pg_roles WHERE rolname = $1",
                         {std::string(tenant_role)}) == "0") {
        tickd::test::run(sql,
                         std::format("CREATE ROLE {} LOGIN IN ROLE tickd_reader", tenant_role));
    }
    tickd::test::run(
        sql, std::format("WITH made AS (INSERT INTO tenants (name) VALUES ('bench') RETURNING"
                         " tenant_id) INSERT INTO tenant_roles (role_name, tenant_id)"
                         " SELECT '{}', tenant_id FROM made",
                         tenant_role));
}

std::string query_data::as_tenant() const { return tickd::test::as_user(conninfo_, tenant_role); }

query_data::full_load::full_load(const std::string& address, std::int64_t begin_us)
    : thread_([address, begin_us](const std::stop_token& stop) {
          acked_connection to(address, "load");
          tick_generator generator({.symbols = other_symbols, .seed = 3, .begin_us = begin_us});
          std::string piece;
          while (!stop.stop_requested()) {
              constexpr int lines = 8192;
              piece.clear();
              for (int i = 0; i < lines; ++i) generator.append_line(piece);
              for (std::string_view left = piece; !left.empty() && !stop.stop_requested();) {
                  left.remove_prefix(to.send_some(left));
                  constexpr std::int64_t look_around_ns = 100'000'000;
                  to.wait(!left.empty(), left.empty() ? 0 : look_around_ns);
                  to.receive();
              }
          }
      }) {}

std::unique_ptr<query_data::full_load> query_data::under_load() const {
    return std::make_unique<full_load>(daemon_->address(), last_us_ + 1);
}

}  // namespace bench
