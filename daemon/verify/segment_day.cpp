#include "daemon/verify/segment_day.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <format>
#include <map>
#include <optional>
#include <utility>

#include "daemon/compact/tick_rows.h"
#include "ingest/candle.h"
#include "ingest/numeric_wire.h"
#include "ingest/segment_decoder.h"
#include "ingest/sha256.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

using ingest::int128;
using ingest::uint128;

constexpr std::int64_t day_us = 86'400'000'000;

struct feed_key {
    std::optional<ingest::uuid> tenant;
    std::string symbol;
    auto operator<=>(const feed_key&) const = default;
};

// A sum of digests modulo 2^256: equal for equal multisets, and for others only by a collision.
struct tally {
    std::uint64_t count = 0;
    std::array<std::uint64_t, 4> sum{};

    void add(const ingest::sha256_digest& digest) noexcept {
        ++count;
        std::array<std::uint64_t, 4> words;
        std::memcpy(words.data(), digest.data(), digest.size());
        uint128 carry = 0;
        for (std::size_t i = 0; i < words.size(); ++i) {
            carry += static_cast<uint128>(sum[i]) + words[i];
            sum[i] = static_cast<std::uint64_t>(carry);
            carry >>= 64U;
        }
    }
};
using tallies = std::map<feed_key, tally>;

class tick_tally {
public:
    void add(const std::optional<ingest::uuid>& tenant, const ingest::segment_tick& tick,
             tallies& to) {
        bytes_.clear();
        put(tick.time_us);
        put(tick.bid);
        put(tick.ask);
        put(tick.mid);
        put(tick.volume ? *tick.volume : int128{-1});  // No volume is negative.
        put(tick.source);
        put(tick.metadata);
        // Ticks come by symbol: the place of the last one is the place of the next.
        if (last_ == nullptr || last_tallies_ != &to || last_->first.symbol != tick.symbol ||
            last_->first.tenant != tenant) {
            last_ = &*to.try_emplace(feed_key{tenant, std::string(tick.symbol)}).first;
            last_tallies_ = &to;
        }
        last_->second.add(sha_.digest(bytes_));
    }

private:
    template <typename Number>
    void put(const Number& value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put(ingest::optional_text text) {
        put(ingest::present(text) ? static_cast<std::int64_t>(text.size()) : std::int64_t{-1});
        bytes_.append(text);
    }

    ingest::sha256 sha_;
    std::string bytes_;
    tallies::value_type* last_ = nullptr;
    const tallies* last_tallies_ = nullptr;
};

// The columns of a segment's row, in the order of `segment_rows`.
enum column : int {
    symbol,
    tenant_id,
    level,
    data,
    metadata,
    first_time,
    last_time,
    tick_count,
    volume_count,
    first_mid,
    last_mid,
    min_bid,
    max_bid,
    min_ask,
    max_ask,
    min_mid,
    max_mid,
    sum_bid,
    sum_ask,
    sum_mid,
    sum_volume,
};
constexpr const char* segment_rows =
    "DECLARE segment_rows NO SCROLL CURSOR FOR SELECT symbol, tenant_id, level, data, metadata,"
    " first_time, last_time, tick_count, volume_count, first_mid, last_mid, min_bid, max_bid,"
    " min_ask, max_ask, min_mid, max_mid, sum_bid, sum_ask, sum_mid, sum_volume"
    " FROM public.price_segment WHERE first_time >= {} AND first_time < {}";
constexpr const char* fetch_segments = "FETCH 100 FROM segment_rows";

constexpr const char* candle_rows =
    "SELECT symbol, tenant_id, (extract(epoch FROM time) * 1000000)::bigint, open, high, low, "
    "close,"
    " (extract(epoch FROM first_time) * 1000000)::bigint,"
    " (extract(epoch FROM last_time) * 1000000)::bigint, tick_count, volume, volume_value"
    " FROM public.price_candle_1m WHERE time >= {} AND time < {}";

template <typename Int>
[[nodiscard]] Int integer_of(std::string_view bytes) noexcept {
    Int value = 0;
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return std::byteswap(value);
}

// Compares what a segment's row says with what its bytes hold.
class header_check {
public:
    header_check(const pg_rows& rows, int row) : rows_(rows), row_(row) {}

    void equal(const char* name, std::int64_t said, std::int64_t is) {
        if (said != is) wrong_ += std::format(" {} is {}, should be {};", name, said, is);
    }
    void number(column which, const char* name, const std::optional<int128>& is) {
        const std::string_view bytes = rows_.at(row_, which);
        const auto said = rows_.is_null(row_, which)
                              ? std::nullopt
                              : ingest::decode_numeric({bytes.data(), bytes.size()});
        if (said == is && rows_.is_null(row_, which) == !is.has_value()) return;
        wrong_ +=
            std::format(" {} is {}, should be {};", name, said ? ingest::to_text(*said) : "NULL",
                        is ? ingest::to_text(*is) : "NULL");
    }
    [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

private:
    const pg_rows& rows_;
    int row_;
    std::string wrong_;
};

struct extent {
    int128 min = 0, max = 0, sum = 0;
};
[[nodiscard]] extent extent_of(const ingest::decimal_column& values) {
    extent is{values[0], values[0], 0};
    for (std::size_t i = 0; i < values.size(); ++i) {
        is.min = std::min(is.min, values[i]);
        is.max = std::max(is.max, values[i]);
        is.sum += values[i];
    }
    return is;
}

class day_check {
public:
    day_check(pg_connection& connection, std::int64_t day)
        : connection_(connection),
          day_(day),
          begin_us_(day * day_us),
          end_us_(begin_us_ + day_us) {}

    [[nodiscard]] std::expected<segment_day, pg_error> run() {
        auto done = connection_.exec(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
            "SET LOCAL row_security = off");
        if (done) done = read_rows();
        if (done) done = read_segments();
        if (done) done = read_candles();
        if (connection_.in_transaction()) {
            // Nothing was written: how it ends does not matter.
            static_cast<void>(connection_.exec("ROLLBACK"));
        }
        if (!done) return std::unexpected(done.error());
        compare();
        return std::move(result_);
    }

private:
    using step = std::expected<void, pg_error>;

    void find(segment_fault fault, const feed_key& of, std::string detail) {
        result_.found.push_back({.fault = fault,
                                 .day = day_,
                                 .tenant = of.tenant ? ingest::to_text(*of.tenant) : "",
                                 .symbol = of.symbol,
                                 .detail = std::move(detail)});
    }

    step read_rows() {
        auto source = tick_rows::open(connection_, begin_us_, end_us_);
        if (!source) return std::unexpected(source.error());
        tick_tally tally;
        for (;;) {
            const auto rows = source->next();
            if (!rows) return std::unexpected(rows.error());
            if ((*rows)->size() == 0) return source->close();
            for (int row = 0; row < (*rows)->size(); ++row) {
                const auto tick = tick_rows::tick(**rows, row);
                if (!tick) return std::unexpected(tick.error());
                tally.add(tick_rows::tenant(**rows, row), *tick, of_rows_);
            }
            result_.rows += static_cast<std::uint64_t>((*rows)->size());
        }
    }

    step read_segments() {
        const std::string begin = time_literal(begin_us_), end = time_literal(end_us_);
        if (auto declared =
                connection_.exec(std::vformat(segment_rows, std::make_format_args(begin, end)));
            !declared) {
            return declared;
        }
        for (;;) {
            const auto rows = connection_.query(fetch_segments, {}, answer_form::binary);
            if (!rows) return std::unexpected(rows.error());
            if (rows->size() == 0) return {};
            for (int row = 0; row < rows->size(); ++row) take_segment(*rows, row);
            result_.segments += static_cast<std::uint64_t>(rows->size());
        }
    }

    void take_segment(const pg_rows& rows, int row) {
        feed_key of;
        of.symbol = rows.at(row, symbol);
        if (!rows.is_null(row, tenant_id)) {
            std::memcpy(of.tenant.emplace().bytes.data(), rows.at(row, tenant_id).data(), 16);
        }
        ticks_.clear();
        const auto added =
            decoder_.append_with_metadata(rows.at(row, data), rows.at(row, metadata), {}, ticks_);
        if (!added) {
            find(segment_fault::unreadable, of, std::string(to_string(added.error())));
            return;
        }
        if (const std::string wrong = check_header(rows, row); !wrong.empty()) {
            find(segment_fault::header, of,
                 std::format("the segment at {}:{}", ingest::to_rfc3339(ticks_.time_us[0]), wrong));
        }
        const bool in_candles = integer_of<std::int16_t>(rows.at(row, level)) > 0;
        for (std::size_t i = 0; i < ticks_.size(); ++i) {
            ingest::segment_tick tick{.time_us = ticks_.time_us[i],
                                      .bid = ticks_.bid[i],
                                      .ask = ticks_.ask[i],
                                      .mid = ticks_.mid[i],
                                      .volume = {},
                                      .symbol = ticks_.symbol[i],
                                      .source = ticks_.source[i],
                                      .metadata = {}};
            if (ticks_.has_volume(i)) tick.volume = ticks_.volume[i];
            if (const auto text = ticks_.metadata[i]; !text.empty()) tick.metadata = text;
            tally_.add(of.tenant, tick, of_segments_);
            if (in_candles) {
                candles_.add(of.tenant, tick.symbol, tick.time_us, tick.mid,
                             tick.volume ? &*tick.volume : nullptr);
            }
        }
    }

    [[nodiscard]] std::string check_header(const pg_rows& rows, int row) const {
        header_check check(rows, row);
        const std::size_t count = ticks_.size();
        std::int64_t volumes = 0;
        int128 volume_sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!ticks_.has_volume(i)) continue;
            ++volumes;
            volume_sum += ticks_.volume[i];
        }
        const auto first_us = std::ranges::min(ticks_.time_us);
        const auto last_us = std::ranges::max(ticks_.time_us);
        check.equal("first_time", integer_of<std::int64_t>(rows.at(row, first_time)),
                    first_us - ingest::pg_epoch_us);
        check.equal("last_time", integer_of<std::int64_t>(rows.at(row, last_time)),
                    last_us - ingest::pg_epoch_us);
        check.equal("tick_count", integer_of<std::int32_t>(rows.at(row, tick_count)),
                    static_cast<std::int64_t>(count));
        check.equal("volume_count", integer_of<std::int32_t>(rows.at(row, volume_count)), volumes);
        // Beside several symbols these columns say nothing.
        if (rows.is_null(row, symbol)) return check.wrong();
        for (std::size_t i = 0; i < count; ++i) {
            if (ticks_.symbol[i] != rows.at(row, symbol)) {
                return check.wrong() + " it holds another symbol;";
            }
        }
        const extent bid = extent_of(ticks_.bid), ask = extent_of(ticks_.ask),
                     mid = extent_of(ticks_.mid);
        int128 first = mid.max, last = mid.min;
        for (std::size_t i = 0; i < count; ++i) {
            if (ticks_.time_us[i] == first_us) first = std::min(first, ticks_.mid[i]);
            if (ticks_.time_us[i] == last_us) last = std::max(last, ticks_.mid[i]);
        }
        check.number(first_mid, "first_mid", first);
        check.number(last_mid, "last_mid", last);
        check.number(min_bid, "min_bid", bid.min);
        check.number(max_bid, "max_bid", bid.max);
        check.number(min_ask, "min_ask", ask.min);
        check.number(max_ask, "max_ask", ask.max);
        check.number(min_mid, "min_mid", mid.min);
        check.number(max_mid, "max_mid", mid.max);
        check.number(sum_bid, "sum_bid", bid.sum);
        check.number(sum_ask, "sum_ask", ask.sum);
        check.number(sum_mid, "sum_mid", mid.sum);
        check.number(sum_volume, "sum_volume",
                     volumes == 0 ? std::nullopt : std::optional(volume_sum));
        return check.wrong();
    }

    step read_candles() {
        const std::string begin = time_literal(begin_us_), end = time_literal(end_us_);
        const auto rows =
            connection_.query(std::vformat(candle_rows, std::make_format_args(begin, end)));
        if (!rows) return std::unexpected(rows.error());
        result_.candles = static_cast<std::uint64_t>(rows->size());
        std::map<ingest::candle_key, std::string> said;
        for (int row = 0; row < rows->size(); ++row) {
            ingest::candle_key key{std::string(rows->at(row, 0)), {}, rows->integer(row, 2)};
            if (!rows->is_null(row, 1)) key.tenant = ingest::parse_uuid(rows->at(row, 1));
            std::string text;
            for (int at = 3; at < rows->columns(); ++at) {
                // volume's sum has its own number of decimals; both are compared as numbers.
                text += std::format("{} ", rows->at(row, at));
            }
            said.emplace(std::move(key), std::move(text));
        }
        for (const auto& [key, made] : candles_.all()) {
            const std::string is =
                std::format("{} {} {} {} {} {} {} {} {} ", ingest::to_text(made.open),
                            ingest::to_text(made.high), ingest::to_text(made.low),
                            ingest::to_text(made.close), made.first_us, made.last_us,
                            made.tick_count, made.has_volume ? ingest::to_text(made.volume) : "",
                            made.has_volume ? ingest::to_text(made.volume_value) : "");
            const auto found = said.find(key);
            if (found == said.end() || found->second != is) {
                find(segment_fault::candle, {key.tenant, key.symbol},
                     std::format("the candle of {} is {}, should be {}",
                                 ingest::to_rfc3339(key.begin_us),
                                 found == said.end() ? "missing" : found->second, is));
            }
            if (found != said.end()) said.erase(found);
        }
        for (const auto& [key, text] : said) {
            find(segment_fault::candle, {key.tenant, key.symbol},
                 std::format("the candle of {} has no ticks", ingest::to_rfc3339(key.begin_us)));
        }
        return {};
    }

    void compare() {
        for (const auto& [key, rows] : of_rows_) {
            const auto found = of_segments_.find(key);
            const tally ticks = found == of_segments_.end() ? tally{} : found->second;
            if (ticks.count != rows.count) {
                find(ticks.count < rows.count ? segment_fault::missing : segment_fault::extra, key,
                     std::format("{} rows, {} ticks in segments", rows.count, ticks.count));
            } else if (ticks.sum != rows.sum) {
                find(segment_fault::differs, key,
                     std::format("{} rows, and as many ticks of other values", rows.count));
            }
        }
        for (const auto& [key, ticks] : of_segments_) {
            if (of_rows_.contains(key)) continue;
            find(segment_fault::extra, key,
                 std::format("no rows, {} ticks in segments", ticks.count));
        }
    }

    pg_connection& connection_;
    std::int64_t day_, begin_us_, end_us_;
    segment_day result_;
    tallies of_rows_, of_segments_;
    tick_tally tally_;
    ingest::candle_set candles_;
    ingest::segment_decoder decoder_;
    ingest::tick_columns ticks_;
};

}  // namespace

std::string_view to_string(segment_fault fault) noexcept {
    switch (fault) {
        case segment_fault::unreadable: return "unreadable";
        case segment_fault::header: return "header";
        case segment_fault::missing: return "missing";
        case segment_fault::extra: return "extra";
        case segment_fault::differs: return "differs";
        case segment_fault::candle: return "candle";
    }
    return "";
}

std::expected<segment_day, pg_error> verify_segment_day(pg_connection& connection,
                                                        std::int64_t day) {
    return day_check(connection, day).run();
}

}  // namespace tickd
