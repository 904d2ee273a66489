// `tickd db seed`.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <format>
#include <memory>

#include "daemon/commands/db_commands.h"
#include "daemon/db/seed.h"
#include "daemon/progress_bar.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

struct seed_arguments {
    seed_options options;
    std::string until;  // RFC 3339; empty: now
};

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

exit_code explain(const pg_error& error) {
    std::fprintf(stderr, "tickd: %s\n", to_text(error).c_str());
    if (error.sqlstate == "23505") {
        std::fputs("tickd: this database holds that seed already; take another --seed\n", stderr);
        return exit_code::data;
    }
    if (error.sqlstate == "42P01" || error.sqlstate == "3F000") {
        std::fputs("tickd: run `tickd db migrate` first\n", stderr);
        return exit_code::unavailable;
    }
    return exit_code_of(error);
}

exit_code run_seed(pg_connection& connection, const seed_options& options) {
    const auto begun = std::chrono::steady_clock::now();
    const std::uint64_t total = options.ticks + options.ticks / 20;
    progress_bar bar(STDERR_FILENO, true, "rows");
    bar.set_label("seeding");
    const auto written = write_seed(connection, options, [&](std::uint64_t rows) {
        bar.update({.records = rows, .done = rows, .total = total});
    });
    if (!written) {
        bar.finish("seeding failed; the database is as it was");
        return explain(written.error());
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    bar.finish(std::format("seeded in {}", format_elapsed(seconds)));
    std::printf("%s tenants, %s portfolios with %s positions, %s ticks, %s activity events\n",
                format_count(written->tenants).c_str(), format_count(written->portfolios).c_str(),
                format_count(written->positions).c_str(), format_count(written->ticks).c_str(),
                format_count(written->events).c_str());
    return exit_code::ok;
}

}  // namespace

void add_db_seed_command(CLI::App& db, command_context& context) {
    CLI::App* const seed = db.add_subcommand(
        "seed", "Fills the tables with made-up tenants, portfolios, ticks and activity");
    const auto arguments = std::make_shared<seed_arguments>();
    seed->add_option("--rows", arguments->options.ticks, "Ticks; a twentieth of it is activity")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{10'000'000'000}))
        ->capture_default_str();
    seed->add_option("--tenants", arguments->options.tenants, "Tenants, three portfolios each")
        ->check(CLI::Range(0U, 10'000U))
        ->capture_default_str();
    seed->add_option("--seed", arguments->options.seed, "The same number gives the same data")
        ->capture_default_str();
    seed->add_option("--until", arguments->until,
                     "RFC 3339 time; the data fills the five days before it (default: now)");
    seed->callback([&context, arguments] {
        const auto settings = context.load();
        if (!settings) return;
        arguments->options.until_us = now_us();
        if (!arguments->until.empty()) {
            const ingest::time_result until = ingest::parse_rfc3339(arguments->until);
            if (until.error != ingest::time_error::none) {
                std::fprintf(stderr, "tickd: --until is no RFC 3339 time: %s\n",
                             arguments->until.c_str());
                context.result = exit_code::usage;
                return;
            }
            arguments->options.until_us = until.unix_us;
        }
        auto connection = open_database(*settings, context);
        if (!connection) return;
        context.result = run_seed(*connection, arguments->options);
    });
}

}  // namespace tickd
