#include "daemon/db/pg_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <vector>

namespace tickd {

namespace {

// libpq's own messages run over several lines, and end with one.
std::string one_line(const char* message) {
    std::string line;
    for (const char* c = message; *c != '\0'; ++c) {
        const bool blank = *c == '\n' || *c == '\t' || *c == ' ';
        if (!blank) {
            line += *c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    if (line.ends_with(' ')) line.pop_back();
    return line;
}

std::string field_of(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string() : std::string(text);
}

pg_error our_error(std::string message) {
    pg_error error;
    error.message = std::move(message);
    error.connection_lost = true;
    return error;
}

std::expected<std::string, pg_error> read_password(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string password{std::istreambuf_iterator<char>(file), {}};
    if (!file || file.bad()) {
        return std::unexpected(our_error("cannot read the password file " + path));
    }
    if (password.ends_with('\n')) password.pop_back();
    if (password.ends_with('\r')) password.pop_back();
    // libpq takes a C string: a NUL would cut the password short without a word.
    if (password.empty() || password.find('\0') != std::string::npos) {
        return std::unexpected(our_error("no usable password in " + path));
    }
    return password;
}

}  // namespace

std::string to_text(const pg_error& error) {
    std::string text = error.message;
    if (!error.sqlstate.empty()) text += " (SQLSTATE " + error.sqlstate + ")";
    if (!error.detail.empty()) text += ": " + error.detail;
    return text;
}

void pg_rows::free_result::operator()(::pg_result* result) const noexcept { PQclear(result); }

void pg_connection::close_connection::operator()(pg_conn* connection) const noexcept {
    PQfinish(connection);
}

int pg_rows::size() const noexcept { return PQntuples(result_.get()); }

int pg_rows::columns() const noexcept { return PQnfields(result_.get()); }

std::string_view pg_rows::at(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

bool pg_rows::is_null(int row, int column) const noexcept {
    return PQgetisnull(result_.get(), row, column) != 0;
}

bool pg_rows::is_true(int row, int column) const noexcept { return at(row, column) == "t"; }

std::int64_t pg_rows::integer(int row, int column) const noexcept {
    const std::string_view text = at(row, column);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string_view pg_rows::name(int column) const noexcept {
    const char* const name = PQfname(result_.get(), column);
    return name == nullptr ? std::string_view() : std::string_view(name);
}

// Object ids of built-in types: pg_type.dat, fixed since they were made.
std::string_view pg_rows::type_of(int column) const noexcept {
    switch (PQftype(result_.get(), column)) {
        case 20: return "int8";
        case 23: return "int4";
        case 1184: return "timestamptz";
        case 1700: return "numeric";
        default: return {};
    }
}

std::int64_t pg_rows::affected() const noexcept {
    const std::string_view text = PQcmdTuples(result_.get());
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::expected<pg_connection, pg_error> pg_connection::connect(const pg_target& target) {
    std::string password;
    if (!target.password_file.empty()) {
        auto read = read_password(target.password_file);
        if (!read) return std::unexpected(std::move(read.error()));
        password = std::move(*read);
    }
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(target.connect_timeout).count();
    const std::string timeout = std::to_string(std::max<std::int64_t>(seconds, 1));

    // A later keyword overrides an earlier one: what stands before dbname yields to conninfo, what
    // stands behind it overrides that.
    std::vector<const char*> keywords, values;
    const auto add = [&](const char* keyword, const std::string& value) {
        if (value.empty()) return;
        keywords.push_back(keyword);
        values.push_back(value.c_str());
    };
    // The kernel's own keepalive waits two hours before its first probe. With these a peer that is
    // gone is noticed after 5 + 3 * 2 s. No tcp_user_timeout: it also ends connections whose peer
    // is alive and only does not read, such as a backend that waits for a lock.
    keywords.insert(keywords.end(), {"keepalives_idle", "keepalives_interval", "keepalives_count"});
    values.insert(values.end(), {"5", "2", "3"});
    add("target_session_attrs", target.session_attrs);
    add("dbname", target.conninfo);
    add("password", password);
    add("fallback_application_name", target.application_name);
    add("options", target.options);
    add("connect_timeout", timeout);
    keywords.insert(keywords.end(), {"client_encoding", nullptr});
    values.insert(values.end(), {"UTF8", nullptr});

    handle opened(PQconnectdbParams(keywords.data(), values.data(), /*expand_dbname=*/1));
    if (!opened) return std::unexpected(our_error("out of memory"));
    if (PQstatus(opened.get()) != CONNECTION_OK) {
        return std::unexpected(our_error(one_line(PQerrorMessage(opened.get()))));
    }
    pg_connection connection(std::move(opened));
    connection.stall_limit_ = target.stall_limit;
    if (!target.check_server) return connection;
    if (connection.server_version() < 160000) {
        return std::unexpected(our_error("the server is PostgreSQL " +
                                         std::string(connection.parameter("server_version")) +
                                         "; 16 is the oldest that works"));
    }
    // The hashed bytes of the activity log are defined in UTF-8.
    if (connection.parameter("server_encoding") != "UTF8") {
        return std::unexpected(our_error("the database is encoded in " +
                                         std::string(connection.parameter("server_encoding")) +
                                         "; create it with ENCODING 'UTF8'"));
    }
    return connection;
}

pg_error pg_connection::failure(const ::pg_result* result) const {
    pg_error error;
    error.connection_lost = PQstatus(connection_.get()) == CONNECTION_BAD;
    error.sqlstate = field_of(result, PG_DIAG_SQLSTATE);
    error.message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
    if (error.message.empty()) error.message = one_line(PQerrorMessage(connection_.get()));
    error.detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);
    const std::string hint = field_of(result, PG_DIAG_MESSAGE_HINT);
    if (!hint.empty()) error.detail += (error.detail.empty() ? "" : " ") + hint;
    const std::string position = field_of(result, PG_DIAG_STATEMENT_POSITION);
    std::from_chars(position.data(), position.data() + position.size(), error.position);
    return error;
}

// Waits until PQgetResult will not block. False: nothing moved for stall_limit, or the connection
// is gone.
bool pg_connection::await_answer() const {
    PGconn* const connection = connection_.get();
    while (PQisBusy(connection) == 1) {
        const int unsent = PQflush(connection);
        if (unsent < 0) return false;
        pollfd socket{.fd = PQsocket(connection),
                      .events = static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN),
                      .revents = 0};
        const int limit = stall_limit_.count() == 0 ? -1 : static_cast<int>(stall_limit_.count());
        const int ready = ::poll(&socket, 1, limit);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        if ((socket.revents & ~POLLOUT) != 0 && PQconsumeInput(connection) == 0) return false;
    }
    return true;
}

// What PQexec does, with a limit to its patience: the last result of what was sent.
std::expected<pg_rows, pg_error> pg_connection::last_answer(bool sent) const {
    result_handle last;
    while (sent) {
        if (!await_answer() && PQstatus(connection_.get()) == CONNECTION_OK) {
            return std::unexpected(our_error("no word from the server for " +
                                             std::to_string(stall_limit_.count()) + " ms"));
        }
        result_handle next(PQgetResult(connection_.get()));
        if (!next) break;
        last = std::move(next);
        if (PQstatus(connection_.get()) == CONNECTION_BAD) break;
    }
    return checked(std::move(last));
}

std::expected<pg_rows, pg_error> pg_connection::checked(result_handle result) const {
    switch (PQresultStatus(result.get())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY: return pg_rows(std::move(result));
        default: return std::unexpected(failure(result.get()));
    }
}

std::expected<void, pg_error> pg_connection::exec(const std::string& sql) {
    PGconn* const connection = connection_.get();
    const auto answer = stall_limit_.count() == 0
                            ? checked(result_handle(PQexec(connection, sql.c_str())))
                            : last_answer(PQsendQuery(connection, sql.c_str()) == 1);
    if (!answer) return std::unexpected(answer.error());
    return {};
}

std::expected<pg_rows, pg_error> pg_connection::query(const std::string& sql,
                                                      std::span<const pg_parameter> parameters,
                                                      answer_form form) {
    std::vector<const char*> values;
    for (const pg_parameter& parameter : parameters) {
        values.push_back(parameter ? parameter->c_str() : nullptr);
    }
    const auto run = [&](auto call) {
        return call(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                    values.data(), nullptr, nullptr, static_cast<int>(form));
    };
    if (stall_limit_.count() == 0) return checked(result_handle(run(&PQexecParams)));
    return last_answer(run(&PQsendQueryParams) == 1);
}

std::expected<void, pg_error> pg_connection::copy_begin(const std::string& sql) {
    const pg_rows::handle result(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(result.get()) == PGRES_COPY_IN) return {};
    return std::unexpected(failure(result.get()));
}

std::expected<void, pg_error> pg_connection::copy_put(std::string_view bytes) {
    // PQputCopyData counts in int.
    constexpr std::size_t piece_max = 1U << 24U;
    while (!bytes.empty()) {
        const std::string_view piece = bytes.substr(0, piece_max);
        bytes.remove_prefix(piece.size());
        if (PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size())) == 1) {
            continue;
        }
        const pg_rows::handle result(PQgetResult(connection_.get()));
        return std::unexpected(failure(result.get()));
    }
    return {};
}

std::expected<std::int64_t, pg_error> pg_connection::copy_end() {
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) {
        return std::unexpected(failure(nullptr));
    }
    pg_rows result(pg_rows::handle(PQgetResult(connection_.get())));
    std::expected<std::int64_t, pg_error> outcome = result.affected();
    if (PQresultStatus(result.result_.get()) != PGRES_COMMAND_OK) {
        outcome = std::unexpected(failure(result.result_.get()));
    }
    // The connection takes no further command until a null result has been read.
    while (pg_rows::handle rest{PQgetResult(connection_.get())}) {
    }
    return outcome;
}

bool pg_connection::in_transaction() const noexcept {
    const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

int pg_connection::server_version() const noexcept { return PQserverVersion(connection_.get()); }

std::string_view pg_connection::parameter(const char* name) const noexcept {
    const char* value = PQparameterStatus(connection_.get(), name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string_view pg_connection::host() const noexcept {
    const char* value = PQhost(connection_.get());
    return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string quote_literal(std::string_view text) {
    // standard_conforming_strings may be off: E'' reads the same under both settings.
    std::string quoted = "E'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') quoted += c;
        quoted += c;
    }
    return quoted + "'";
}

}  // namespace tickd
