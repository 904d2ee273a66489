// One connection to PostgreSQL, and its answers: the edge where libpq's handles end.
//
// Calls block; the commands use them as they are. The batch writer opens its connection here and
// then drives the handle itself, non-blocking, through native().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace tickd {

// Why a call failed.
struct pg_error {
    std::string sqlstate;          // five characters; empty: the words are libpq's or ours
    std::string message;           // one line, without "ERROR:"
    std::string detail;            // the server's DETAIL and HINT; may be empty
    int position = 0;              // character of the statement, from 1; 0: unknown
    bool connection_lost = false;  // the connection is of no further use
};

// `message (SQLSTATE 42501): detail`, without what is empty.
[[nodiscard]] std::string to_text(const pg_error& error);

// Rows of a query, as text unless it was asked for in binary.
class pg_rows {
public:
    [[nodiscard]] int size() const noexcept;
    [[nodiscard]] int columns() const noexcept;
    // Row and column from 0 and in range. The view lives as long as this object; NULL is empty.
    [[nodiscard]] std::string_view at(int row, int column) const noexcept;
    [[nodiscard]] bool is_null(int row, int column) const noexcept;
    // `t` as true.
    [[nodiscard]] bool is_true(int row, int column) const noexcept;
    // An integer; 0 for NULL.
    [[nodiscard]] std::int64_t integer(int row, int column) const noexcept;
    // The column's name, and its type's: `int8`, `numeric`, `timestamptz`; empty for one that is
    // not known here.
    [[nodiscard]] std::string_view name(int column) const noexcept;
    [[nodiscard]] std::string_view type_of(int column) const noexcept;
    // Rows that an INSERT, UPDATE, DELETE or COPY touched; 0 for anything else.
    [[nodiscard]] std::int64_t affected() const noexcept;

private:
    friend class pg_connection;
    struct free_result {
        void operator()(pg_result* result) const noexcept;
    };
    using handle = std::unique_ptr<pg_result, free_result>;
    explicit pg_rows(handle result) noexcept : result_(std::move(result)) {}
    handle result_;
};

struct pg_target {
    std::string conninfo;       // string or URI, several hosts allowed; empty: libpq's defaults
    std::string password_file;  // empty: none. One trailing newline is not part of the password
    std::string application_name = "tickd";  // unless conninfo has its own
    std::string options;  // as PGOPTIONS, `-c name=value ...`; empty: conninfo's own
    std::chrono::milliseconds connect_timeout{5000};  // per host, rounded up to seconds
    bool check_server = true;   // refuse servers below version 16 or with another encoding
    std::string session_attrs;  // target_session_attrs, unless conninfo has its own; empty: any
    // exec and query give up a server that neither takes nor says anything for so long; 0: never.
    std::chrono::milliseconds stall_limit{0};
};

// A value of a query's $n; nothing is NULL.
using pg_parameter = std::optional<std::string>;

// How the values of an answer come: as text, or as the types' send functions write them.
enum class answer_form : int { text = 0, binary = 1 };

// One thread at a time.
class pg_connection {
public:
    // What is exchanged is always UTF-8: client_encoding cannot be overridden.
    [[nodiscard]] static std::expected<pg_connection, pg_error> connect(const pg_target& target);

    // One statement or several, separated by semicolons, whose rows nobody needs.
    [[nodiscard]] std::expected<void, pg_error> exec(const std::string& sql);
    // One statement, with $1 and so on taken from `parameters`.
    [[nodiscard]] std::expected<pg_rows, pg_error> query(
        const std::string& sql, std::span<const pg_parameter> parameters = {},
        answer_form form = answer_form::text);
    [[nodiscard]] std::expected<pg_rows, pg_error> query(
        const std::string& sql, std::initializer_list<pg_parameter> parameters,
        answer_form form = answer_form::text) {
        return query(sql, std::span(parameters.begin(), parameters.size()), form);
    }

    // COPY ... FROM STDIN: begin, any number of puts, end. After an error of put or end the COPY
    // is over. End gives the number of rows.
    [[nodiscard]] std::expected<void, pg_error> copy_begin(const std::string& sql);
    [[nodiscard]] std::expected<void, pg_error> copy_put(std::string_view bytes);
    [[nodiscard]] std::expected<std::int64_t, pg_error> copy_end();

    // Inside BEGIN, whether the transaction still works or has failed.
    [[nodiscard]] bool in_transaction() const noexcept;
    // 170011 for 17.11.
    [[nodiscard]] int server_version() const noexcept;
    // A parameter that the server reports by itself, as server_encoding. Empty: not reported.
    [[nodiscard]] std::string_view parameter(const char* name) const noexcept;
    // The host connected to: a name, an address, or the folder of a unix socket (begins with '/').
    [[nodiscard]] std::string_view host() const noexcept;

    // Borrowed; this object closes it.
    [[nodiscard]] pg_conn* native() const noexcept { return connection_.get(); }

private:
    struct close_connection {
        void operator()(pg_conn* connection) const noexcept;
    };
    using handle = std::unique_ptr<pg_conn, close_connection>;
    using result_handle = pg_rows::handle;
    explicit pg_connection(handle connection) noexcept : connection_(std::move(connection)) {}
    [[nodiscard]] pg_error failure(const pg_result* result) const;
    [[nodiscard]] std::expected<pg_rows, pg_error> checked(result_handle result) const;
    [[nodiscard]] bool await_answer() const;
    [[nodiscard]] std::expected<pg_rows, pg_error> last_answer(bool sent) const;
    handle connection_;
    std::chrono::milliseconds stall_limit_{0};
};

// A literal for SQL that takes no parameters: 'it''s'. `text` is valid UTF-8 without NUL bytes.
[[nodiscard]] std::string quote_literal(std::string_view text);

}  // namespace tickd
