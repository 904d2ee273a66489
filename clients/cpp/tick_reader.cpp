#include "clients/cpp/tick_reader.h"

#include <format>
#include <optional>
#include <utility>

#include "ingest/timestamp.h"

namespace tickd::client {

namespace {

constexpr std::int64_t day_us = 86'400'000'000;
// The years that RFC 3339 can name, within which a time is said to the server.
constexpr std::int64_t year_0001_us = -62'135'596'800'000'000;
constexpr std::int64_t year_10000_us = 253'402'300'800'000'000;

struct clear_result {
    void operator()(PGresult* result) const noexcept { ::PQclear(result); }
};
using result_ptr = std::unique_ptr<PGresult, clear_result>;

struct free_memory {
    void operator()(char* memory) const noexcept { ::PQfreemem(memory); }
};

[[nodiscard]] std::int64_t begin_of_day(std::int64_t time_us) noexcept {
    return time_us - (time_us % day_us + day_us) % day_us;
}

// Takes apart what COPY ... (FORMAT binary) sends: two fields a tuple. Messages end where tuples
// do; the stream's header comes with the first one.
class copy_row {
public:
    // False: not as it should be.
    [[nodiscard]] bool parse(std::string_view message) {
        using namespace std::string_view_literals;
        present_ = false;
        if (message.starts_with("PGCOPY\n\xff\r\n\0"sv)) {
            if (message.size() < 19) return false;
            message.remove_prefix(15);
            const auto extension = static_cast<std::uint32_t>(number(message, 4));
            if (message.size() < extension) return false;
            message.remove_prefix(extension);
            if (message.empty()) return true;
        }
        if (message.size() < 2) return false;
        const std::int64_t fields = number(message, 2);
        if (fields == 0xFFFF) return true;  // the trailer
        present_ = fields == 2 && field(message, data) && field(message, metadata);
        return present_ && message.empty();
    }
    [[nodiscard]] bool present() const noexcept { return present_; }

    std::string_view data, metadata;  // empty for NULL

private:
    [[nodiscard]] static std::int64_t number(std::string_view& from, std::size_t bytes) {
        std::int64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i)
            value = value << 8 | static_cast<unsigned char>(from[i]);
        from.remove_prefix(bytes);
        return value;
    }
    [[nodiscard]] static bool field(std::string_view& from, std::string_view& value) {
        value = {};
        if (from.size() < 4) return false;
        const std::int64_t length = number(from, 4);
        if (length == 0xFFFF'FFFF) return true;
        if (static_cast<std::uint64_t>(length) > from.size()) return false;
        value = from.substr(0, static_cast<std::size_t>(length));
        from.remove_prefix(static_cast<std::size_t>(length));
        return true;
    }

    bool present_ = false;
};

}  // namespace

std::expected<tick_reader, read_error> tick_reader::connect(const std::string& conninfo) {
    std::unique_ptr<PGconn, finish> made(::PQconnectdb(conninfo.c_str()));
    if (!made || ::PQstatus(made.get()) != CONNECTION_OK) {
        return std::unexpected(
            read_error{.what = read_error::kind::connection,
                       .message = made ? ::PQerrorMessage(made.get()) : "out of memory",
                       .sqlstate = {}});
    }
    tick_reader reader(made.get());
    reader.owned_ = std::move(made);
    return reader;
}

read_error tick_reader::failed(const PGresult* result) const {
    const bool broken = ::PQstatus(connection_) != CONNECTION_OK;
    const char* const state =
        result == nullptr ? nullptr : ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return {
        .what = broken || state == nullptr ? read_error::kind::connection : read_error::kind::query,
        .message = ::PQerrorMessage(connection_),
        .sqlstate = state == nullptr ? "" : state};
}

// docs/segments.md, "How to ask it". Each half in order of time, which the index gives for nothing.
std::expected<std::string, read_error> tick_reader::copy_command(
    std::string_view symbol, std::int64_t from_us, std::int64_t to_us,
    const read_options& options) const {
    const std::unique_ptr<char, free_memory> quoted(
        ::PQescapeLiteral(connection_, symbol.data(), symbol.size()));
    if (!quoted) return std::unexpected(failed(nullptr));
    std::string bounds;
    if (from_us >= year_0001_us && from_us < year_10000_us) {
        bounds +=
            std::format(" AND first_time >= '{}' AND last_time >= '{}'",
                        ingest::to_rfc3339(begin_of_day(from_us)), ingest::to_rfc3339(from_us));
    }
    if (to_us >= year_0001_us && to_us < year_10000_us) {
        bounds += std::format(" AND first_time < '{}'", ingest::to_rfc3339(to_us));
    }
    const auto half = [&](std::string_view which) {
        return std::format(
            "(SELECT data, {} FROM public.price_segment WHERE symbol {}{} ORDER BY first_time)",
            options.metadata ? "metadata" : "NULL::bytea", which, bounds);
    };
    return std::format("COPY ({} UNION ALL {}) TO STDOUT (FORMAT binary)",
                       half(std::format("= {}", quoted.get())), half("IS NULL"));
}

std::expected<std::size_t, read_error> tick_reader::read(std::string_view symbol,
                                                         std::int64_t from_us, std::int64_t to_us,
                                                         const read_options& options,
                                                         ingest::tick_columns& into) {
    into.clear();
    if (from_us >= to_us) return 0;
    auto command = copy_command(symbol, from_us, to_us, options);
    if (!command) return std::unexpected(command.error());
    // The index has the order. Other plans the planner thinks cheaper are not: a parallel worker
    // takes longer to start than all of it takes to read, and a sort of 7 MB goes to disk: 3 ms in
    // the server became 15. Together these are one transaction; within the caller's own the
    // settings would stay.
    if (::PQtransactionStatus(connection_) == PQTRANS_IDLE) {
        command->insert(
            0, "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_sort = off; ");
    }
    result_ptr result(::PQexec(connection_, command->c_str()));
    if (::PQresultStatus(result.get()) != PGRES_COPY_OUT) {
        return std::unexpected(failed(result.get()));
    }
    const ingest::segment_filter wanted{.symbol = symbol, .from_us = from_us, .to_us = to_us};
    std::optional<std::string> broken;  // why what came is no segment
    copy_row row;
    char* message = nullptr;
    int size = 0;
    // To the end, whatever comes: so the connection stays usable.
    while ((size = ::PQgetCopyData(connection_, &message, 0)) > 0) {
        const std::unique_ptr<char, free_memory> owned(message);
        if (broken) continue;
        if (!row.parse({message, static_cast<std::size_t>(size)})) {
            broken = "the server's answer is no COPY of two columns";
        } else if (row.present()) {
            const auto appended = options.metadata ? decoder_.append_with_metadata(
                                                         row.data, row.metadata, wanted, into)
                                                   : decoder_.append(row.data, wanted, into);
            if (!appended) broken = std::format("a segment {}", to_string(appended.error()));
        }
    }
    std::optional<read_error> error;
    if (size == -2) error = failed(nullptr);
    while (result = result_ptr(::PQgetResult(connection_)), result != nullptr) {
        if (::PQresultStatus(result.get()) != PGRES_COMMAND_OK && !error) {
            error = failed(result.get());
        }
    }
    if (!error && broken) {
        error = read_error{
            .what = read_error::kind::segment, .message = std::move(*broken), .sqlstate = {}};
    }
    if (error) {
        into.clear();
        return std::unexpected(std::move(*error));
    }
    into.sort_by_time();
    return into.size();
}

}  // namespace tickd::client
