// Checks of what the migrations made: the extension, the hypertable, its chunks, the indexes.
#include <algorithm>
#include <array>
#include <format>

#include "daemon/db/health.h"

namespace tickd {

namespace {

struct wanted_index {
    std::string_view schema, name;
    std::string_view definition;  // what pg_get_indexdef says from the method on
};

// The indexes that the figures of the documentation rest on.
constexpr std::array wanted_indexes{
    wanted_index{"public", "idx_price_symbol", "btree (symbol, \"time\" DESC)"},
    wanted_index{"public", "idx_price_time", "brin (\"time\")"},
    wanted_index{"public", "price_segment_symbol", "btree (symbol, first_time)"},
    wanted_index{"public", "price_segment_fresh", "btree (first_time, id) WHERE (level = 0)"},
    wanted_index{"public", "price_segment_unmerged",
                 "btree (symbol, tenant_id, first_time) WHERE (level = 1)"},
    wanted_index{"public", "price_candle_1m_key",
                 "btree (symbol, \"time\", tenant_id) NULLS NOT DISTINCT"},
    wanted_index{"public", "price_latest_key", "btree (symbol, tenant_id) NULLS NOT DISTINCT"},
    wanted_index{"public", "unified_activity_log_pkey", "btree (id)"},
    wanted_index{"public", "idx_activity_timestamp", "btree (\"timestamp\" DESC)"},
    wanted_index{"public", "idx_activity_agent", "btree (agent_id, \"timestamp\" DESC)"},
    wanted_index{"public", "idx_activity_action", "btree (action_type, \"timestamp\" DESC)"},
    wanted_index{"tickd", "dead_letter_received_at", "btree (received_at)"},
    wanted_index{"tickd", "dead_letter_verdict", "btree (verdict, received_at)"},
    wanted_index{"tickd", "dead_letter_producer", "btree (producer, seq)"},
};

// Schema, name, whether it can be used, definition from the method on.
constexpr const char* index_query =
    "SELECT n.nspname, c.relname, x.indisvalid AND x.indisready,"
    "       substring(pg_get_indexdef(c.oid) FROM ' USING (.*)$')"
    "  FROM pg_catalog.pg_index x"
    "  JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('public', 'tickd')";

// Chunks that lack a valid index of their hypertable.
constexpr const char* chunk_index_query =
    "SELECT count(*)"
    "  FROM pg_catalog.pg_inherits i"
    "  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'tickd_chunks'"
    "   AND (SELECT count(*) FROM pg_catalog.pg_index x"
    "         WHERE x.indrelid = i.inhrelid AND x.indisvalid)"
    "     < (SELECT count(*) FROM pg_catalog.pg_index x"
    "         WHERE x.indrelid = i.inhparent AND x.indisvalid)";

}  // namespace

health_check check_extension(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT e.extversion, current_setting('timescaledb.license', true)"
        "  FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb'");
    if (!rows) return not_checked("extension", rows.error());
    if (rows->size() == 0) {
        return {check_status::fail, "extension",
                "timescaledb is not installed in this database; run `tickd db migrate`"};
    }
    if (rows->is_null(0, 1)) {
        return {check_status::fail, "extension",
                "timescaledb is not loaded; add it to shared_preload_libraries"};
    }
    return {check_status::ok, "extension",
            std::format("timescaledb {}, {} edition", rows->at(0, 0), rows->at(0, 1))};
}

health_check check_hypertable(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT d.column_name, d.time_interval, h.num_chunks"
        "  FROM timescaledb_information.dimensions d"
        "  JOIN timescaledb_information.hypertables h"
        "    USING (hypertable_schema, hypertable_name)"
        " WHERE d.hypertable_schema = 'public' AND d.hypertable_name = 'price_telemetry'");
    if (!rows) return not_checked("hypertable", rows.error());
    if (rows->size() != 1 || rows->at(0, 0) != "time") {
        return {check_status::fail, "hypertable",
                "price_telemetry is not a hypertable on time alone"};
    }
    return {check_status::ok, "hypertable",
            std::format("price_telemetry, {} chunks of {}", rows->at(0, 2), rows->at(0, 1))};
}

health_check check_chunks(pg_connection& connection) {
    const auto schema = connection.query(
        "SELECT associated_schema_name FROM _timescaledb_catalog.hypertable"
        " WHERE schema_name = 'public' AND table_name = 'price_telemetry'");
    if (!schema) return not_checked("chunks", schema.error());
    const auto elsewhere = connection.query(
        "SELECT chunk_schema || '.' || chunk_name FROM timescaledb_information.chunks"
        " WHERE hypertable_schema = 'public' AND hypertable_name = 'price_telemetry'"
        "   AND chunk_schema <> 'tickd_chunks'");
    if (!elsewhere) return not_checked("chunks", elsewhere.error());

    std::vector<std::string> problems;
    if (schema->size() != 1 || schema->at(0, 0) != "tickd_chunks") {
        problems.emplace_back("new chunks are not made in tickd_chunks");
    }
    for (int row = 0; row < elsewhere->size(); ++row) {
        problems.push_back(std::format("{} is outside tickd_chunks", elsewhere->at(row, 0)));
    }
    return verdict_of("chunks", problems, "all in tickd_chunks");
}

health_check check_indexes(pg_connection& connection) {
    const auto rows = connection.query(index_query);
    if (!rows) return not_checked("indexes", rows.error());
    const auto chunks = connection.query(chunk_index_query);
    if (!chunks) return not_checked("indexes", chunks.error());

    std::vector<std::string> problems;
    for (const wanted_index& wanted : wanted_indexes) {
        int row = 0;
        while (row < rows->size() &&
               (rows->at(row, 0) != wanted.schema || rows->at(row, 1) != wanted.name)) {
            ++row;
        }
        if (row == rows->size()) {
            problems.push_back(std::format("{} is missing", wanted.name));
        } else if (!rows->is_true(row, 2)) {
            problems.push_back(std::format("{} is not valid; REINDEX it", wanted.name));
        } else if (rows->at(row, 3) != wanted.definition) {
            problems.push_back(
                std::format("{} is {}, not {}", wanted.name, rows->at(row, 3), wanted.definition));
        }
    }
    if (chunks->integer(0, 0) != 0) {
        problems.push_back(
            std::format("{} chunks lack an index of their hypertable", chunks->at(0, 0)));
    }
    return verdict_of("indexes", problems,
                      std::format("all {} present and valid", wanted_indexes.size()));
}

}  // namespace tickd
