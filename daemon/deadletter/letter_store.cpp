#include "daemon/deadletter/letter_store.h"

#include <string>

namespace tickd {

namespace {

// The condition, order and limit of a page.
sql_condition page_of(const letter_filter& filter, const letter_page& page) {
    const bool oldest = page.order == letter_order::oldest_first;
    sql_condition where = condition_of(filter);
    if (page.behind) {
        where.add(oldest ? "id > ?::bigint" : "id < ?::bigint", {std::to_string(*page.behind)});
    }
    where.text += std::string(" ORDER BY id") + (oldest ? "" : " DESC") + " LIMIT " +
                  std::to_string(page.letters_max);
    return where;
}

unsigned digit_of(char c) { return static_cast<unsigned>(c >= 'a' ? c - 'a' + 10 : c - '0'); }

// What encode(raw, 'hex') gave.
std::string bytes_of(std::string_view hex) {
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(digit_of(hex[i]) << 4U | digit_of(hex[i + 1]));
    }
    return bytes;
}

dead_letter letter_of(const pg_rows& rows, int row) {
    const auto text = [&](int column) -> std::optional<std::string> {
        if (rows.is_null(row, column)) return std::nullopt;
        return std::string(rows.at(row, column));
    };
    const auto number = [&](int column) -> std::optional<std::int64_t> {
        if (rows.is_null(row, column)) return std::nullopt;
        return rows.integer(row, column);
    };
    return {.id = rows.integer(row, 0),
            .received_us = rows.integer(row, 1),
            .session_id = number(2),
            .peer = text(3),
            .listener = text(4),
            .producer = text(5),
            .tenant = text(6),
            .seq = number(7),
            .verdict = std::string(rows.at(row, 8)),
            .field = text(9),
            .detail = text(10),
            .sqlstate = text(11),
            .raw = bytes_of(rows.at(row, 12)),
            .raw_bytes = rows.integer(row, 13),
            .raw_length = rows.integer(row, 14),
            .replayed_us = number(15)};
}

}  // namespace

std::expected<std::vector<dead_letter>, pg_error> read_letters(pg_connection& connection,
                                                               const letter_filter& filter,
                                                               const letter_page& page) {
    const std::string raw =
        page.raw_bytes_max ? "substring(raw FROM 1 FOR " + std::to_string(*page.raw_bytes_max) + ")"
                           : "raw";
    const sql_condition where = page_of(filter, page);
    const auto rows = connection.query(
        "SELECT id, (extract(epoch FROM received_at) * 1000000)::bigint, session_id, peer,"
        " listener, producer, tenant_id, seq, verdict, field, detail, sqlstate, encode(" +
            raw +
            ", 'hex'), octet_length(raw), raw_length,"
            " (extract(epoch FROM replayed_at) * 1000000)::bigint"
            " FROM tickd.dead_letter WHERE " +
            where.text,
        where.parameters);
    if (!rows) return std::unexpected(rows.error());
    std::vector<dead_letter> letters;
    letters.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row) letters.push_back(letter_of(*rows, row));
    return letters;
}

std::expected<std::vector<letter_size>, pg_error> read_letter_sizes(pg_connection& connection,
                                                                    const letter_filter& filter,
                                                                    const letter_page& page) {
    const sql_condition where = page_of(filter, page);
    const auto rows =
        connection.query("SELECT id, octet_length(raw) FROM tickd.dead_letter WHERE " + where.text,
                         where.parameters);
    if (!rows) return std::unexpected(rows.error());
    std::vector<letter_size> sizes;
    sizes.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row) {
        sizes.push_back({rows->integer(row, 0), rows->integer(row, 1)});
    }
    return sizes;
}

std::expected<std::uint64_t, pg_error> count_letters(pg_connection& connection,
                                                     const letter_filter& filter) {
    const sql_condition where = condition_of(filter);
    const auto rows = connection.query("SELECT count(*) FROM tickd.dead_letter WHERE " + where.text,
                                       where.parameters);
    if (!rows) return std::unexpected(rows.error());
    return static_cast<std::uint64_t>(rows->integer(0, 0));
}

std::expected<std::uint64_t, pg_error> purge_letters(pg_connection& connection,
                                                     std::span<const std::int64_t> ids) {
    const auto gone = connection.query("SELECT tickd.purge_dead_letters($1)", {id_array(ids)});
    if (!gone) return std::unexpected(gone.error());
    return static_cast<std::uint64_t>(gone->integer(0, 0));
}

std::string id_array(std::span<const std::int64_t> ids) {
    std::string array = "{";
    for (const std::int64_t id : ids) {
        if (array.size() > 1) array += ',';
        array += std::to_string(id);
    }
    return array + '}';
}

}  // namespace tickd
