#include "daemon/commands/command_line.h"

namespace tickd {

void add_command_line(CLI::App& app, command_context& context) {
    app.require_subcommand(1);
    // --config is understood behind a command as well.
    app.fallthrough();
    app.footer("Every command has a --help of its own. Exit codes are those of sysexits.h.");
    app.add_option("--config", context.config_file,
                   "Configuration file; default: /etc/tickd/tickd.yaml if it exists")
        ->type_name("FILE")
        ->envname("TICKD_CONFIG");
    add_serve_command(app, context);
    add_send_command(app, context);
    add_db_command(app, context);
    add_deadletter_command(app, context);
    add_doctor_command(app, context);
    add_spool_command(app, context);
    add_notary_command(app, context);
    add_tenant_command(app, context);
    add_config_command(app, context);
    add_query_command(app, context);
    add_verify_command(app, context);
    add_version_command(app, context);
}

}  // namespace tickd
