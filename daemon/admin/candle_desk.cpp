#include "daemon/admin/candle_desk.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "daemon/db/conninfo_user.h"
#include "daemon/json_writer.h"
#include "daemon/serve/thread_name.h"
#include "ingest/limits.h"

namespace tickd {

namespace {

constexpr std::chrono::seconds idle_limit{60};
constexpr std::chrono::milliseconds connect_limit{2000};
// Beyond the statement timeout, for a server that does not keep it.
constexpr std::chrono::milliseconds stall_limit{3000};

// A week: what the longest chart of the longest bucket spans is some years.
constexpr std::uint32_t bucket_s_max = 7 * 86'400;

constexpr const char* begin_as_reader =
    "SET ROLE tickd_reader; SET default_transaction_read_only = on; SET statement_timeout = '2s';"
    " SET lock_timeout = '500ms'; SET idle_in_transaction_session_timeout = '5s';"
    " SET work_mem = '4MB'; SET max_parallel_workers_per_gather = 0";

constexpr const char* symbols_query =
    "SELECT symbol FROM public.price_latest ORDER BY time DESC, symbol LIMIT $1";

// Up to the bucket of the newest tick, so that a feed of the past shows, too.
constexpr const char* candles_query =
    "SELECT extract(epoch FROM c.time)::bigint, c.open, c.high, c.low, c.close, c.tick_count,"
    "       c.volume"
    "  FROM (SELECT make_interval(secs => $2) AS bucket) AS b,"
    "       LATERAL (SELECT date_bin(b.bucket, t.time, '2000-01-03 00:00:00+00') + b.bucket AS "
    "until"
    "                  FROM public.tick_latest($1) AS t) AS newest,"
    "       LATERAL public.tick_candles($1, newest.until - b.bucket * $3::integer, newest.until,"
    "                                   b.bucket) AS c"
    " ORDER BY 1";

[[nodiscard]] pg_target target_of(const config& settings) {
    pg_target target;
    target.conninfo = settings.segments.database_url.empty()
                          ? with_user(settings.database.url, "tickd_compactor")
                          : settings.segments.database_url;
    target.password_file = settings.segments.password_file;
    target.connect_timeout = std::min(settings.database.connect_timeout, connect_limit);
    target.stall_limit = stall_limit;
    target.application_name = "tickd status page";
    return target;
}

[[nodiscard]] std::string not_available(std::string_view why) {
    json_writer to;
    to.begin_object().member("available", false).member("reason", why).end_object();
    return to.text();
}

// `%41` and `+` in a query's value; nothing: it is malformed.
[[nodiscard]] std::optional<std::string> decoded(std::string_view value) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '+') {
            text += ' ';
        } else if (value[i] == '%') {
            std::uint8_t byte = 0;
            if (i + 2 >= value.size()) return std::nullopt;
            const char* const digits = value.data() + i + 1;
            if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2 || byte == 0) {
                return std::nullopt;
            }
            text += static_cast<char>(byte);
            i += 2;
        } else {
            text += value[i];
        }
    }
    return text;
}

[[nodiscard]] bool read_number(std::string_view text, std::uint32_t& number) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::expected<candle_question, std::string> parse_candle_question(std::string_view query) {
    candle_question asked;
    while (!query.empty()) {
        const std::string_view part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(part.size() + 1, query.size()));
        const std::size_t equals = part.find('=');
        const std::string_view name = part.substr(0, equals);
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
        if (name == "symbol") {
            auto symbol = decoded(value);
            if (!symbol || symbol->size() > 4 * ingest::limits::symbol_chars_max) {
                return std::unexpected("symbol: no symbol is like this");
            }
            asked.symbol = *std::move(symbol);
        } else if (name == "bucket") {
            if (!read_number(value, asked.bucket_s) || asked.bucket_s == 0 ||
                asked.bucket_s % 60 != 0 || asked.bucket_s > bucket_s_max) {
                return std::unexpected("bucket: whole minutes, in seconds, up to a week");
            }
        } else if (name == "count") {
            if (!read_number(value, asked.count) || asked.count == 0 ||
                asked.count > ingest::limits::candles_max) {
                return std::unexpected("count: 1 to " +
                                       std::to_string(ingest::limits::candles_max));
            }
        }
    }
    return asked;
}

candle_desk::candle_desk(const config& settings) : target_(target_of(settings)) {}

candle_desk::~candle_desk() {
    cutter_.cut();
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void candle_desk::start() {
    thread_ = std::thread([this] { run(); });
}

void candle_desk::ask(candle_question question, std::function<void(std::string)> done) {
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() < ingest::limits::candle_questions_max) {
            waiting_.push_back({.question = std::move(question), .done = std::move(done)});
            done = nullptr;
        }
    }
    if (done) {
        done(not_available("too many ask at once"));
    } else {
        wake_.notify_one();
    }
}

void candle_desk::run() {
    name_this_thread("candles", 0);
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto wanted = [this] { return ending_ || !waiting_.empty(); };
        if (connection_ && !wake_.wait_for(lock, idle_limit, wanted)) {
            leave();
            continue;
        }
        wake_.wait(lock, wanted);
        if (ending_) return;
        const waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        next.done(answer(next.question));
        lock.lock();
    }
}

std::string candle_desk::answer(const candle_question& question) {
    if (!connection_) {
        if (const auto connected = connect(); !connected) {
            return not_available(connected.error().message);
        }
    }
    auto found = look_up(question);
    if (found) return *std::move(found);
    // Whatever it was: the next question begins afresh.
    leave();
    return not_available(found.error().message);
}

std::expected<void, pg_error> candle_desk::connect() {
    auto opened = pg_connection::connect(target_);
    if (!opened) return std::unexpected(opened.error());
    cutter_.hold(opened->native());
    if (const auto set = opened->exec(begin_as_reader); !set) {
        cutter_.let_go();
        return set;
    }
    connection_ = std::move(*opened);
    return {};
}

void candle_desk::leave() {
    cutter_.let_go();
    connection_.reset();
}

std::expected<std::string, pg_error> candle_desk::look_up(const candle_question& question) {
    const auto symbols =
        connection_->query(symbols_query, {std::to_string(ingest::limits::candle_symbols_max)});
    if (!symbols) return std::unexpected(symbols.error());
    std::string symbol = question.symbol;
    if (symbol.empty() && symbols->size() != 0) symbol = symbols->at(0, 0);
    const auto candles = connection_->query(
        candles_query, {symbol, std::to_string(question.bucket_s), std::to_string(question.count)});
    if (!candles) return std::unexpected(candles.error());

    json_writer to;
    to.begin_object().member("available", true).member("symbol", symbol);
    to.member("bucket_s", question.bucket_s).key("candles").begin_array();
    for (int row = 0; row < candles->size(); ++row) {
        to.begin_object().member("time_s", candles->integer(row, 0));
        // As text: prices are exact.
        to.member("open", candles->at(row, 1)).member("high", candles->at(row, 2));
        to.member("low", candles->at(row, 3)).member("close", candles->at(row, 4));
        to.member("ticks", candles->integer(row, 5)).key("volume");
        if (candles->is_null(row, 6)) {
            to.null();
        } else {
            to.value(candles->at(row, 6));
        }
        to.end_object();
    }
    to.end_array().key("symbols").begin_array();
    for (int row = 0; row < symbols->size(); ++row) to.value(symbols->at(row, 0));
    to.end_array().end_object();
    return to.text();
}

}  // namespace tickd
