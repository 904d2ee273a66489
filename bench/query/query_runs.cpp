#include "bench/query/query_runs.h"

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <format>
#include <memory>
#include <random>
#include <stdexcept>

#include "clients/cpp/tick_reader.h"
#include "ingest/timestamp.h"
#include "tests/support/pg_query.h"

namespace bench {

namespace {

using clock = std::chrono::steady_clock;

struct bounds {
    std::int64_t from_us, to_us;
};

// What the queries of one round ask for.
struct query_round {
    bounds at;
    std::string range;  // Q4's statement: finding one takes queries of its own
};

[[nodiscard]] std::string quoted(std::int64_t time_us) {
    return '\'' + ingest::to_rfc3339(time_us) + '\'';
}

// One connection that runs queries and takes all their rows in binary.
class query_client {
public:
    explicit query_client(const std::string& conninfo) : sql_(tickd::test::connect(conninfo)) {}

    // Seconds, and how many rows came.
    double take(const std::string& select, std::uint64_t& rows) {
        const auto begun = clock::now();
        const auto answer = sql_.query(select, {}, tickd::answer_form::binary);
        if (!answer) throw std::runtime_error(to_text(answer.error()));
        rows = static_cast<std::uint64_t>(answer->size());
        return std::chrono::duration<double>(clock::now() - begun).count();
    }
    // By COPY, whose rows are received and dropped.
    double copy(const std::string& select) {
        PGconn* const link = sql_.native();
        const auto begun = clock::now();
        PQclear(PQexec(link, std::format("COPY ({}) TO STDOUT (FORMAT binary)", select).c_str()));
        for (char* piece = nullptr; PQgetCopyData(link, &piece, 0) > 0;) PQfreemem(piece);
        while (PGresult* const rest = PQgetResult(link)) {
            const bool good = PQresultStatus(rest) == PGRES_COMMAND_OK;
            PQclear(rest);
            if (!good) throw std::runtime_error(PQerrorMessage(link));
        }
        return std::chrono::duration<double>(clock::now() - begun).count();
    }
    [[nodiscard]] tickd::test::text_rows rows(const std::string& select) {
        return tickd::test::rows(sql_, select);
    }
    [[nodiscard]] tickd::pg_connection& sql() noexcept { return sql_; }

private:
    tickd::pg_connection sql_;
};

class query_runner {
public:
    query_runner(const query_data& data, const std::string& conninfo)
        : data_(data), client_(conninfo), reader_(client_.sql().native()) {
        // A million of its ticks and more, wherever they begin: the first and the last twentieth
        // vary.
        slack_us_ = (data.last_us() - data.first_us()) / 20;
    }

    [[nodiscard]] query_round next_round() { return {next_bounds(), range()}; }

    [[nodiscard]] bounds next_bounds() {
        const auto some = [&] {
            return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(slack_us_));
        };
        return {data_.first_us() + some(), data_.last_us() - some()};
    }

    double run(measured_query which, const query_round& round) {
        const bounds& at = round.at;
        std::uint64_t rows = 0;
        double seconds = 0;
        switch (which) {
            case measured_query::fetch: {
                const auto begun = clock::now();
                const auto read = reader_.read(data_.symbol(), at.from_us, at.to_us, {}, ticks_);
                if (!read) throw std::runtime_error(read.error().message);
                seconds = std::chrono::duration<double>(clock::now() - begun).count();
                rows = *read;
                break;
            }
            case measured_query::aggregate: seconds = client_.take(aggregate(at), rows); break;
            case measured_query::candles: seconds = client_.take(candles(at), rows); break;
            case measured_query::range: seconds = client_.take(round.range, rows); break;
            case measured_query::look_up: seconds = client_.take(look_up(), rows); break;
            case measured_query::latest: seconds = client_.take(latest(), rows); break;
        }
        require_rows(which, rows);
        return seconds;
    }

    // The plain way; 0 where it is the same.
    double run_plain(measured_query which, const bounds& at) {
        std::uint64_t rows = 0;
        switch (which) {
            case measured_query::fetch:
                return client_.copy("SELECT * FROM price_telemetry WHERE " + within(at));
            case measured_query::aggregate: return client_.take(plain_aggregate(at), rows);
            case measured_query::candles: return client_.take(plain_candles(at), rows);
            case measured_query::latest: return client_.take(plain_latest(), rows);
            case measured_query::range:
            case measured_query::look_up: return 0;
        }
        return 0;
    }

    // What both ways give must be the same; empty when it is.
    [[nodiscard]] std::string compare(const bounds& at) {
        const auto read = reader_.read(data_.symbol(), at.from_us, at.to_us, {}, ticks_);
        if (!read) throw std::runtime_error(read.error().message);
        ingest::int128 bids = 0, asks = 0;
        for (std::size_t i = 0; i < ticks_.size(); ++i) {
            bids += ticks_.bid[i];
            asks += ticks_.ask[i];
        }
        const auto fetched =
            std::format("{} {} {}", ticks_.size(), ingest::to_text(bids), ingest::to_text(asks));
        const auto in_rows = client_.rows(std::format(
            "SELECT concat_ws(' ', count(*), sum(bid), sum(ask)) FROM price_telemetry WHERE {}",
            within(at)));
        if (fetched != in_rows[0][0]) {
            return std::format("fetched {}, rows {}", fetched, in_rows[0][0]);
        }
        if (client_.rows(aggregate(at)) != client_.rows(plain_aggregate(at))) {
            return "another aggregate than that of the rows";
        }
        if (client_.rows(candles(at)) != client_.rows(plain_candles(at))) {
            return "other candles than those of the rows";
        }
        if (client_.rows(latest()) != client_.rows(plain_latest())) return "another latest tick";
        return {};
    }

private:
    static void require_rows(measured_query which, std::uint64_t rows) {
        const auto least = [which]() -> std::uint64_t {
            switch (which) {
                case measured_query::fetch: return 1'000'000;
                case measured_query::range: return 10'000;
                case measured_query::look_up: return 100;
                case measured_query::candles:
                case measured_query::aggregate:
                case measured_query::latest: return 1;
            }
            return 0;
        }();
        if (rows < least) {
            throw std::runtime_error(std::format("{} gave {} rows", label_of(which), rows));
        }
    }
    [[nodiscard]] std::string within(const bounds& at) const {
        return std::format("symbol = '{}' AND time >= {} AND time < {}", data_.symbol(),
                           quoted(at.from_us), quoted(at.to_us));
    }
    [[nodiscard]] std::string aggregate(const bounds& at) const {
        return std::format("SELECT * FROM tick_aggregate('{}', {}, {})", data_.symbol(),
                           quoted(at.from_us), quoted(at.to_us));
    }
    [[nodiscard]] std::string plain_aggregate(const bounds& at) const {
        return std::format(
            "SELECT count(*), min(time), max(time), (array_agg(mid ORDER BY time, mid))[1],"
            " (array_agg(mid ORDER BY time DESC, mid DESC))[1], min(bid), max(bid), sum(bid),"
            " avg(bid), min(ask), max(ask), sum(ask), avg(ask), min(mid), max(mid), sum(mid),"
            " avg(mid), count(volume), sum(volume) FROM price_telemetry WHERE {}",
            within(at));
    }
    [[nodiscard]] std::string candles(const bounds& at) const {
        return std::format("SELECT * FROM tick_candles('{}', {}, {})", data_.symbol(),
                           quoted(at.from_us), quoted(at.to_us));
    }
    [[nodiscard]] std::string plain_candles(const bounds& at) const {
        return std::format(
            "SELECT date_bin('1 minute', time, '2000-01-03 00:00+00') AS t,"
            " (array_agg(mid ORDER BY time, mid))[1], max(mid), min(mid),"
            " (array_agg(mid ORDER BY time DESC, mid DESC))[1], min(time), max(time), count(*),"
            " sum(volume), sum(volume * mid) FROM price_telemetry WHERE {} GROUP BY t ORDER BY t",
            within(at));
    }
    // Some twelve thousand rows, wherever they are.
    [[nodiscard]] std::string range() {
        const std::int64_t length_us =
            std::max<std::int64_t>(1, (data_.last_us() - data_.first_us()) / 70);
        for (;;) {
            const std::int64_t from =
                data_.first_us() +
                static_cast<std::int64_t>(
                    random_() %
                    static_cast<std::uint64_t>(data_.last_us() - data_.first_us() - length_us));
            // Markets close: the range grows until it holds enough.
            for (std::int64_t length = length_us; from + length < data_.last_us(); length *= 2) {
                const auto found =
                    client_.rows(std::format("SELECT count(*) FROM price_segment WHERE {}",
                                             segments_within({from, from + length})));
                if (std::stoull(found[0][0]) < 14) continue;
                return std::format(
                    "SELECT time, symbol, bid, ask, mid, volume, source, metadata FROM"
                    " price_telemetry WHERE {} ORDER BY time LIMIT 12000",
                    within({from, from + length}));
            }
        }
    }
    [[nodiscard]] std::string segments_within(const bounds& at) const {
        return std::format("symbol = '{}' AND first_time >= {} AND last_time < {}", data_.symbol(),
                           quoted(at.from_us), quoted(at.to_us));
    }
    [[nodiscard]] std::string look_up() const {
        return std::format(
            "SELECT * FROM price_telemetry WHERE symbol = '{}' ORDER BY time DESC LIMIT 100",
            data_.symbol());
    }
    [[nodiscard]] std::string latest() const {
        return std::format("SELECT * FROM tick_latest('{}')", data_.symbol());
    }
    [[nodiscard]] std::string plain_latest() const {
        return std::format(
            "SELECT * FROM price_telemetry WHERE symbol = '{}' ORDER BY time DESC, mid DESC,"
            " bid DESC, ask DESC LIMIT 1",
            data_.symbol());
    }

    const query_data& data_;
    query_client client_;
    tickd::client::tick_reader reader_;
    ingest::tick_columns ticks_;
    std::int64_t slack_us_ = 0;
    // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): every run draws the same bounds
    std::mt19937_64 random_{42};
};

}  // namespace

std::string_view label_of(measured_query which) noexcept {
    switch (which) {
        case measured_query::fetch: return "Q1";
        case measured_query::aggregate: return "Q2";
        case measured_query::candles: return "Q3";
        case measured_query::range: return "Q4";
        case measured_query::look_up:
        case measured_query::latest: return "Q5";
    }
    return {};
}

std::string_view explain(measured_query which) noexcept {
    switch (which) {
        case measured_query::fetch: return "a million ticks, every column, decoded (client)";
        case measured_query::aggregate: return "aggregate of a million ticks (tick_aggregate)";
        case measured_query::candles: return "one-minute candles of them (tick_candles)";
        case measured_query::range: return "12,000 rows of a time range (SQL)";
        case measured_query::look_up: return "latest 100 rows of a symbol (SQL)";
        case measured_query::latest: return "latest price of a symbol (tick_latest)";
    }
    return {};
}

std::string_view plain_way(measured_query which) noexcept {
    switch (which) {
        case measured_query::fetch: return "COPY of the rows, binary, not decoded";
        case measured_query::aggregate: return "aggregate over the rows";
        case measured_query::candles: return "GROUP BY over the rows";
        case measured_query::latest: return "ORDER BY time DESC LIMIT 1";
        case measured_query::range:
        case measured_query::look_up: return {};
    }
    return {};
}

double query_times::quantile(double part) const {
    if (seconds.empty()) return 0;
    std::vector<double> sorted = seconds;
    std::ranges::sort(sorted);
    const auto rank =
        static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

cold_results run_cold(bench_server& server, const query_data& data, std::uint32_t runs,
                      const std::function<void()>& progress) {
    cold_results results;
    results.of.resize(all_queries.size());
    for (std::uint32_t run = 0; run < runs; ++run) {
        const query_round next = query_runner(data, data.conninfo()).next_round();
        for (std::size_t i = 0; i < all_queries.size(); ++i) {
            results.kept_bytes = std::max(results.kept_bytes, server.restart_cold());
            query_runner runner(data, data.conninfo());
            results.of[i].seconds.push_back(runner.run(all_queries[i], next));
        }
        progress();
    }
    return results;
}

query_results run_queries(const query_data& data, const std::string& conninfo, std::uint32_t runs,
                          bool plain_too, const std::function<void()>& progress) {
    query_runner runner(data, conninfo);
    query_results results;
    results.of.resize(all_queries.size());
    results.plain.resize(all_queries.size());
    // Once for the caches, and to see that both ways give the same.
    const query_round first = runner.next_round();
    for (const measured_query which : all_queries) {
        static_cast<void>(runner.run(which, first));
    }
    if (plain_too) results.difference = runner.compare(first.at);
    constexpr std::uint32_t plain_every = 5;
    // In turn, so that what disturbs the machine for a while disturbs all.
    for (std::uint32_t round = 0; round < runs; ++round) {
        const query_round next = runner.next_round();
        for (std::size_t i = 0; i < all_queries.size(); ++i) {
            results.of[i].seconds.push_back(runner.run(all_queries[i], next));
            if (plain_too && round % plain_every == 0 && !plain_way(all_queries[i]).empty()) {
                results.plain[i].seconds.push_back(runner.run_plain(all_queries[i], next.at));
            }
        }
        progress();
    }
    return results;
}

}  // namespace bench
