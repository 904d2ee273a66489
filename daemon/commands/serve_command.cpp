#include <malloc.h>

#include <exception>

#include "daemon/commands/commands.h"
#include "daemon/log.h"
#include "daemon/serve/server.h"
#include "ingest/limits.h"

namespace tickd {

void add_serve_command(CLI::App& app, command_context& context) {
    CLI::App* const serve = app.add_subcommand("serve", "Run the daemon until SIGTERM or SIGINT");
    serve->callback([&context] {
        const auto settings = context.load();
        if (!settings) return;
        start_log(settings->log.level, settings->log.format);
        mallopt(M_MMAP_THRESHOLD, ingest::limits::mapped_bytes_min);
        try {
            server daemon(*settings, [&context] { return context.read(); });
            context.result = daemon.run();
        } catch (const std::exception& failed) {
            // Only set-up throws: no thread, no descriptor, no digest.
            spdlog::error("cannot start: {}", failed.what());
            context.result = exit_code::os_error;
        }
    });
}

}  // namespace tickd
