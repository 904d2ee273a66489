// The activity log's guard: the triggers and event triggers of 0013_activity_guard.sql.
#include "daemon/db/health.h"

namespace tickd {

namespace {

// Each trigger that should be there and fire always, and is not or does not.
constexpr const char* trigger_query =
    "SELECT format('%s lacks its trigger %s, or it is off', guarded, name)"
    "  FROM (VALUES ('public.unified_activity_log', 'activity_guard_rows'),"
    "               ('public.unified_activity_log', 'activity_guard_truncate'),"
    "               ('tickd.activity_batch', 'activity_guard_rows'),"
    "               ('tickd.activity_batch', 'activity_guard_truncate'),"
    "               ('tickd.activity_checkpoint', 'activity_guard_rows'),"
    "               ('tickd.activity_checkpoint', 'activity_guard_truncate'),"
    "               ('tickd.activity_head', 'activity_guard_rows'),"
    "               ('tickd.activity_head', 'activity_guard_head'),"
    "               ('tickd.activity_head', 'activity_guard_truncate'),"
    "               ('tickd.activity_tenant_head', 'activity_guard_rows'),"
    "               ('tickd.activity_tenant_head', 'activity_guard_head'),"
    "               ('tickd.activity_tenant_head', 'activity_guard_truncate'))"
    "       AS wanted (guarded, name)"
    " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t"
    "                    WHERE t.tgrelid = to_regclass(guarded)::oid AND t.tgname = wanted.name"
    "                      AND t.tgenabled = 'A')";

constexpr const char* event_trigger_query =
    "SELECT count(*) FROM pg_catalog.pg_event_trigger"
    " WHERE evtname IN ('tickd_activity_alter', 'tickd_activity_drop') AND evtenabled = 'A'";

}  // namespace

health_check check_activity_guard(pg_connection& connection) {
    const auto missing = connection.query(trigger_query);
    if (!missing) return not_checked("activity-guard", missing.error());
    const auto events = connection.query(event_trigger_query);
    if (!events) return not_checked("activity-guard", events.error());
    std::vector<std::string> problems;
    problems.reserve(static_cast<std::size_t>(missing->size()));
    for (int row = 0; row < missing->size(); ++row) problems.emplace_back(missing->at(row, 0));
    if (problems.empty() && events->integer(0, 0) != 2) {
        return {check_status::warn, "activity-guard",
                "the event triggers against ALTER and DROP are missing or off: only a superuser can"
                " make them"};
    }
    return verdict_of("activity-guard", problems,
                      "nobody changes the activity log, its records or their schema");
}

}  // namespace tickd
