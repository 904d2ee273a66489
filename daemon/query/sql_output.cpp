#include "daemon/query/sql_output.h"

#include <libpq-fe.h>

#include <algorithm>
#include <format>
#include <memory>
#include <vector>

#include "daemon/json_quoted.h"
#include "daemon/query/csv_text.h"

namespace tickd {

namespace {

constexpr const char* fetch = "FETCH 10000 FROM printed";

using text_of_row = std::function<void(const pg_rows&, int, std::string&)>;

void csv_row(const pg_rows& rows, int row, std::string& out) {
    for (int column = 0; column < rows.columns(); ++column) {
        if (column != 0) out += ',';
        append_csv(rows.at(row, column), out);
    }
    out += '\n';
}

[[nodiscard]] bool is_integer(const pg_rows& rows, int column) {
    const std::string_view type = rows.type_of(column);
    return type == "int8" || type == "int4";
}

void ndjson_row(const pg_rows& rows, int row, std::string& out) {
    out += '{';
    for (int column = 0; column < rows.columns(); ++column) {
        if (column != 0) out += ',';
        out += json_quoted(rows.name(column)) + ':';
        if (rows.is_null(row, column)) {
            out += "null";
        } else if (is_integer(rows, column)) {
            out += rows.at(row, column);
        } else {
            out += json_quoted(rows.at(row, column));
        }
    }
    out += "}\n";
}

// One piece decides the widths; of a longer result each has its own.
void table_rows(const pg_rows& rows, bool first, std::string& out) {
    std::vector<std::size_t> widths;
    for (int column = 0; column < rows.columns(); ++column) {
        std::size_t width = rows.name(column).size();
        for (int row = 0; row < rows.size(); ++row) {
            width = std::max(width, rows.at(row, column).size());
        }
        widths.push_back(width);
    }
    const auto line = [&](auto text_of) {
        for (int column = 0; column < rows.columns(); ++column) {
            out += std::format("{}{:>{}}", column == 0 ? "" : "  ", text_of(column),
                               widths[static_cast<std::size_t>(column)]);
        }
        out += '\n';
    };
    if (first) line([&](int column) { return rows.name(column); });
    for (int row = 0; row < rows.size(); ++row) {
        line([&](int column) { return rows.at(row, column); });
    }
}

// The rows as COPY BINARY, as the server sends them.
[[nodiscard]] std::expected<void, pg_error> copy_out(
    pg_connection& connection, const std::string& select,
    const std::function<void(std::string_view)>& write) {
    PGconn* const link = connection.native();
    const std::string copy = "COPY (" + select + ") TO STDOUT (FORMAT binary)";
    const auto failed = [&]() -> std::expected<void, pg_error> {
        pg_error error;
        error.message = PQerrorMessage(link);
        while (!error.message.empty() && error.message.back() == '\n') error.message.pop_back();
        return std::unexpected(std::move(error));
    };
    using handle = std::unique_ptr<PGresult, decltype(&PQclear)>;
    if (handle begun(PQexec(link, copy.c_str()), PQclear);
        PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        return failed();
    }
    for (;;) {
        char* piece = nullptr;
        const int length = PQgetCopyData(link, &piece, 0);
        if (length == -2) return failed();
        if (length < 0) break;
        const std::unique_ptr<char, decltype(&PQfreemem)> owned(piece, PQfreemem);
        write({piece, static_cast<std::size_t>(length)});
    }
    bool good = true;
    while (handle rest{PQgetResult(link), PQclear}) {
        good = good && PQresultStatus(rest.get()) == PGRES_COMMAND_OK;
    }
    return good ? std::expected<void, pg_error>{} : failed();
}

}  // namespace

std::expected<void, pg_error> print_rows(pg_connection& connection, const std::string& select,
                                         output_form form,
                                         const std::function<void(std::string_view)>& write) {
    if (form == output_form::binary) return copy_out(connection, select, write);
    auto done = connection.exec("BEGIN READ ONLY; DECLARE printed NO SCROLL CURSOR FOR " + select);
    for (bool first = true; done; first = false) {
        const auto rows = connection.query(fetch);
        if (!rows) {
            done = std::unexpected(rows.error());
            break;
        }
        std::string out;
        if (form == output_form::table) {
            table_rows(*rows, first, out);
        } else {
            if (first && form == output_form::csv) {
                for (int column = 0; column < rows->columns(); ++column) {
                    if (column != 0) out += ',';
                    out += rows->name(column);
                }
                out += '\n';
            }
            for (int row = 0; row < rows->size(); ++row) {
                form == output_form::csv ? csv_row(*rows, row, out) : ndjson_row(*rows, row, out);
            }
        }
        write(out);
        if (rows->size() == 0) break;
    }
    // It has only read.
    if (connection.in_transaction()) static_cast<void>(connection.exec("ROLLBACK"));
    return done;
}

}  // namespace tickd
