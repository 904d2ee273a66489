// SIGHUP, and which parts of the daemon hear of it.
#include <unistd.h>

#include <expected>
#include <functional>
#include <string>

#include "daemon/log.h"
#include "daemon/serve/pg_lane_database.h"
#include "daemon/serve/server.h"

namespace tickd {

void server::await_reload() {
    hang_ups_.async_wait([this](boost::system::error_code failed, int) {
        if (failed) return;
        if (!stopping_) {
            manager_.reloading();
            const bool taken = reloader_.reload();
            (taken ? serving_.reloads : serving_.reloads_refused).fetch_add(1);
            manager_.ready(status());
        }
        await_reload();
    });
}

// Each part copies what it needs out of the configuration, which is the same object throughout.
void server::add_reload_parts() {
    using prepared = std::expected<std::function<void()>, std::string>;
    reloader_.add({.name = "log", .prepare = [](const config& next) -> prepared {
                       return [level = next.log.level, format = next.log.format] {
                           set_log_format(format);
                           set_log_level(level);
                       };
                   }});
    reloader_.add({.name = "listeners",
                   .prepare = [this](const config& next) { return door_.prepare(next); }});
    reloader_.add(
        {.name = "database.password_file", .prepare = [this](const config& next) -> prepared {
             const std::string path = next.database.password_file;
             if (!path.empty() && ::access(path.c_str(), R_OK) != 0) {
                 return std::unexpected(path + " cannot be read");
             }
             return [this, path] {
                 for (pg_lane_database* each : databases_) each->set_password_file(path);
             };
         }});
    reloader_.add({.name = "admin.token_file", .prepare = [this](const config& next) -> prepared {
                       const auto secret = read_admin_secret(next.admin.token_file);
                       if (!secret) return std::unexpected(secret.error());
                       return [this, secret = *secret] { admin_.guard_by(admin_guard(secret)); };
                   }});
    reloader_.add({.name = "notary", .prepare = [this](const config& next) -> prepared {
                       return [this, heartbeat = next.notary.heartbeat] {
                           if (notary_) notary_->set_heartbeat(heartbeat);
                       };
                   }});
}

}  // namespace tickd
