#include "daemon/db/health.h"

#include <algorithm>
#include <format>

#include "daemon/db/migrator.h"
#include "daemon/json_quoted.h"
#include "daemon/progress_bar.h"

namespace tickd {

namespace {

health_check check_server(pg_connection& connection) {
    const std::string version(connection.parameter("server_version"));
    if (connection.server_version() < 160000) {
        return {check_status::fail, "server",
                std::format("PostgreSQL {}; 16 is the oldest that works", version)};
    }
    return {check_status::ok, "server", "PostgreSQL " + version};
}

health_check check_encoding(pg_connection& connection) {
    const std::string encoding(connection.parameter("server_encoding"));
    if (encoding == "UTF8") return {check_status::ok, "encoding", encoding};
    return {check_status::fail, "encoding",
            encoding + "; the database must be created with ENCODING 'UTF8'"};
}

// The plan's verdict on what the database says was applied.
health_check check_migrations(pg_connection& connection,
                              std::span<const embedded_migration> files) {
    const auto applied = read_applied(connection);
    if (!applied) return not_checked("migrations", applied.error());
    const migration_plan plan = plan_migrations(files, *applied);
    if (!plan.problems.empty()) return verdict_of("migrations", plan.problems, {});
    if (plan.pending.empty()) {
        return {check_status::ok, "migrations",
                std::format("all {} applied, none changed", files.size())};
    }
    return {check_status::fail, "migrations",
            std::format("{} of {} not applied, the first is {}; run `tickd db migrate`",
                        plan.pending.size(), files.size(),
                        label_of(plan.pending.front().number, plan.pending.front().name))};
}

// No limit on its age is known here: markets close at night and over the weekend.
health_check check_newest_tick(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT t, extract(epoch FROM now() - t)::bigint FROM tickd.newest_tick_time() AS t");
    if (!rows) return not_checked("ticks", rows.error());
    if (rows->is_null(0, 0)) return {check_status::note, "ticks", "none yet"};
    const std::int64_t age_seconds = rows->integer(0, 1);
    const std::string time(rows->at(0, 0));
    if (age_seconds < 0) {
        return {check_status::ok, "ticks",
                std::format("the newest is {} ahead, {}", age_text(-age_seconds), time)};
    }
    return {check_status::ok, "ticks",
            std::format("the newest is {} old, {}", age_text(age_seconds), time)};
}

health_check check_dead_letters(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT waiting, newest, extract(epoch FROM now() - newest)::bigint"
        " FROM tickd.dead_letters_waiting()");
    if (!rows) return not_checked("dead-letters", rows.error());
    const auto waiting = static_cast<std::uint64_t>(rows->integer(0, 0));
    if (waiting == 0) return {check_status::ok, "dead-letters", "none"};
    return {check_status::warn, "dead-letters",
            std::format("{}{} waiting, the newest came {} ago", waiting > 1'000'000 ? "over " : "",
                        format_count(std::min<std::uint64_t>(waiting, 1'000'000)),
                        age_text(rows->integer(0, 2)))};
}

// What was received is committed, a duplicate or a dead letter, for every producer.
health_check check_conservation(pg_connection& connection) {
    const auto rows =
        connection.query("SELECT producer, missing FROM tickd.conservation_breaches()");
    if (!rows) return not_checked("conservation", rows.error());
    std::vector<std::string> problems;
    problems.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row) {
        problems.push_back(std::format("producer {}: {} records are not accounted for",
                                       rows->at(row, 0), rows->integer(row, 1)));
    }
    return verdict_of("conservation", problems, "every producer's counts add up");
}

check_status worst_of(std::span<const health_check> checks) noexcept {
    check_status worst = check_status::ok;
    for (const health_check& check : checks) worst = std::max(worst, check.status);
    return worst;
}

}  // namespace

std::vector<health_check> check_health(pg_connection& connection,
                                       std::span<const embedded_migration> files) {
    std::vector<health_check> checks;
    const auto who = connection.query("SELECT current_user, current_database()");
    if (!who) {
        checks.push_back({check_status::fail, "connection", to_text(who.error())});
        return checks;
    }
    checks.push_back(
        {check_status::ok, "connection", std::format("to {} as {}", who->at(0, 1), who->at(0, 0))});
    checks.push_back(check_server(connection));
    checks.push_back(check_encoding(connection));
    checks.push_back(check_extension(connection));
    checks.push_back(check_migrations(connection, files));

    const auto schema = connection.query(
        "SELECT count(*) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public'"
        " AND c.relname IN ('price_telemetry', 'unified_activity_log')");
    if (schema && schema->integer(0, 0) == 2) {
        checks.push_back(check_hypertable(connection));
        checks.push_back(check_chunks(connection));
        checks.push_back(check_indexes(connection));
        checks.push_back(check_roles(connection));
        checks.push_back(check_rights(connection));
        checks.push_back(check_owner(connection));
        checks.push_back(check_activity_guard(connection));
        checks.push_back(check_segments(connection));
        checks.push_back(check_newest_tick(connection));
        checks.push_back(check_dead_letters(connection));
        checks.push_back(check_conservation(connection));
    }
    checks.push_back(check_disk(connection));
    return checks;
}

std::string_view to_string(check_status status) noexcept {
    switch (status) {
        case check_status::ok: return "ok";
        case check_status::note: return "note";
        case check_status::warn: return "warn";
        case check_status::fail: return "fail";
    }
    return "fail";
}

std::string to_line(const health_check& check) {
    return std::format("{:<4}  {:<12}  {}", to_string(check.status), check.name, check.detail);
}

std::string to_json(std::span<const health_check> checks) {
    std::string json = std::format("{{\"status\":\"{}\",\"checks\":[", to_string(worst_of(checks)));
    for (const health_check& check : checks) {
        if (&check != checks.data()) json += ',';
        json +=
            std::format("{{\"name\":{},\"status\":\"{}\",\"detail\":{}}}", json_quoted(check.name),
                        to_string(check.status), json_quoted(check.detail));
    }
    return json + "]}";
}

exit_code exit_code_of(std::span<const health_check> checks) noexcept {
    return worst_of(checks) == check_status::fail ? exit_code::check_failed : exit_code::ok;
}

std::string age_text(std::int64_t seconds) {
    if (seconds >= 2 * 86'400) return std::format("{} d", seconds / 86'400);
    if (seconds >= 2 * 3'600) return std::format("{} h", seconds / 3'600);
    if (seconds >= 2 * 60) return std::format("{} min", seconds / 60);
    return std::format("{} s", seconds);
}

health_check not_checked(std::string name, const pg_error& error) {
    const bool no_right = error.sqlstate == "42501";
    return {no_right ? check_status::note : check_status::fail, std::move(name),
            "not checked: " + to_text(error)};
}

health_check verdict_of(std::string name, const std::vector<std::string>& problems,
                        std::string fine) {
    if (problems.empty()) return {check_status::ok, std::move(name), std::move(fine)};
    constexpr std::size_t shown_max = 5;
    std::string detail;
    for (std::size_t i = 0; i < std::min(problems.size(), shown_max); ++i) {
        detail += (i == 0 ? "" : "; ") + problems[i];
    }
    if (problems.size() > shown_max) {
        detail += std::format("; and {} more", problems.size() - shown_max);
    }
    return {check_status::fail, std::move(name), std::move(detail)};
}

}  // namespace tickd
