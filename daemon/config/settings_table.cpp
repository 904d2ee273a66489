#include "daemon/config/settings_table.h"

#include "daemon/address.h"
#include "daemon/config/setting_kinds.h"

namespace tickd {

namespace {

using namespace kinds;

void add_record_settings(std::vector<setting<config>>& table) {
    using namespace std::chrono_literals;
    using ingest::excess_digits;
    using ingest::unknown_fields;
    table.push_back(choice<config>(
        {"records.unknown_fields", reload, "",
         "Fields the wire protocol does not know: kept in metadata, ignored, or a refusal."},
        MEMBER(records.unknown_fields),
        {{"metadata", unknown_fields::metadata},
         {"ignore", unknown_fields::ignore},
         {"reject", unknown_fields::reject}}));
    table.push_back(choice<config>(
        {"records.excess_digits", reload, "",
         "Prices and volumes of more than 8 decimals: refused, or rounded half away from zero."},
        MEMBER(records.excess_digits),
        {{"reject", excess_digits::reject}, {"round", excess_digits::round}}));
    table.push_back(
        duration<config>({"records.future_limit", reload, "duration",
                          "Records whose time is further ahead of the daemon's clock are refused."},
                         MEMBER(records.future_limit), 0us, limit_max));
    table.push_back(duration_or_none<config>(
        {"records.past_limit", reload, "duration",
         "Records whose time is older than this are refused; none: any age is kept."},
        MEMBER(records.past_limit), 1s, limit_max));
    table.push_back(count<config>({"records.json_depth", reload, "levels",
                                   "Arrays and objects may be nested this deep in a record."},
                                  MEMBER(records.json_depth), 1, ingest::limits::json_depth_max));
    table.push_back(
        size<config>({"records.line_bytes", restart, "bytes",
                      "A longer line is skipped and kept as a dead letter; the session goes on."},
                     MEMBER(records.line_bytes), ingest::limits::hello_bytes_max,
                     ingest::limits::line_bytes_ceiling));
}

void add_limit_settings(std::vector<setting<config>>& table) {
    using namespace std::chrono_literals;
    table.push_back(duration<config>(
        {"limits.handshake_timeout", reload, "duration",
         "How long a connection may take to show who it is, where a listener asks."},
        MEMBER(limits.handshake_timeout), 100ms, 5min));
    table.push_back(duration_or_none<config>(
        {"limits.idle_timeout", reload, "duration",
         "A session that sends nothing and is owed nothing for so long is closed; none: never."},
        MEMBER(limits.idle_timeout), 100ms, limit_max));
    const auto lines = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(
            count_or_none<config>({name, reload, "lines", comment}, member, 1, rate_max));
    };
    const auto bytes = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(
            size_or_none<config>({name, reload, "bytes", comment}, member, 1024, rate_max));
    };
    lines("limits.session_lines_per_second", "What a session that sends more is slowed down to.",
          MEMBER(limits.session_lines_per_second));
    bytes("limits.session_bytes_per_second", "The same in bytes.",
          MEMBER(limits.session_bytes_per_second));
    table.push_back(size_or_none<config>(
        {"limits.session_unacked_bytes", reload, "bytes",
         "A session with more on its way to database or spool is not read meanwhile."},
        MEMBER(limits.session_unacked_bytes), 64ULL * 1024, 1024ULL * 1024 * 1024));
    table.push_back(count_or_none<config>(
        {"limits.tenant_sessions", reload, "sessions",
         "Sessions that a tenant may have open at once, over all listeners that ask who it is."},
        MEMBER(limits.tenant_sessions), 1, 100'000));
    lines("limits.tenant_lines_per_second", "What a tenant's sessions are slowed down to together.",
          MEMBER(limits.tenant_lines_per_second));
    bytes("limits.tenant_bytes_per_second", "The same in bytes.",
          MEMBER(limits.tenant_bytes_per_second));
}

void add_spool_settings(std::vector<setting<config>>& table) {
    constexpr std::uint64_t mib = 1024ULL * 1024;
    table.push_back(text<config>(
        {"spool.folder", restart, "",
         "Where blocks wait on disk while the database is away; empty: nowhere, senders wait."},
        MEMBER(spool.folder), 4096));
    table.push_back(size<config>({"spool.max_bytes", restart, "bytes",
                                  "What each lane may have on disk; then its senders wait."},
                                 MEMBER(spool.max_bytes), 64 * mib, 1024 * 1024 * mib));
    table.push_back(size<config>(
        {"spool.file_bytes", restart, "bytes",
         "A spool file that has reached this gets a successor; space comes back a file at a time."},
        MEMBER(spool.file_bytes), mib, 1024 * mib));
    table.push_back(choice<config>(
        {"spool.fsync", restart, "",
         "Whether spooled blocks are synced to the disk before their acks: a matter of power "
         "loss."},
        MEMBER(spool.fsync), {{"always", fsync_policy::always}, {"never", fsync_policy::never}}));
}

void add_segment_settings(std::vector<setting<config>>& table) {
    table.push_back(flag<config>(
        {"segments.write", restart, "",
         "Whether batches carry their ticks packed too; without, queries of segments miss them."},
        MEMBER(segments.write)));
    table.push_back(flag<config>(
        {"segments.compact", restart, "",
         "Whether this daemon merges segments and keeps candles; of several, one does at a time."},
        MEMBER(segments.compact)));
    table.push_back(connection_string<config>(
        {"segments.database_url", restart, "",
         "Where and as whom the compactor connects; empty: database.url, as tickd_compactor."},
        MEMBER(segments.database_url)));
    table.push_back(text<config>({"segments.password_file", restart, "",
                                  "A file that holds the compactor's password; empty: none."},
                                 MEMBER(segments.password_file), 4096));
}

void add_activity_settings(std::vector<setting<config>>& table) {
    using namespace std::chrono_literals;
    table.push_back(text<config>(
        {"activity.origin", restart, "",
         "The activity log's name, which `tickd db migrate` gives it for ever; empty: made up."},
        MEMBER(activity.origin), 200));
    const auto add = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(text<config>({name, restart, "", comment}, member, 4096));
    };
    add("notary.key_file", "The key that signs checkpoints; empty: the credential `notary.key`.",
        MEMBER(notary.key_file));
    add("notary.next_key_file", "The key that takes over, which the log records; empty: none.",
        MEMBER(notary.next_key_file));
    table.push_back(connection_string<config>(
        {"notary.database_url", restart, "",
         "Where and as whom the notary connects; empty: database.url, as tickd_notary."},
        MEMBER(notary.database_url)));
    add("notary.password_file", "A file that holds the notary's database password; empty: none.",
        MEMBER(notary.password_file));
    add("notary.state_file", "What the notary has signed: on a disk that no backup turns back.",
        MEMBER(notary.state_file));
    add("notary.export_folder", "Where checkpoints are written as files; empty: nowhere.",
        MEMBER(notary.export_folder));
    add("notary.export_command", "A shell command that gets each checkpoint on stdin; empty: none.",
        MEMBER(notary.export_command));
    table.push_back(
        duration<config>({"notary.heartbeat", reload, "duration",
                          "After this long without a record one is added, so that silence shows."},
                         MEMBER(notary.heartbeat), 1s, 1h));
}

setting<config> admin_address() {
    return make<config>(
        {"admin.address", takes_effect::restart, "",
         "Where the status page, metrics and health are; auto: 127.0.0.1:9464, or another port."},
        "auto, none, HOST:PORT, [IPV6]:PORT, unix:/PATH", MEMBER(admin.address),
        [](std::string_view given) -> parsed<std::string> {
            if (given == "auto" || given == no_value) return std::string{given};
            const auto where = parse_address(given);
            if (where) return to_text(*where);
            return std::unexpected{
                std::format("{}; or auto, or none; not {}", where.error(), quoted(given))};
        },
        [](const std::string& value) { return value; });
}

std::vector<setting<config>> make_settings() {
    using namespace std::chrono_literals;
    std::vector<setting<config>> table;
    table.push_back(connection_string<config>(
        {"database.url", restart, "",
         "libpq connection string or URI, of one or several hosts; empty: the PG* variables."},
        MEMBER(database.url)));
    table.push_back(text<config>({"database.password_file", reload, "",
                                  "A file that holds the database password; empty: none."},
                                 MEMBER(database.password_file), 4096));
    table.push_back(duration<config>(
        {"database.connect_timeout", restart, "duration",
         "Longest attempt to connect to one database host; rounded up to seconds."},
        MEMBER(database.connect_timeout), 100ms, 5min));
    table.push_back(duration<config>(
        {"database.stall_limit", restart, "duration",
         "A lane leaves a database that neither takes nor says anything for this long."},
        MEMBER(database.stall_limit), 1s, 1h));
    table.push_back(count<config>(
        {"lanes.first", restart, "",
         "Number of the first lane; daemons on one database need numbers of their own."},
        MEMBER(lanes.first), 0, 1'000'000));
    table.push_back(
        count<config>({"lanes.count", restart, "lanes",
                       "Each lane is a session thread, a writer thread and a database connection."},
                      MEMBER(lanes.count), 1, ingest::limits::lanes_max));
    table.push_back(count<config>(
        {"batch.rows_max", restart, "rows",
         "The most records that one transaction carries; an idle writer takes fewer at once."},
        MEMBER(batch.rows_max), 1, ingest::limits::batch_rows_max));
    add_spool_settings(table);
    add_record_settings(table);
    add_segment_settings(table);
    add_limit_settings(table);
    add_activity_settings(table);
    table.push_back(
        duration<config>({"stop.drain_timeout", reload, "duration",
                          "From SIGTERM until what is still not in the database is given up."},
                         MEMBER(stop.drain_timeout), 0us, 1h));
    table.push_back(admin_address());
    table.push_back(text<config>(
        {"admin.token_file", reload, "",
         "File with the secret for all pages but health; empty: they are for this machine alone."},
        MEMBER(admin.token_file), 4096));
    table.push_back(choice<config>(
        {"log.level", reload, "", "The least severe messages that are logged."}, MEMBER(log.level),
        {{"trace", "trace"},
         {"debug", "debug"},
         {"info", "info"},
         {"warn", "warn"},
         {"error", "error"}}));
    table.push_back(choice<config>(
        {"log.format", reload, "",
         "Coloured lines for people, JSON for machines; auto: human on a terminal."},
        MEMBER(log.format), {{"auto", "auto"}, {"human", "human"}, {"json", "json"}}));
    return table;
}

#undef MEMBER

}  // namespace

const std::vector<setting<config>>& settings() {
    static const auto table = make_settings();
    return table;
}

std::string environment_name(std::string_view setting_name) {
    std::string name{"TICKD_"};
    for (const char c : setting_name) {
        name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    }
    return name;
}

}  // namespace tickd
