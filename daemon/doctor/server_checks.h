// What `tickd doctor` looks at in the database's server beyond `db health`: settings and states in
// which everything works, but slower or less safely than it could. Never worse than a warning.
#pragma once

#include "daemon/db/health.h"
#include "daemon/db/pg_connection.h"

namespace tickd {

// fsync, full_page_writes and synchronous_commit, each off of which may lose what was acked.
[[nodiscard]] health_check check_durability(pg_connection& connection);

// shared_buffers, max_wal_size and jit, where their defaults cost speed.
[[nodiscard]] health_check check_tuning(pg_connection& connection);

// Whether autovacuum runs, and looks at tables that are only inserted into.
[[nodiscard]] health_check check_autovacuum(pg_connection& connection);

// Indexes on price_telemetry that no migration has made: each has its share of every insert.
[[nodiscard]] health_check check_extra_indexes(pg_connection& connection);

// Whether the indexes of the largest of the newest chunks fit into memory, and whether there are so
// many chunks that planning takes long.
[[nodiscard]] health_check check_chunk_size(pg_connection& connection);

// How far the server's clock is from this machine's.
[[nodiscard]] health_check check_clock(pg_connection& connection);

}  // namespace tickd
