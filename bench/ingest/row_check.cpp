#include "bench/ingest/row_check.h"

#include <libpq-fe.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

#include "bench/load/copy_files.h"

namespace bench {

void row_hashes::add(std::string_view row) {
    hashes_.push_back(std::hash<std::string_view>{}(row));
}

row_difference row_hashes::compare(std::size_t rows, row_hashes found) const {
    std::vector<std::uint64_t> loaded(hashes_.begin(),
                                      hashes_.begin() + static_cast<std::ptrdiff_t>(rows));
    std::ranges::sort(loaded);
    std::ranges::sort(found.hashes_);
    std::vector<std::uint64_t> lost, more;
    std::ranges::set_difference(loaded, found.hashes_, std::back_inserter(lost));
    std::ranges::set_difference(found.hashes_, loaded, std::back_inserter(more));
    row_difference difference{.lost = lost.size()};
    for (const std::uint64_t hash : more) {
        ++(std::ranges::binary_search(loaded, hash) ? difference.doubled : difference.changed);
    }
    return difference;
}

row_hashes read_rows(tickd::pg_connection& sql, const std::string& query) {
    pg_conn* const connection = sql.native();
    const std::string statement = "COPY (" + query + ") TO STDOUT (FORMAT binary)";
    const std::unique_ptr<PGresult, decltype(&PQclear)> begun(PQexec(connection, statement.c_str()),
                                                              &PQclear);
    if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        throw std::runtime_error(PQerrorMessage(connection));
    }
    row_hashes rows;
    char* buffer = nullptr;
    bool first = true;
    int size = 0;
    // The server sends a row a message, the header with the first of them, the trailer alone.
    while ((size = PQgetCopyData(connection, &buffer, 0)) > 0) {
        const std::unique_ptr<char, decltype(&PQfreemem)> owned(buffer, &PQfreemem);
        std::string_view row(buffer, static_cast<std::size_t>(size));
        if (std::exchange(first, false)) row.remove_prefix(copy_header_bytes);
        if (row.size() > copy_trailer_bytes) rows.add(row);
    }
    const std::unique_ptr<PGresult, decltype(&PQclear)> ended(PQgetResult(connection), &PQclear);
    if (size != -1 || PQresultStatus(ended.get()) != PGRES_COMMAND_OK) {
        throw std::runtime_error(PQerrorMessage(connection));
    }
    while (PGresult* rest = PQgetResult(connection)) PQclear(rest);
    return rows;
}

}  // namespace bench
