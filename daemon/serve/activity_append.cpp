#include "daemon/serve/activity_append.h"

#include <openssl/rand.h>

#include <array>
#include <format>
#include <span>
#include <stdexcept>
#include <string_view>

#include "daemon/db/pg_connection.h"

namespace tickd {

namespace {

// ARRAY[a,b]::type[], from what `text_of` gives for each run.
template <typename TextOf>
[[nodiscard]] std::string array_of(std::span<const ingest::activity_run> runs,
                                   std::string_view type, TextOf text_of) {
    std::string sql = ",ARRAY[";
    for (const ingest::activity_run& run : runs) {
        if (sql.back() != '[') sql += ',';
        sql += text_of(run);
    }
    return sql.append("]::").append(type).append("[]");
}

}  // namespace

std::string fresh_nonce() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("libcrypto gives no random bytes");
    }
    std::string hex;
    for (const unsigned char byte : bytes) hex += std::format("{:02x}", byte);
    return hex;
}

std::string append_call(const ingest::batch& rows, std::uint32_t lane, std::int64_t epoch,
                        std::int64_t time_us) {
    using run = ingest::activity_run;
    const auto runs = rows.activity_runs();
    if (runs.empty()) return {};
    std::string sql =
        std::format("SELECT tickd.append_activity_batches('lane-{}',{},{}", lane, epoch, time_us);
    sql += array_of(runs, "uuid", [](const run& of) {
        return of.tenant == nullptr ? "NULL" : '\'' + ingest::to_text(*of.tenant) + '\'';
    });
    sql += array_of(runs, "bigint", [](const run& of) { return std::to_string(of.first_id); });
    sql += array_of(runs, "integer", [](const run& of) { return std::to_string(of.count); });
    sql += array_of(runs, "text", [](const run& of) {
        const ingest::sha256_hex hex = ingest::to_hex(of.root);
        return '\'' + std::string(hex.begin(), hex.end()) + '\'';
    });
    sql += array_of(runs, "text", [](const run& of) { return quote_literal(of.sources); });
    sql += array_of(runs, "text", [](const run&) { return '\'' + fresh_nonce() + '\''; });
    return sql + ");";
}

}  // namespace tickd
