#include "daemon/compact/tick_rows.h"

#include <bit>
#include <cstring>
#include <format>
#include <utility>

#include "ingest/numeric_wire.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

enum column : int { time, symbol, bid, ask, mid, volume, source, metadata, tenant_id };

constexpr const char* fetch_rows = "FETCH 10000 FROM tick_rows";

[[nodiscard]] std::int64_t time_of(std::string_view bytes) noexcept {
    std::int64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value + ingest::pg_epoch_us;
}

[[nodiscard]] ingest::optional_text text_or_absent(const pg_rows& rows, int row, int column) {
    return rows.is_null(row, column) ? ingest::optional_text{} : rows.at(row, column);
}

}  // namespace

std::string time_literal(std::int64_t unix_us) { return '\'' + ingest::to_rfc3339(unix_us) + '\''; }

std::expected<tick_rows, pg_error> tick_rows::open(pg_connection& connection, std::int64_t from_us,
                                                   std::int64_t to_us) {
    const auto declared = connection.exec(std::format(
        "DECLARE tick_rows NO SCROLL CURSOR FOR SELECT time, symbol, bid, ask, mid, volume, source,"
        " metadata, tenant_id FROM public.price_telemetry WHERE time >= {} AND time < {}"
        " ORDER BY tenant_id NULLS FIRST, symbol, time",
        time_literal(from_us), time_literal(to_us)));
    if (!declared) return std::unexpected(declared.error());
    return tick_rows(connection);
}

std::expected<const pg_rows*, pg_error> tick_rows::next() {
    auto rows = connection_->query(fetch_rows, {}, answer_form::binary);
    if (!rows) return std::unexpected(rows.error());
    rows_ = std::move(*rows);
    return &*rows_;
}

std::expected<void, pg_error> tick_rows::close() { return connection_->exec("CLOSE tick_rows"); }

std::expected<ingest::segment_tick, pg_error> tick_rows::tick(const pg_rows& rows, int row) {
    const auto number = [&](int column) {
        const std::string_view bytes = rows.at(row, column);
        return ingest::decode_numeric({bytes.data(), bytes.size()});
    };
    const auto of_bid = number(bid), of_ask = number(ask), of_mid = number(mid);
    const auto of_volume = rows.is_null(row, volume) ? std::nullopt : number(volume);
    const std::int64_t at_us = time_of(rows.at(row, time));
    if (!of_bid || !of_ask || !of_mid || (!of_volume && !rows.is_null(row, volume))) {
        return std::unexpected(pg_error{
            .sqlstate = {},
            .message =
                std::format("the tick of {} at {} is none of tickd's: a number is missing, or"
                            " finer than eight decimals",
                            rows.at(row, symbol), ingest::to_rfc3339(at_us)),
            .detail = {}});
    }
    ingest::segment_tick tick{.time_us = at_us,
                              .bid = *of_bid,
                              .ask = *of_ask,
                              .mid = *of_mid,
                              .volume = of_volume,
                              .symbol = rows.at(row, symbol),
                              .source = text_or_absent(rows, row, source),
                              .metadata = text_or_absent(rows, row, metadata)};
    // jsonb comes behind its version byte.
    if (ingest::present(tick.metadata)) tick.metadata.remove_prefix(1);
    return tick;
}

std::optional<ingest::uuid> tick_rows::tenant(const pg_rows& rows, int row) {
    if (rows.is_null(row, tenant_id)) return std::nullopt;
    ingest::uuid id;
    std::memcpy(id.bytes.data(), rows.at(row, tenant_id).data(), id.bytes.size());
    return id;
}

}  // namespace tickd
