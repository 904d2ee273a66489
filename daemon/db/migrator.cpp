#include "daemon/db/migrator.h"

#include <format>

namespace tickd {

namespace {

// 'tick', and 1 for the migrator; 2 is tickd.reserve_activity_ids.
constexpr const char* take_lock = "SELECT pg_advisory_lock(1953063787, 1)";
constexpr const char* leave_lock = "SELECT pg_advisory_unlock(1953063787, 1)";

// A migration names its objects with their schema, except for the extension, which goes where the
// path begins. Nothing may bind to something in the migrator's own schema.
constexpr const char* begin_file =
    "BEGIN;"
    "SET LOCAL search_path = public;"
    "SET LOCAL client_min_messages = warning;"
    // The way past the activity log's event triggers, for a superuser (0013_activity_guard.sql).
    "SET LOCAL tickd.migration = 'on';"
    "SET LOCAL lock_timeout = '1min'";

std::expected<void, migration_failure> run_file(pg_connection& connection,
                                                const embedded_migration& file) {
    const std::string file_name = label_of(file.number, file.name) + ".sql";
    const auto fail = [&](pg_error error, std::string where) {
        if (connection.in_transaction()) (void)connection.exec("ROLLBACK");
        return std::unexpected(migration_failure{{}, std::move(where), std::move(error)});
    };

    if (auto begun = connection.exec(begin_file); !begun) return fail(begun.error(), file_name);
    if (auto ran = connection.exec(std::string(file.sql)); !ran) {
        const int line = line_of(file.sql, ran.error().position);
        return fail(ran.error(), line == 0 ? file_name : std::format("{}:{}", file_name, line));
    }
    if (!connection.in_transaction()) {
        pg_error error;
        error.message = "the file ended its own transaction, so part of it may have been kept";
        return fail(error, file_name);
    }
    // As the owner: the migrator itself need not have rights on the table.
    if (auto role = connection.exec("SET LOCAL ROLE tickd_owner"); !role) {
        return fail(role.error(), file_name);
    }
    const auto recorded = connection.query(
        "INSERT INTO tickd.tickd_migrations (number, name, checksum) VALUES ($1, $2, $3)",
        {std::to_string(file.number), std::string(file.name), checksum_of(file.sql)});
    if (!recorded) return fail(recorded.error(), file_name + ", recording it");
    if (auto kept = connection.exec("COMMIT"); !kept) {
        return fail(kept.error(), file_name + ", committing it");
    }
    return {};
}

std::expected<int, migration_failure> migrate_locked(
    pg_connection& connection, std::span<const embedded_migration> files,
    const std::function<void(const embedded_migration&)>& done) {
    const auto applied = read_applied(connection);
    if (!applied) {
        return std::unexpected(
            migration_failure{{}, "reading tickd.tickd_migrations", applied.error()});
    }
    migration_plan plan = plan_migrations(files, *applied);
    if (!plan.problems.empty()) {
        return std::unexpected(migration_failure{std::move(plan.problems), {}, {}});
    }
    int count = 0;
    for (const embedded_migration& file : plan.pending) {
        if (auto ran = run_file(connection, file); !ran) return std::unexpected(ran.error());
        ++count;
        done(file);
    }
    return count;
}

}  // namespace

std::string to_text(const migration_failure& failure) {
    std::string text;
    for (const std::string& problem : failure.problems) {
        text += (text.empty() ? "" : "\n") + problem;
    }
    if (failure.problems.empty()) text = failure.where + ": " + to_text(failure.error);
    return text;
}

std::expected<std::vector<applied_migration>, pg_error> read_applied(pg_connection& connection) {
    // By the catalog: naming the table would be an error where the schema does not exist.
    const auto exists = connection.query(
        "SELECT FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'tickd' AND c.relname = 'tickd_migrations'");
    if (!exists) return std::unexpected(exists.error());
    std::vector<applied_migration> applied;
    if (exists->size() == 0) return applied;

    const auto rows = connection.query(
        "SELECT number, name, checksum FROM tickd.tickd_migrations ORDER BY number");
    if (!rows) return std::unexpected(rows.error());
    for (int row = 0; row < rows->size(); ++row) {
        applied.push_back({static_cast<int>(rows->integer(row, 0)), std::string(rows->at(row, 1)),
                           std::string(rows->at(row, 2))});
    }
    return applied;
}

std::expected<int, migration_failure> migrate(
    pg_connection& connection, std::span<const embedded_migration> files,
    const std::function<void(const embedded_migration&)>& done) {
    if (auto locked = connection.exec(take_lock); !locked) {
        return std::unexpected(
            migration_failure{{}, "waiting for another migrator", locked.error()});
    }
    auto outcome = migrate_locked(connection, files, done);
    // Closing the connection gives the lock back too, so a failure here loses nothing.
    (void)connection.exec(leave_lock);
    return outcome;
}

}  // namespace tickd
