#include "daemon/doctor/server_checks.h"

#include <cstdlib>
#include <format>
#include <string>

#include "daemon/clock.h"
#include "daemon/progress_bar.h"

namespace tickd {

namespace {

constexpr std::int64_t mebibyte = 1024LL * 1024;
// The look-up index takes 33 bytes a tick (66 MB for 2 M): a day at 1,000 ticks a second is 2.9 GB.
// Below this not even four hours of it stay in memory.
constexpr std::int64_t shared_buffers_min = 512 * mebibyte;
// With the default of 1 GB a server at full rate is always in a checkpoint, and writes each page it
// touches whole into the WAL behind every one of them.
constexpr std::int64_t wal_bytes_min = 4096 * mebibyte;
// Planning looks at every chunk that it cannot exclude. Five years of days.
constexpr std::int64_t chunks_many = 2000;
constexpr int newest_chunks = 8;
// Ticks far from a reader's idea of now, and tokens that end too early, begin to be seen.
constexpr std::int64_t clock_skew_max_us = 2'000'000;

// What was found wrong, and what mends it, in one line.
class findings {
public:
    void add(std::string_view words) { text_.append(text_.empty() ? "" : "; ").append(words); }
    [[nodiscard]] health_check verdict(std::string name, std::string fine) const {
        if (text_.empty()) return {check_status::ok, std::move(name), std::move(fine)};
        return {check_status::warn, std::move(name), text_};
    }

private:
    std::string text_;
};

std::string bytes_text(std::int64_t bytes) {
    return format_bytes(static_cast<std::uint64_t>(bytes));
}

}  // namespace

health_check check_durability(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT current_setting('fsync'), current_setting('full_page_writes'),"
        " current_setting('synchronous_commit')");
    if (!rows) return not_checked("durability", rows.error());
    findings found;
    if (rows->at(0, 0) == "off") {
        found.add(
            "fsync is off: a crash of the machine may lose or ruin everything (ALTER SYSTEM SET"
            " fsync = on)");
    }
    if (rows->at(0, 1) == "off") {
        found.add(
            "full_page_writes is off: a crash of the machine may ruin pages (ALTER SYSTEM SET"
            " full_page_writes = on)");
    }
    if (rows->at(0, 2) == "off") {
        found.add(
            "synchronous_commit is off: what was acked may be lost when the server crashes"
            " (ALTER ROLE tickd_ingest SET synchronous_commit = on)");
    }
    return found.verdict(
        "durability",
        std::format("fsync and full_page_writes are on, synchronous_commit is {}", rows->at(0, 2)));
}

health_check check_tuning(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT pg_size_bytes(current_setting('shared_buffers')),"
        "       pg_size_bytes(current_setting('max_wal_size')), current_setting('jit')");
    if (!rows) return not_checked("tuning", rows.error());
    const std::int64_t buffers = rows->integer(0, 0), wal = rows->integer(0, 1);
    findings found;
    if (buffers < shared_buffers_min) {
        found.add(
            std::format("shared_buffers is {}: the newest indexes do not stay in memory (a quarter"
                        " of the machine's is usual)",
                        bytes_text(buffers)));
    }
    if (wal < wal_bytes_min) {
        found.add(
            std::format("max_wal_size is {}: at full rate one checkpoint follows another (ALTER"
                        " SYSTEM SET max_wal_size = '8GB')",
                        bytes_text(wal)));
    }
    if (rows->at(0, 2) == "on") {
        found.add(
            "jit is on: it makes queries of many chunks wait for a compiler (ALTER DATABASE ... SET"
            " jit = off)");
    }
    return found.verdict("tuning", std::format("shared_buffers {}, max_wal_size {}, jit off",
                                               bytes_text(buffers), bytes_text(wal)));
}

health_check check_autovacuum(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT current_setting('autovacuum'), current_setting('track_counts'),"
        "       current_setting('autovacuum_vacuum_insert_threshold')::bigint < 0");
    if (!rows) return not_checked("autovacuum", rows.error());
    findings found;
    if (rows->at(0, 0) == "off" || rows->at(0, 1) == "off") {
        found.add(
            "autovacuum does not run: statistics grow old, and one day everything stops for a"
            " vacuum against wraparound (ALTER SYSTEM SET autovacuum = on, track_counts = on)");
    }
    if (rows->is_true(0, 2)) {
        found.add(
            "it leaves alone what is only inserted into (ALTER SYSTEM RESET"
            " autovacuum_vacuum_insert_threshold)");
    }
    return found.verdict("autovacuum", "on, also for what is only inserted into");
}

health_check check_extra_indexes(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT c.relname FROM pg_catalog.pg_index x"
        "  JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid"
        " WHERE x.indrelid = to_regclass('public.price_telemetry')"
        "   AND c.relname NOT IN ('idx_price_symbol', 'idx_price_time') ORDER BY 1");
    if (!rows) return not_checked("extra-indexes", rows.error());
    findings found;
    for (int row = 0; row < rows->size(); ++row) {
        found.add(std::format(
            "{} on price_telemetry is none of tickd's: every tick pays for it (DROP INDEX it if"
            " no query needs it)",
            rows->at(row, 0)));
    }
    return found.verdict("extra-indexes", "none on price_telemetry");
}

health_check check_chunk_size(pg_connection& connection) {
    const auto rows = connection.query(std::format(
        "SELECT count(*), coalesce(max(pg_catalog.pg_indexes_size(oid))"
        "                          FILTER (WHERE newest <= {}), 0),"
        "       pg_size_bytes(current_setting('shared_buffers'))"
        "  FROM (SELECT c.oid, row_number() OVER (ORDER BY c.oid DESC) AS newest"
        "          FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid"
        "         WHERE i.inhparent = to_regclass('public.price_telemetry')) AS chunk",
        newest_chunks));
    if (!rows) return not_checked("chunk-size", rows.error());
    const std::int64_t chunks = rows->integer(0, 0);
    const std::int64_t indexes = rows->integer(0, 1), buffers = rows->integer(0, 2);
    findings found;
    if (indexes > buffers / 2) {
        found.add(std::format(
            "the indexes of one of the newest chunks take {}, of {} shared_buffers: inserts will"
            " wait for the disk (more shared_buffers, or SELECT"
            " set_chunk_time_interval('price_telemetry', INTERVAL '6 hours'))",
            bytes_text(indexes), bytes_text(buffers)));
    }
    if (chunks > chunks_many) {
        found.add(std::format(
            "{} chunks make planning slow (tickd db retain --older-than, or a longer interval)",
            chunks));
    }
    return found.verdict(
        "chunk-size", std::format("{} chunks, the newest ones' indexes take up to {} each", chunks,
                                  bytes_text(indexes)));
}

health_check check_clock(pg_connection& connection) {
    const std::int64_t before_us = unix_now_us();
    const auto rows =
        connection.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    if (!rows) return not_checked("clock", rows.error());
    const std::int64_t after_us = unix_now_us();
    const std::int64_t server_us = rows->integer(0, 0);
    // It was asked some time between the two.
    std::int64_t apart_us = 0;
    if (server_us < before_us) apart_us = before_us - server_us;
    if (server_us > after_us) apart_us = server_us - after_us;
    const std::string words =
        std::format("this machine's and the server's are {} ms apart", apart_us / 1000);
    findings found;
    if (apart_us > clock_skew_max_us) found.add(words + "; let both follow one time server");
    return found.verdict("clock", words);
}

}  // namespace tickd
