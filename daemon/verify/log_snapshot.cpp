#include "daemon/verify/log_snapshot.h"

#include <libpq-fe.h>

#include <memory>
#include <string_view>
#include <utility>

namespace tickd {

namespace {

// Rows are wanted in order of id or index, from the index that has this order: a sort of millions
// of rows would go to disk. The names in our queries are qualified, so nothing is searched for.
constexpr const char* settings =
    "SET row_security = off; SET search_path = pg_catalog; SET statement_timeout = 0;"
    " SET idle_in_transaction_session_timeout = 0; SET enable_sort = off; SET jit = off";

struct free_message {
    void operator()(char* message) const noexcept { PQfreemem(message); }
};
struct free_result {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};

// What a command that has ended says of itself; empty: it succeeded.
std::string outcome_of(PGconn* connection) {
    std::string wrong;
    while (PGresult* const raw = PQgetResult(connection)) {
        const std::unique_ptr<PGresult, free_result> result(raw);
        if (PQresultStatus(raw) == PGRES_COMMAND_OK) continue;
        const char* const state = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
        const char* const words = PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY);
        wrong = words != nullptr ? words : PQerrorMessage(connection);
        if (state != nullptr) wrong += std::string(" (SQLSTATE ") + state + ')';
    }
    return wrong;
}

}  // namespace

std::expected<log_snapshot, read_error> log_snapshot::open(const pg_target& target,
                                                           const std::string& name) {
    auto connection = pg_connection::connect(target);
    if (!connection) return std::unexpected(to_text(connection.error()));
    std::string begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    if (!name.empty()) begin += "; SET TRANSACTION SNAPSHOT " + quote_literal(name);
    for (const std::string& sql : {std::string(settings), begin}) {
        if (const auto done = connection->exec(sql); !done) {
            return std::unexpected(to_text(done.error()));
        }
    }
    return log_snapshot(std::move(*connection), name);
}

std::expected<log_snapshot, read_error> log_snapshot::open(const pg_target& target) {
    auto snapshot = open(target, "");
    if (!snapshot) return snapshot;
    const auto name = snapshot->connection_.query("SELECT pg_export_snapshot()");
    if (!name) return std::unexpected(to_text(name.error()));
    snapshot->name_ = name->at(0, 0);
    return snapshot;
}

std::expected<log_snapshot, read_error> log_snapshot::open_again(const pg_target& target) const {
    return open(target, name_);
}

std::expected<void, read_error> log_snapshot::read(const std::string& query,
                                                   std::size_t field_count,
                                                   const row_function& take) {
    PGconn* const connection = connection_.native();
    const std::string sql = "COPY (" + query + ") TO STDOUT (FORMAT binary)";
    if (PQsendQuery(connection, sql.c_str()) != 1) {
        return std::unexpected(PQerrorMessage(connection));
    }
    {
        const std::unique_ptr<PGresult, free_result> begun(PQgetResult(connection));
        if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
            const char* const state = PQresultErrorField(begun.get(), PG_DIAG_SQLSTATE);
            const char* const words = PQresultErrorField(begun.get(), PG_DIAG_MESSAGE_PRIMARY);
            std::string wrong = words != nullptr ? words : PQerrorMessage(connection);
            if (state != nullptr) wrong += std::string(" (SQLSTATE ") + state + ')';
            static_cast<void>(outcome_of(connection));
            return std::unexpected(std::move(wrong));
        }
    }
    verify::copy_reader reader(field_count);
    bool expected_form = true;
    for (;;) {
        char* raw = nullptr;
        const int length = PQgetCopyData(connection, &raw, 0);
        const std::unique_ptr<char, free_message> message(raw);
        if (length < 0) break;
        if (!expected_form) continue;  // Read on to the end, so that the connection stays of use.
        reader.give({raw, static_cast<std::size_t>(length)});
        while (const verify::copy_tuple* const row = reader.next()) {
            expected_form = expected_form && take(*row);
        }
        // The next piece ends the views into this one.
        reader.keep();
    }
    if (std::string wrong = outcome_of(connection); !wrong.empty()) return std::unexpected(wrong);
    if (!expected_form || !reader.ended()) {
        return std::unexpected("the answer is not of the form of the activity log: " + query);
    }
    return {};
}

}  // namespace tickd
