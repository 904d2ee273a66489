#include "daemon/notary/notary_database.h"

#include <libpq-fe.h>

#include <bit>
#include <cstring>
#include <format>
#include <memory>
#include <utility>

#include "daemon/clock.h"
#include "daemon/serve/activity_append.h"
#include "ingest/merkle.h"

namespace tickd {

namespace {

constexpr std::size_t copy_header_bytes = 19;

[[nodiscard]] std::string hex_of(const ingest::sha256_digest& digest) {
    const ingest::sha256_hex hex = ingest::to_hex(digest);
    return {hex.begin(), hex.end()};
}

template <typename Int>
[[nodiscard]] Int big_endian(const char* at) noexcept {
    Int value;
    std::memcpy(&value, at, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
}

// Tuples of COPY BINARY, out of pieces that need not end where tuples do. Gives each tuple's bytes
// behind its field count, which must be `fields`.
class tuple_reader {
public:
    explicit tuple_reader(std::int16_t fields) noexcept : fields_(fields) {}

    template <typename Use>
    [[nodiscard]] bool feed(std::string_view piece, Use use) {
        bytes_ += piece;
        std::size_t at = 0;
        if (!header_read_) {
            if (bytes_.size() < copy_header_bytes) return true;
            header_read_ = true;
            at = copy_header_bytes;
        }
        for (;;) {
            const std::size_t end = end_of_tuple(at);
            if (bad_) return false;
            if (end == at) break;
            use(std::string_view(bytes_).substr(at + 2, end - at - 2));
            at = end;
        }
        bytes_.erase(0, at);
        return true;
    }

private:
    // `at` when the tuple is not all there yet.
    [[nodiscard]] std::size_t end_of_tuple(std::size_t at) {
        if (bytes_.size() - at < 2) return at;
        const auto count = big_endian<std::int16_t>(bytes_.data() + at);
        if (count == -1) return at;  // the trailer
        bad_ = count != fields_;
        if (bad_) return at;
        std::size_t end = at + 2;
        for (std::int16_t field = 0; field < count; ++field) {
            if (bytes_.size() - end < 4) return at;
            const auto length = big_endian<std::int32_t>(bytes_.data() + end);
            end += 4 + (length > 0 ? static_cast<std::size_t>(length) : 0);
            if (bytes_.size() < end) return at;
        }
        return end;
    }

    std::int16_t fields_;
    bool header_read_ = false;
    bool bad_ = false;
    std::string bytes_;
};

struct free_result {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};

}  // namespace

std::string columns_of(const ingest::activity_record& record, const std::string& text) {
    const std::string entry = hex_of(ingest::sha256().digest(text));
    if (record.kind != ingest::record_of::rows) return "|||||" + entry;
    return std::format("{}|{}|{}|{}|{}|{}",
                       record.tenant ? ingest::to_text(*record.tenant) : std::string(), record.tseq,
                       record.first_id, record.count, record.root, entry);
}

notary_database::notary_database(pg_target target) : target_(std::move(target)) {}

void notary_database::give_up() noexcept { cutter_.cut(); }

pg_error notary_database::lost(pg_error error) {
    if (error.connection_lost || !connection_ || PQstatus(connection_->native()) != CONNECTION_OK) {
        error.connection_lost = true;
        connection_.reset();
    }
    return error;
}

std::expected<void, pg_error> notary_database::connect() {
    auto opened = pg_connection::connect(target_);
    if (!opened) return std::unexpected(opened.error());
    connection_ = std::move(*opened);
    cutter_.hold(connection_->native());
    // Whatever the role's or the database's settings are.
    const auto set = connection_->exec(
        "SET synchronous_commit = on; SET default_transaction_read_only = off;"
        " SET row_security = off; SET search_path = pg_catalog, pg_temp");
    if (!set) return std::unexpected(lost(set.error()));
    return {};
}

std::expected<pg_rows, pg_error> notary_database::ask(
    const std::string& sql, std::initializer_list<pg_parameter> parameters) {
    auto rows = connection_->query(sql, parameters);
    if (!rows) return std::unexpected(lost(rows.error()));
    return rows;
}

std::expected<log_head, pg_error> notary_database::head() {
    const auto rows = ask("SELECT origin, size, encode(root, 'hex') FROM tickd.activity_head");
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() != 1) return log_head{};
    return log_head{std::string(rows->at(0, 0)), rows->integer(0, 1), std::string(rows->at(0, 2))};
}

std::expected<std::vector<log_record>, pg_error> notary_database::records(std::int64_t begin,
                                                                          std::int64_t end) {
    const auto rows =
        ask("SELECT encode(record, 'escape'),"
            "       concat_ws('|', coalesce(tenant_id::text, ''), coalesce(tseq::text, ''),"
            "                 coalesce(first_id::text, ''), coalesce(row_count::text, ''),"
            "                 coalesce(encode(root, 'hex'), ''), encode(entry, 'hex'))"
            "  FROM tickd.activity_batch WHERE index >= $1 AND index < $2 ORDER BY index",
            {std::to_string(begin), std::to_string(end)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<log_record> found;
    found.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row) {
        found.push_back({std::string(rows->at(row, 0)), std::string(rows->at(row, 1))});
    }
    return found;
}

std::expected<std::string, pg_error> notary_database::root_of_rows(
    const ingest::activity_record& record) {
    PGconn* const connection = connection_->native();
    const std::string sql = std::format(
        "COPY (SELECT id, timestamp, agent_id, action_type, action_payload, user_id, session_id,"
        " metadata, created_at, tenant_id FROM public.unified_activity_log"
        " WHERE id >= {} AND id < {} ORDER BY id) TO STDOUT (FORMAT binary)",
        record.first_id, record.first_id + record.count);
    using handle = std::unique_ptr<PGresult, free_result>;
    const handle begun(PQexec(connection, sql.c_str()));
    if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        pg_error refused;
        refused.message = PQerrorMessage(connection);
        return std::unexpected(lost(refused));
    }
    ingest::merkle_tree tree;
    tuple_reader reader(ingest::activity_row_fields);
    bool well_formed = true;
    for (;;) {
        char* piece = nullptr;
        const int length = PQgetCopyData(connection, &piece, 0);
        if (length <= 0) break;
        const std::unique_ptr<char, decltype(&PQfreemem)> owned(piece, PQfreemem);
        well_formed =
            well_formed && reader.feed({piece, static_cast<std::size_t>(length)}, [&](auto fields) {
                tree.add(hasher_.row_hash(fields), hasher_.plain());
            });
    }
    pg_error failed;
    while (const handle ended{PQgetResult(connection)}) {
        if (PQresultStatus(ended.get()) != PGRES_COMMAND_OK) {
            failed.message = PQresultErrorMessage(ended.get());
        }
    }
    if (!failed.message.empty()) return std::unexpected(lost(failed));
    if (!well_formed) return "rows of another form";
    if (tree.size() != static_cast<std::uint64_t>(record.count)) {
        return std::format("{} rows", tree.size());
    }
    return hex_of(tree.root(hasher_.plain()));
}

// A commit of our own: its flush covers everything before it. An empty transaction would write
// nothing and wait for nothing.
std::expected<void, pg_error> notary_database::make_durable() {
    const auto kept = ask("SELECT pg_logical_emit_message(true, 'tickd.notary', '')");
    if (!kept) return std::unexpected(kept.error());
    return {};
}

std::expected<void, pg_error> notary_database::append_heartbeat() {
    const auto added = ask("SELECT tickd.append_activity_note('heartbeat', NULL, $1, $2)",
                           {std::to_string(unix_now_us()), fresh_nonce()});
    if (!added) return std::unexpected(added.error());
    return {};
}

std::expected<void, pg_error> notary_database::append_key(const std::string& vkey) {
    const auto added = ask("SELECT tickd.append_activity_note('key', $1, $2, $3)",
                           {vkey, std::to_string(unix_now_us()), fresh_nonce()});
    if (!added) return std::unexpected(added.error());
    return {};
}

std::expected<void, pg_error> notary_database::keep_copy(std::int64_t size,
                                                         const std::string& note) {
    const auto kept =
        ask("INSERT INTO tickd.activity_checkpoint (size, note) VALUES ($1, $2)"
            " ON CONFLICT (size) DO NOTHING",
            {std::to_string(size), note});
    if (!kept) return std::unexpected(kept.error());
    return {};
}

std::expected<bool, pg_error> notary_database::has_copies() {
    const auto rows = ask("SELECT EXISTS (SELECT FROM tickd.activity_checkpoint)");
    if (!rows) return std::unexpected(rows.error());
    return rows->is_true(0, 0);
}

}  // namespace tickd
