// The configuration: one struct, its defaults, and how it is read. The table of settings in
// settings_table.cpp drives reading, checking, `config show`, the environment and the unknown-key
// errors; docs/configuration.md and conf/tickd.yaml are compared with it by a test.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/spool/fsync_policy.h"
#include "daemon/tls/tls_version.h"
#include "ingest/limits.h"
#include "ingest/record.h"
#include "ingest/uuid.h"

namespace tickd {

// How a listener learns whom a session speaks for.
enum class listener_auth : std::uint8_t {
    none,   // it does not: whoever reaches it
    token,  // the hello's token, one of tickd.token
    mtls,   // the names in the client's certificate: an identity
    peer,   // the user of the process at the other end of a unix socket: an identity
};

struct listener_config {
    std::string name;                    // for logs and metrics; default: its address
    std::string address;                 // HOST:PORT, [IPV6]:PORT, or unix:/PATH
    std::uint32_t unix_mode = 0660;      // permissions of a unix socket
    std::string source;                  // default `source` of its ticks; empty: none
    std::optional<ingest::uuid> tenant;  // stamped on every record; none: shared
    bool tenant_from_payload = false;    // records may name their tenant
    std::uint32_t sessions_max = ingest::limits::sessions_default;
    listener_auth auth = listener_auth::none;
    std::string tls_certificate, tls_key;  // PEM files; empty: no TLS
    std::string tls_client_ca;             // PEM file; not empty: clients show a certificate of it
    tls_version tls_min_version = tls_version::v1_3;
    std::optional<std::uint64_t> lines_per_second, bytes_per_second;  // of all its sessions
};

// Whom a certificate or a local user speaks for. The first that fits counts.
struct identity_config {
    std::string name;                    // for logs
    std::string certificate;             // pattern of a name in it, as CN:feed-*; empty: no matter
    std::string user, group;             // name or number of the process's; empty: no matter
    std::optional<ingest::uuid> tenant;  // stamped on every record; none: shared
    std::string producers;               // patterns, separated by commas; empty: any
    bool tenant_from_payload = false;    // records may name their tenant
};

struct config {
    struct {
        std::string url;            // libpq connection string or URI; empty: libpq's own
                                    // defaults and PG* variables. May name several hosts.
        std::string password_file;  // a file that holds the password; empty: none
        std::chrono::milliseconds connect_timeout{5000};
        std::chrono::milliseconds stall_limit{30000};  // a lane leaves a server silent for so long
    } database;

    std::vector<listener_config> listeners;  // default: one, 127.0.0.1:7450
    std::vector<identity_config> identities;

    struct {
        std::uint32_t first = 0;  // number of the first; every daemon needs its own range
        std::uint32_t count = 1;  // 1 to lanes_max
    } lanes;

    struct {
        std::uint32_t rows_max = ingest::limits::batch_rows_max;  // 1 to batch_rows_max
    } batch;

    struct {
        std::string folder;  // every lane has one of its own in it; empty: no spool
        std::uint64_t max_bytes = 1024ULL * 1024 * 1024;  // of each lane
        std::uint64_t file_bytes = 64ULL * 1024 * 1024;   // space comes back a file at a time
        fsync_policy fsync = fsync_policy::always;
    } spool;

    struct {
        ingest::unknown_fields unknown_fields = ingest::unknown_fields::metadata;
        ingest::excess_digits excess_digits = ingest::excess_digits::reject;
        std::chrono::microseconds future_limit = std::chrono::hours{1};
        std::optional<std::chrono::microseconds> past_limit;  // none: any age
        std::uint32_t json_depth = ingest::limits::json_depth_max;
        std::uint64_t line_bytes = ingest::limits::line_bytes_default;
    } records;

    struct {
        std::chrono::milliseconds handshake_timeout{10000};  // until a session has shown who it is
        std::optional<std::chrono::microseconds> idle_timeout;
        std::optional<std::uint64_t> session_lines_per_second, session_bytes_per_second;
        std::optional<std::uint64_t> session_unacked_bytes;
        std::optional<std::uint64_t> tenant_sessions;
        std::optional<std::uint64_t> tenant_lines_per_second, tenant_bytes_per_second;
    } limits;

    struct {
        std::string origin;  // the log's name, given when it begins; empty: one is made up
    } activity;

    struct {
        std::string key_file;       // empty: the credential notary.key, or no notary
        std::string next_key_file;  // the successor that the key hands over to; empty: none
        std::string database_url;   // empty: database.url as the role tickd_notary
        std::string password_file;  // empty: none
        std::string state_file = "/var/lib/tickd/notary.state";
        std::string export_folder;   // empty: none
        std::string export_command;  // gets each checkpoint on its stdin; empty: none
        std::chrono::milliseconds heartbeat{60000};
    } notary;

    struct {
        bool write = true;          // false: batches leave segments out
        bool compact = true;        // merges them, and makes candles
        std::string database_url;   // empty: database.url as the role tickd_compactor
        std::string password_file;  // empty: none
    } segments;

    struct {
        std::chrono::milliseconds drain_timeout{30000};  // from SIGTERM to giving up
    } stop;

    struct {
        std::string address = "auto";  // none: off; auto: 127.0.0.1:9464 or another port
        std::string token_file;        // a secret that whoever looks must show; empty: none
    } admin;

    struct {
        std::string level = "info";   // trace, debug, info, warn, error
        std::string format = "auto";  // auto, human, json
    } log;
};

// What listens when the configuration names no listener.
inline constexpr std::string_view default_listener_address = "127.0.0.1:7450";

// Where a configuration comes from besides its file.
struct config_source {
    std::string file;  // empty: no file, defaults and environment only
    std::vector<std::pair<std::string, std::string>> environment;  // TICKD_* variables
};

// One thing that is wrong with a configuration: where and what to do about it.
struct config_problem {
    std::string file;     // or the environment variable
    int line = 0;         // from 1; 0: no line
    std::string setting;  // dotted name; empty: the file as a whole
    std::string message;  // what is wrong and what would be right
};

struct loaded_config {
    config value;
    std::vector<config_problem> problems;  // empty: value is good to use
};

// Reads and checks everything before it returns; starts nothing, never throws on bad input.
[[nodiscard]] loaded_config load_config(const config_source& source);

// `file:line: setting: message`, one line each.
[[nodiscard]] std::string to_text(const std::vector<config_problem>& problems);

enum class yaml_comments : std::uint8_t { none, one_each };

// The whole configuration as YAML with every setting, passwords in database.url replaced by `***`;
// load_config reads it back. With comments and the defaults it is conf/tickd.yaml.
[[nodiscard]] std::string to_yaml(const config& value,
                                  yaml_comments comments = yaml_comments::none);

// The TICKD_* variables of this process, without TICKD_CONFIG (the file's name) and those of the
// project's own tools (TICKD_TEST_*, and those that dev/ sets).
[[nodiscard]] std::vector<std::pair<std::string, std::string>> tickd_environment();

}  // namespace tickd
