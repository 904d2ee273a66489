#include "daemon/config/settings_table.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <format>
#include <span>
#include <type_traits>
#include <utility>

#include "daemon/address.h"
#include "daemon/config/mask_password.h"
#include "daemon/config/setting_value.h"

namespace tickd {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

// What every setting says of itself, whatever its type.
struct about {
    std::string_view name;
    takes_effect effect;
    std::string_view unit;
    std::string_view comment;
};

constexpr std::string_view no_value = "none";

// The member that `path` names, of a config or a const config alike.
// NOLINTNEXTLINE(bugprone-macro-parentheses): a whole lambda needs none
#define MEMBER(path) [](auto& owner) -> auto& { return owner.path; }

template <typename Owner, typename Get>
using member_of = std::remove_cvref_t<std::invoke_result_t<Get, Owner&>>;

template <typename Owner, typename Get, typename Parse, typename Print>
setting<Owner> make(about what, const std::string& range, Get get, const Parse& parse,
                    const Print& print) {
    return {.name = what.name,
            .range = range,
            .unit = what.unit,
            .effect = what.effect,
            .comment = what.comment,
            .read = [get, parse](Owner& owner, std::string_view text) -> std::string {
                auto value = parse(text);
                if (!value) return std::move(value.error());
                get(owner) = static_cast<member_of<Owner, Get>>(*std::move(value));
                return {};
            },
            .print = [get, print](const Owner& owner) -> std::string { return print(get(owner)); },
            .same = [get](const Owner& a, const Owner& b) -> bool { return get(a) == get(b); },
            .take = [get](Owner& to, const Owner& from) { get(to) = get(from); }};
}

template <typename Owner, typename Get>
setting<Owner> count(about what, Get get, std::uint64_t min, std::uint64_t max) {
    return make<Owner>(
        what, std::format("{} to {}", min, max), get,
        [=](std::string_view text) { return parse_count(text, min, max); },
        [](auto value) { return std::to_string(value); });
}

template <typename Owner, typename Get>
setting<Owner> size(about what, Get get, std::uint64_t min, std::uint64_t max) {
    return make<Owner>(
        what, std::format("{} to {}", print_size(min), print_size(max)), get,
        [=](std::string_view text) { return parse_size(text, min, max); },
        [](std::uint64_t value) { return print_size(value); });
}

template <typename Owner, typename Get>
setting<Owner> count_or_none(about what, Get get, std::uint64_t min, std::uint64_t max) {
    using member = std::optional<std::uint64_t>;
    return make<Owner>(
        what, std::format("none, {} to {}", min, max), get,
        [=](std::string_view text) -> parsed<member> {
            if (text == no_value) return member{};
            const auto number = parse_count(text, min, max);
            if (!number) return std::unexpected{number.error() + "; or none"};
            return member{*number};
        },
        [](const member& value) { return value ? std::to_string(*value) : std::string{no_value}; });
}

template <typename Owner, typename Get>
setting<Owner> size_or_none(about what, Get get, std::uint64_t min, std::uint64_t max) {
    using member = std::optional<std::uint64_t>;
    return make<Owner>(
        what, std::format("none, {} to {}", print_size(min), print_size(max)), get,
        [=](std::string_view text) -> parsed<member> {
            if (text == no_value) return member{};
            const auto number = parse_size(text, min, max);
            if (!number) return std::unexpected{number.error() + "; or none"};
            return member{*number};
        },
        [](const member& value) { return value ? print_size(*value) : std::string{no_value}; });
}

template <typename Owner, typename Get>
setting<Owner> duration(about what, Get get, microseconds min, microseconds max) {
    using member = member_of<Owner, Get>;
    return make<Owner>(
        what, std::format("{} to {}", print_duration(min), print_duration(max)), get,
        [=](std::string_view text) -> parsed<member> {
            const auto us = parse_duration(text, min, max);
            if (!us) return std::unexpected{us.error()};
            const auto value = duration_cast<member>(*us);
            if (value != *us) return std::unexpected{"must be whole milliseconds"};
            return value;
        },
        [](member value) { return print_duration(value); });
}

template <typename Owner, typename Get>
setting<Owner> duration_or_none(about what, Get get, microseconds min, microseconds max) {
    using member = std::optional<microseconds>;
    return make<Owner>(
        what, std::format("none, {} to {}", print_duration(min), print_duration(max)), get,
        [=](std::string_view text) -> parsed<member> {
            if (text == no_value) return member{};
            auto us = parse_duration(text, min, max);
            if (!us) return std::unexpected{us.error() + "; or none"};
            return *us;
        },
        [](const member& value) { return value ? print_duration(*value) : std::string{no_value}; });
}

template <typename T>
using choices_of = std::vector<std::pair<std::string_view, T>>;

template <typename Owner, typename Get>
setting<Owner> choice(about what, Get get, const choices_of<member_of<Owner, Get>>& choices) {
    using member = member_of<Owner, Get>;
    std::string names;
    for (const auto& [name, value] : choices) {
        names += (names.empty() ? "" : ", ") + std::string{name};
    }
    return make<Owner>(
        what, names, get,
        [=](std::string_view text) -> parsed<member> {
            for (const auto& [name, value] : choices) {
                if (name == text) return value;
            }
            return std::unexpected{std::format("must be one of {}, not {}", names, quoted(text))};
        },
        [=](const member& current) {
            for (const auto& [name, value] : choices) {
                if (value == current) return std::string{name};
            }
            return std::string{};
        });
}

template <typename Owner, typename Get>
setting<Owner> text(about what, Get get, std::size_t characters_max) {
    return make<Owner>(
        what, std::format("up to {} characters", characters_max), get,
        [=](std::string_view value) { return parse_text(value, characters_max); },
        [](const std::string& value) { return value; });
}

template <typename Owner, typename Get>
setting<Owner> flag(about what, Get get) {
    return make<Owner>(what, "true, false", get, parse_switch,
                       [](bool value) { return std::string{value ? "true" : "false"}; });
}

setting<config> database_url() {
    auto made = text<config>(
        {"database.url", takes_effect::restart, "",
         "libpq connection string or URI, of one or several hosts; empty: the PG* variables."},
        MEMBER(database.url), 4096);
    made.print = [](const config& value) { return mask_password(value.database.url); };
    return made;
}

setting<config> segments_database_url() {
    auto made = text<config>(
        {"segments.database_url", takes_effect::restart, "",
         "Where and as whom the compactor connects; empty: database.url, as tickd_compactor."},
        MEMBER(segments.database_url), 4096);
    made.print = [](const config& value) { return mask_password(value.segments.database_url); };
    return made;
}

setting<config> notary_database_url() {
    auto made = text<config>(
        {"notary.database_url", takes_effect::restart, "",
         "Where and as whom the notary connects; empty: database.url, as tickd_notary."},
        MEMBER(notary.database_url), 4096);
    made.print = [](const config& value) { return mask_password(value.notary.database_url); };
    return made;
}

setting<listener_config> listener_address() {
    return make<listener_config>(
        {"address", takes_effect::restart, "",
         "Where it listens; an address in brackets needs quotes."},
        "HOST:PORT, [IPV6]:PORT, unix:/PATH", MEMBER(address),
        [](std::string_view given) -> parsed<std::string> {
            const auto where = parse_address(given);
            if (where) return to_text(*where);
            return std::unexpected{std::format("{}; not {}", where.error(), quoted(given))};
        },
        [](const std::string& value) { return value; });
}

setting<listener_config> listener_mode() {
    return make<listener_config>(
        {"unix_mode", takes_effect::restart, "", "Permissions of a unix socket, in octal."},
        "0000 to 0777", MEMBER(unix_mode), parse_mode, print_mode);
}

template <typename Owner>
setting<Owner> tenant_of(std::string_view comment) {
    using member = std::optional<ingest::uuid>;
    return make<Owner>(
        {"tenant", takes_effect::reload, "", comment}, "none, UUID", MEMBER(tenant),
        [](std::string_view given) -> parsed<member> {
            if (given == no_value) return member{};
            const auto id = ingest::parse_uuid(given);
            if (id) return id;
            return std::unexpected{std::format(
                "must be none or a UUID such as 01234567-89ab-cdef-0123-456789abcdef, not {}",
                quoted(given))};
        },
        [](const member& id) { return id ? ingest::to_text(*id) : std::string{no_value}; });
}

template <typename Owner>
setting<Owner> tenant_from_payload() {
    return flag<Owner>({"tenant_from_payload", takes_effect::reload, "",
                        "Whether a record may name its tenant itself: only for trusted senders."},
                       MEMBER(tenant_from_payload));
}

constexpr auto restart = takes_effect::restart;
constexpr auto reload = takes_effect::reload;
// Lines or bytes a second: more than any machine takes in.
constexpr std::uint64_t rate_max = 1'000'000'000;
// Longer than any limit is meant to be, short enough for every sum of a time and a limit.
constexpr microseconds limit_max = std::chrono::days{36'500};

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
    table.push_back(segments_database_url());
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
    table.push_back(notary_database_url());
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
         "Where metrics and health are served; auto: 127.0.0.1:9464, or another port if taken."},
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
    table.push_back(database_url());
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

std::vector<setting<listener_config>> make_listener_settings() {
    std::vector<setting<listener_config>> table;
    table.push_back(text<listener_config>(
        {"name", restart, "", "Its name in logs and metrics; default: its address."}, MEMBER(name),
        100));
    table.push_back(listener_address());
    table.push_back(listener_mode());
    table.push_back(text<listener_config>(
        {"source", reload, "",
         "The `source` of its ticks that name none; empty: such ticks have none."},
        MEMBER(source), ingest::limits::source_chars_max));
    table.push_back(tenant_of<listener_config>(
        "Tenant of every record; none: ticks are shared market data, activity has no tenant."));
    table.push_back(tenant_from_payload<listener_config>());
    table.push_back(count<listener_config>(
        {"sessions_max", reload, "sessions",
         "Sessions open at once; a further connection is closed and logged."},
        MEMBER(sessions_max), 1, 100'000));
    table.push_back(choice<listener_config>(
        {"auth", restart, "",
         "Whom a session speaks for, and how that is known: docs/security.md."},
        MEMBER(auth),
        {{"none", listener_auth::none},
         {"token", listener_auth::token},
         {"mtls", listener_auth::mtls},
         {"peer", listener_auth::peer}}));
    const auto file = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(text<listener_config>({name, reload, "", comment}, member, 4096));
    };
    file("tls_certificate", "PEM file of its certificate and chain; empty: no TLS.",
         MEMBER(tls_certificate));
    file("tls_key", "PEM file of the certificate's private key.", MEMBER(tls_key));
    file("tls_client_ca", "PEM file of who signs clients' certificates; empty: clients need none.",
         MEMBER(tls_client_ca));
    table.push_back(choice<listener_config>(
        {"tls_min_version", reload, "", "The oldest version of TLS that is spoken."},
        MEMBER(tls_min_version), {{"1.2", tls_version::v1_2}, {"1.3", tls_version::v1_3}}));
    table.push_back(count_or_none<listener_config>(
        {"lines_per_second", reload, "lines", "What its sessions are slowed down to together."},
        MEMBER(lines_per_second), 1, rate_max));
    table.push_back(
        size_or_none<listener_config>({"bytes_per_second", reload, "bytes", "The same in bytes."},
                                      MEMBER(bytes_per_second), 1024, rate_max));
    return table;
}

std::vector<setting<identity_config>> make_identity_settings() {
    std::vector<setting<identity_config>> table;
    const auto add = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(text<identity_config>({name, reload, "", comment}, member, 200));
    };
    add("name", "Its name in logs.", MEMBER(name));
    add("certificate",
        "A name in the client's certificate: CN:..., DNS:..., URI:..., EMAIL:...; * is any.",
        MEMBER(certificate));
    add("user", "User of the process at the other end, by name or number; empty: any.",
        MEMBER(user));
    add("group", "Its group; empty: any.", MEMBER(group));
    table.push_back(
        tenant_of<identity_config>("Tenant of every record; none: shared market data."));
    table.push_back(text<identity_config>(
        {"producers", reload, "",
         "Producers it may speak for, separated by commas, * for any characters; empty: all."},
        MEMBER(producers), 4096));
    table.push_back(tenant_from_payload<identity_config>());
    return table;
}

#undef MEMBER

}  // namespace

const std::vector<setting<config>>& settings() {
    static const auto table = make_settings();
    return table;
}

const std::vector<setting<listener_config>>& listener_settings() {
    static const auto table = make_listener_settings();
    return table;
}

const std::vector<setting<identity_config>>& identity_settings() {
    static const auto table = make_identity_settings();
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
