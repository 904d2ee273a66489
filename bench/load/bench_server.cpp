#include "bench/load/bench_server.h"

#include <sys/types.h>

#include <format>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/load/file_cache.h"
#include "bench/load/process_figures.h"
#include "tests/support/pg_query.h"

namespace bench {

namespace {

// Durability as it comes, and room enough that no checkpoint falls into a run. 1 GB of buffers is
// a quarter of what a small database host has.
const std::vector<std::string> server_settings{
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "shared_buffers=1GB",
    "max_wal_size=16GB",
    "checkpoint_timeout=30min",
    "maintenance_work_mem=512MB",
};

// The mission's tables, columns and indexes, with TimescaleDB's defaults: chunks of seven days and
// a btree on time.
constexpr std::string_view mission_tables = R"(
CREATE EXTENSION timescaledb;
SET client_min_messages = error;
CREATE TABLE price_telemetry (
    time     TIMESTAMPTZ   NOT NULL,
    symbol   VARCHAR(20)   NOT NULL,
    bid      NUMERIC(20,8) NOT NULL,
    ask      NUMERIC(20,8) NOT NULL,
    mid      NUMERIC(20,8),
    volume   NUMERIC(30,8),
    source   VARCHAR(50),
    metadata JSONB
);
SELECT create_hypertable('price_telemetry', 'time');
CREATE INDEX idx_price_symbol ON price_telemetry (symbol, time DESC);
CREATE TABLE unified_activity_log (
    id             BIGSERIAL    PRIMARY KEY,
    timestamp      TIMESTAMPTZ  NOT NULL DEFAULT NOW(),
    agent_id       VARCHAR(100),
    action_type    VARCHAR(50)  NOT NULL,
    action_payload JSONB        NOT NULL,
    user_id        UUID,
    session_id     UUID,
    metadata       JSONB,
    hash_sha256    VARCHAR(64),
    created_at     TIMESTAMPTZ  NOT NULL DEFAULT NOW()
);
CREATE INDEX idx_activity_timestamp ON unified_activity_log (timestamp DESC);
CREATE INDEX idx_activity_agent     ON unified_activity_log (agent_id, timestamp DESC);
CREATE INDEX idx_activity_action    ON unified_activity_log (action_type, timestamp DESC);
)";

}  // namespace

using tickd::test::one;
using tickd::test::run;

bench_server::bench_server()
    : cluster_(server_settings), sql_(tickd::test::connect(cluster_.conninfo("postgres"))) {}

std::string bench_server::tickd_database() { return tickd::test::migrated_database(cluster_); }

std::string bench_server::mission_database() {
    std::string conninfo = tickd::test::fresh_database(cluster_);
    tickd::pg_connection sql = tickd::test::connect(conninfo);
    run(sql, std::string(mission_tables));
    return conninfo;
}

void bench_server::drop(const std::string& conninfo) {
    constexpr std::string_view key = "dbname=";
    const std::string name = conninfo.substr(conninfo.find(key) + key.size());
    // TimescaleDB's scheduler sits in every database; FORCE ends it.
    run(sql_, std::format("DROP DATABASE {} WITH (FORCE)", name));
}

void bench_server::settle() { run(sql_, "CHECKPOINT"); }

std::uint64_t bench_server::restart_cold() {
    cluster_.stop(tickd::test::stop_mode::fast);
    const std::uint64_t kept_bytes = drop_cached_files(cluster_.directory() + "/data");
    cluster_.start();
    sql_ = tickd::test::connect(cluster_.conninfo("postgres"));
    return kept_bytes;
}

double bench_server::cpu_seconds() const {
    std::ifstream file(cluster_.directory() + "/data/postmaster.pid");
    pid_t server = 0;
    if (!(file >> server)) throw std::runtime_error("the server's process is not known");
    return cpu_seconds_of_family(server);
}

facts bench_server::describe() {
    facts all{
        {"PostgreSQL", one(sql_, "SHOW server_version")},
        {"TimescaleDB", one(sql_,
                            "SELECT default_version FROM pg_available_extensions"
                            " WHERE name = 'timescaledb'")},
        {"collation", one(sql_, "SELECT datcollate FROM pg_database WHERE datname = 'tickd'")},
    };
    for (const std::string& setting : server_settings) {
        const std::size_t end = setting.find('=');
        const std::string name = setting.substr(0, end);
        // What the server says, not what it was told.
        all.emplace_back(name, one(sql_, "SHOW " + name));
    }
    return all;
}

}  // namespace bench
