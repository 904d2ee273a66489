#include "daemon/serve/pg_lane_database.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <format>
#include <utility>

#include "daemon/clock.h"
#include "daemon/serve/activity_append.h"
#include "ingest/copy_encode.h"
#include "ingest/limits.h"
#include "ingest/producer_key.h"

namespace tickd {

namespace {

// Large enough that a system call costs nothing per row, small enough that the next batch is
// looked after often while this one is sent.
constexpr std::size_t put_bytes_max = 256 * 1024;
// A batch leaves a ledger row, and only a lane's newest can ever be asked for: without this a quiet
// feed of single ticks would leave millions a day. The hour is the least that SQL allows.
constexpr std::int64_t prune_every_us = 60'000'000;
constexpr const char* prune_statement = "SELECT tickd.prune_ledger('1 hour')";
// An ack says that a crash of the server loses nothing, so a commit that does not wait for the log
// to be written will not do, whatever the role's or the database's setting.
constexpr const char* session_settings =
    "SELECT set_config('lock_timeout', '0', false),"
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";
// Ids are reserved ahead, so that a batch of events costs no round trip of its own.
constexpr std::size_t ids_reserved_ahead = 16'384;

struct free_result {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using result_handle = std::unique_ptr<PGresult, free_result>;

// One line, whatever libpq says.
[[nodiscard]] std::string one_line(const char* text) {
    std::string line = text == nullptr ? "" : text;
    while (!line.empty() && line.back() == '\n') line.pop_back();
    std::ranges::replace(line, '\n', ' ');
    return line;
}

[[nodiscard]] ingest::database_error error_of(const PGresult* result) {
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* const words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char* const subject = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    return {.sqlstate = state == nullptr ? "" : state,
            .message = words == nullptr ? one_line(PQresultErrorMessage(result)) : one_line(words),
            .subject = subject == nullptr ? "" : subject};
}

[[nodiscard]] ingest::database_error error_of(const pg_error& error) {
    return {.sqlstate = error.sqlstate, .message = error.message, .subject = {}};
}

// The server itself does not know whether the transaction was committed: 40003, statement
// completion unknown; 08007, transaction resolution unknown.
[[nodiscard]] bool says_unknown(std::string_view sqlstate) {
    return sqlstate == "40003" || sqlstate == "08007";
}

// ARRAY[a,b]::type[], from what `text_of` gives for each producer.
template <typename TextOf>
[[nodiscard]] std::string sql_array(std::span<const ingest::producer_share> producers,
                                    std::string_view type, TextOf text_of) {
    std::string sql = "ARRAY[";
    for (const ingest::producer_share& share : producers) {
        if (sql.back() != '[') sql += ',';
        sql += text_of(share);
    }
    return sql.append("]::").append(type).append("[]");
}

// Of a unix socket alone, up to twice net.core.wmem_max: one of TCP grows by itself until somebody
// says how large it is. Where it fails nothing is lost but time.
void widen_send_buffer(int socket) {
    sockaddr_storage self{};
    socklen_t length = sizeof self;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&self), &length) != 0) return;
    if (self.ss_family != AF_UNIX) return;
    const int bytes = ingest::limits::database_send_buffer_bytes;
    static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes));
}

}  // namespace

pg_lane_database::pg_lane_database(pg_lane_settings settings) : settings_(std::move(settings)) {}

pg_lane_database::~pg_lane_database() { disconnect(); }

void pg_lane_database::disconnect() noexcept {
    connection_.reset();
    cutter_.let_go();
}

// A COMMIT that is cancelled while it waits for its synchronous standby succeeds, with a WARNING
// that has no SQLSTATE of its own: the function that gives it tells it from others.
void pg_lane_database::hear_unreplicated() noexcept {
    unreplicated_.clear();
    PQsetNoticeReceiver(
        connection_->native(),
        [](void* self, const PGresult* said) {
            const char* const from = PQresultErrorField(said, PG_DIAG_SOURCE_FUNCTION);
            if (from == nullptr || std::string_view(from) != "SyncRepWaitForLSN") return;
            static_cast<pg_lane_database*>(self)->unreplicated_ = error_of(said).message;
        },
        this);
}

void pg_lane_database::give_up() noexcept { cutter_.cut(); }

// A server that ends the connection says so in the last bytes before the end.
bool pg_lane_database::alive() noexcept {
    if (!connection_) return false;
    pollfd socket{.fd = PQsocket(connection_->native()), .events = POLLIN, .revents = 0};
    for (int reads = 0; reads < 3 && ::poll(&socket, 1, 0) > 0; ++reads) {
        if (PQconsumeInput(connection_->native()) == 0) return false;
    }
    return PQstatus(connection_->native()) == CONNECTION_OK;
}

void pg_lane_database::set_password_file(const std::string& path) {
    const std::scoped_lock lock(password_mutex_);
    new_password_file_ = path;
}

std::expected<std::int64_t, ingest::database_error> pg_lane_database::take_lane() {
    disconnect();
    {
        const std::scoped_lock lock(password_mutex_);
        if (new_password_file_) {
            settings_.target.password_file = *std::exchange(new_password_file_, std::nullopt);
        }
    }
    auto connected = pg_connection::connect(settings_.target);
    if (!connected) return std::unexpected(error_of(connected.error()));
    connection_ = std::move(*connected);
    cutter_.hold(connection_->native());
    widen_send_buffer(PQsocket(connection_->native()));
    hear_unreplicated();
    const std::string lane = std::to_string(settings_.lane);
    // Whoever held the lane before may still sit in a transaction whose client is gone: it is
    // ended, and take_lane waits for what it decided. Between two tickd's the newer one wins, once:
    // the older finds its epoch passed and does not come back.
    const std::string epoch = std::to_string(epoch_);
    auto taken =
        connection_->query("SELECT tickd.check_lane($1, $2, $3)", {lane, settings_.holder, epoch});
    if (taken) taken = connection_->query("SELECT tickd.clear_lane($1)", {lane});
    unreplicated_.clear();
    if (taken)
        taken = connection_->exec("SET lock_timeout = '10s'").and_then([&] {
            return connection_->query("SELECT tickd.take_lane($1, $2, $3)",
                                      {lane, settings_.holder, epoch});
        });
    if (taken) {
        epoch_ = taken->integer(0, 0);
        if (const auto reset = connection_->exec(session_settings); !reset) {
            taken = std::unexpected(reset.error());
        }
    }
    if (!taken || !unreplicated_.empty()) {
        // Warned: it waited for a standby, was told to stop, and so says nothing about what the
        // standby has.
        const auto error =
            taken ? ingest::database_error{{}, unreplicated_, {}} : error_of(taken.error());
        disconnect();
        return std::unexpected(error);
    }
    PQsetnonblocking(connection_->native(), 1);
    next_id_ = ids_end_ = 0;
    return epoch_;
}

std::expected<bool, ingest::database_error> pg_lane_database::was_committed(
    ingest::batch_name name) {
    const auto known = connection_->query(
        "SELECT tickd.batch_committed($1, $2, $3)",
        {std::to_string(settings_.lane), std::to_string(name.epoch), std::to_string(name.number)});
    if (!known) return std::unexpected(error_of(known.error()));
    return known->is_true(0, 0);
}

std::expected<std::uint64_t, ingest::database_error> pg_lane_database::watermark(
    const std::string& producer) {
    const auto tenant = ingest::producer_tenant_of(producer);
    const auto known =
        connection_->query("SELECT tickd.producer_watermark($1, $2)",
                           {std::string(ingest::producer_name_of(producer)),
                            tenant ? pg_parameter(ingest::to_text(*tenant)) : std::nullopt});
    if (!known) return std::unexpected(error_of(known.error()));
    return static_cast<std::uint64_t>(known->integer(0, 0));
}

std::expected<std::int64_t, ingest::database_error> pg_lane_database::reserve_ids(
    std::size_t count) {
    const auto wanted = static_cast<std::int64_t>(count);
    if (ids_end_ - next_id_ < wanted) {
        const std::size_t reserved = std::max(count, ids_reserved_ahead);
        const auto first =
            connection_->query("SELECT tickd.reserve_activity_ids($1)", {std::to_string(reserved)});
        if (!first) return std::unexpected(error_of(first.error()));
        next_id_ = first->integer(0, 0);
        ids_end_ = next_id_ + static_cast<std::int64_t>(reserved);
    }
    return std::exchange(next_id_, next_id_ + wanted);
}

std::expected<void, ingest::database_error> pg_lane_database::prune_ledger() {
    if (monotonic_us() < prune_at_us_) return {};
    prune_at_us_ = monotonic_us() + prune_every_us;
    const auto pruned = connection_->query(prune_statement);
    // Whatever else kept it from being done, the next minute tries again.
    if (!pruned && pruned.error().connection_lost) return std::unexpected(error_of(pruned.error()));
    return {};
}

std::string pg_lane_database::settle_call(const ingest::batch& rows,
                                          ingest::batch_name name) const {
    const auto producers = rows.producers();
    const auto number = [&](auto member) {
        return sql_array(producers, "bigint",
                         [member](const auto& share) { return std::to_string(share.*member); });
    };
    using share = ingest::producer_share;
    std::string sql = "SELECT tickd.settle_batch(" + std::to_string(settings_.lane) + ',' +
                      std::to_string(name.epoch) + ',' + std::to_string(name.number) + ',' +
                      std::to_string(rows.ticks().size()) + ',' +
                      std::to_string(rows.events().size()) + ',' +
                      std::to_string(rows.dead_letter_count()) + ',';
    sql += sql_array(producers, "text",
                     [](const auto& from) {
                         return quote_literal(ingest::producer_name_of(from.name));
                     }) +
           ',';
    sql += sql_array(producers, "uuid", [](const auto& from) {
        const auto tenant = ingest::producer_tenant_of(from.name);
        return tenant ? '\'' + ingest::to_text(*tenant) + '\'' : std::string("NULL");
    });
    sql += ',' + number(&share::expected_seq) + ',' + number(&share::newest_seq) + ',' +
           number(&share::received) + ',' + number(&share::accepted) + ',' +
           number(&share::duplicates) + ',' + number(&share::dead_lettered) + ')';
    return sql;
}

std::expected<std::int64_t, ingest::database_error> pg_lane_database::spool_committed(
    const ingest::uuid& spool) {
    const auto known =
        connection_->query("SELECT tickd.spool_committed($1)", {ingest::to_text(spool)});
    if (!known) return std::unexpected(error_of(known.error()));
    return known->integer(0, 0);
}

std::expected<void, ingest::database_error> pg_lane_database::pass_spool(const ingest::uuid& spool,
                                                                         std::int64_t last) {
    const auto passed = connection_->query("SELECT tickd.pass_spool($1, $2, $3, $4)",
                                           {std::to_string(settings_.lane), std::to_string(epoch_),
                                            ingest::to_text(spool), std::to_string(last)});
    if (!passed) return std::unexpected(error_of(passed.error()));
    return {};
}

ingest::commit_result pg_lane_database::commit(ingest::batch& rows, ingest::batch_name name,
                                               const std::optional<ingest::spool_mark>& from_spool,
                                               const std::function<bool()>& meanwhile) {
    if (const auto pruned = prune_ledger(); !pruned) {
        return {ingest::commit_outcome::failed, pruned.error()};
    }
    if (!rows.events_numbered()) {
        const auto first = reserve_ids(rows.events().size());
        if (!first) return {ingest::commit_outcome::failed, first.error()};
        rows.number_events(*first, hasher_);
    }
    std::string sql = "BEGIN;";
    std::vector<std::string_view> streams;
    const auto add = [&](std::string_view statement, std::string_view stream) {
        if (stream.empty()) return;
        sql.append(statement).append(";");
        streams.push_back(stream);
    };
    add(ingest::copy_ticks_statement, rows.tick_stream());
    if (settings_.write_segments) add(ingest::copy_segments_statement, rows.segment_stream());
    add(ingest::copy_events_statement, rows.event_stream());
    if (settings_.within) {
        sql += settings_.within(rows) + ';';
    } else {
        add(ingest::copy_dead_letters_statement, rows.dead_letter_stream());
    }
    sql += append_call(rows, settings_.lane, name.epoch, unix_now_us());
    if (from_spool) {
        sql +=
            std::format("SELECT tickd.settle_spool({},{},'{}',{},{});", settings_.lane, name.epoch,
                        ingest::to_text(from_spool->spool), from_spool->first, from_spool->last);
    }
    sql += settle_call(rows, name) + ";COMMIT";

    const transaction_outcome outcome = run(sql, streams, meanwhile);
    if (outcome.committed) return {ingest::commit_outcome::committed, {}};
    if (outcome.in_doubt) {
        return {ingest::commit_outcome::in_doubt, outcome.error};
    }
    return {ingest::commit_outcome::failed, outcome.error};
}

// Runs a string of statements whose last one ends the transaction, feeding each COPY its stream.
pg_lane_database::transaction_outcome pg_lane_database::run(
    const std::string& sql, std::span<const std::string_view> streams,
    const std::function<bool()>& meanwhile) {
    transaction_outcome outcome;
    unreplicated_.clear();
    PGconn* const connection = connection_->native();
    std::size_t next_stream = 0;
    bool flowing = PQsendQuery(connection, sql.c_str()) == 1;
    bool commit_left = flowing && streams.empty();
    while (flowing && await_result(meanwhile)) {
        const result_handle result(PQgetResult(connection));
        if (!result) break;
        switch (PQresultStatus(result.get())) {
            case PGRES_COPY_IN: {
                const std::string_view stream = streams[next_stream++];
                // The server goes on to COMMIT as soon as it has the last stream's end.
                commit_left = next_stream == streams.size();
                flowing = send_stream(stream, meanwhile);
                break;
            }
            case PGRES_FATAL_ERROR:
                if (outcome.error.message.empty()) outcome.error = error_of(result.get());
                break;
            default:
                outcome.committed = std::string_view(PQcmdStatus(result.get())) == "COMMIT";
                break;
        }
    }
    if (PQstatus(connection) != CONNECTION_OK || !flowing ||
        PQtransactionStatus(connection) == PQTRANS_ACTIVE) {
        outcome.link_lost = true;
        outcome.committed = false;
        if (outcome.error.message.empty()) outcome.error = broken("the connection broke");
        // A FATAL error ends the connection and says nothing about the transaction.
        outcome.error.sqlstate.clear();
        outcome.in_doubt = commit_left;
        return outcome;
    }
    if (outcome.committed && !unreplicated_.empty()) {
        // Committed here, but perhaps not on the synchronous standby. Taking the lane waits for
        // the standby too, and its log has this batch first: then the ledger may say so.
        outcome.error = {.sqlstate = {}, .message = unreplicated_, .subject = {}};
        outcome.committed = false;
        outcome.in_doubt = outcome.link_lost = true;
        return outcome;
    }
    if (commit_left && says_unknown(outcome.error.sqlstate)) {
        outcome.committed = false;
        outcome.in_doubt = outcome.link_lost = true;
        return outcome;
    }
    if (!outcome.error.message.empty()) {
        outcome.committed = false;
        outcome.link_lost = !roll_back();
        if (outcome.link_lost) outcome.error.sqlstate.clear();
    } else if (!outcome.committed) {
        outcome.error = {.sqlstate = "25P02", .message = "COMMIT was a ROLLBACK", .subject = {}};
    }
    return outcome;
}

bool pg_lane_database::send_stream(std::string_view stream,
                                   const std::function<bool()>& meanwhile) {
    PGconn* const connection = connection_->native();
    const auto flush = [&] {
        for (;;) {
            const int left = PQflush(connection);
            if (left <= 0) return left == 0;
            if (!await_socket(true, meanwhile)) return false;
        }
    };
    while (!stream.empty()) {
        const std::string_view part = stream.substr(0, put_bytes_max);
        const int put = PQputCopyData(connection, part.data(), static_cast<int>(part.size()));
        if (put < 0) return false;
        if (!flush()) return false;
        if (put == 1) stream.remove_prefix(part.size());
    }
    return PQputCopyEnd(connection, nullptr) == 1 && flush();
}

// Waits until PQgetResult will not block. False: the connection is gone or has stalled.
bool pg_lane_database::await_result(const std::function<bool()>& meanwhile) {
    PGconn* const connection = connection_->native();
    for (;;) {
        const int unsent = PQflush(connection);
        if (unsent < 0) return false;
        if (PQisBusy(connection) == 0) return true;
        if (!await_socket(unsent == 1, meanwhile)) return false;
        if (PQconsumeInput(connection) == 0) return false;
    }
}

// Calls `meanwhile` at least once and several times a second: a server that stalls must not stall
// the writer, nor the writer's other work a server that could go on.
bool pg_lane_database::await_socket(bool also_writable, const std::function<bool()>& meanwhile) {
    constexpr std::chrono::milliseconds slice{100};
    const auto wanted = static_cast<short>(POLLIN | (also_writable ? POLLOUT : 0));
    pollfd socket{.fd = PQsocket(connection_->native()), .events = wanted, .revents = 0};
    const std::int64_t give_up_at_us =
        monotonic_us() + std::chrono::microseconds(settings_.target.stall_limit).count();
    for (;;) {
        const bool more = meanwhile();
        const int ready = ::poll(&socket, 1, more ? 0 : static_cast<int>(slice.count()));
        if (ready > 0) break;
        if (ready < 0 && errno != EINTR) return false;
        if (monotonic_us() >= give_up_at_us) return false;
    }
    return !also_writable || (socket.revents & POLLIN) == 0 ||
           PQconsumeInput(connection_->native()) == 1;
}

ingest::database_error pg_lane_database::broken(std::string_view what) const {
    const std::string words = one_line(PQerrorMessage(connection_->native()));
    return {.sqlstate = {}, .message = words.empty() ? std::string(what) : words, .subject = {}};
}

// The string of statements has stopped inside its transaction. False: the connection broke too,
// which is no doubt: a transaction that has failed cannot have committed.
bool pg_lane_database::roll_back() {
    return !connection_->in_transaction() || connection_->exec("ROLLBACK").has_value();
}

}  // namespace tickd
