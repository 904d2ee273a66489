// `tickd query`: ticks out of segments; candles, aggregates and latest prices out of SQL.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <format>
#include <map>
#include <memory>

#include "daemon/clock.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/db_commands.h"
#include "daemon/commands/verify_commands.h"
#include "daemon/progress_bar.h"
#include "daemon/query/query_time.h"
#include "daemon/query/sql_output.h"
#include "daemon/query/tick_query.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

struct arguments {
    std::string database, symbol, from, to, bucket = "1 minute";
    std::string source;
    output_form form = output_form::table;
    bool no_progress = false;
};

const std::map<std::string, output_form> forms{{"csv", output_form::csv},
                                               {"ndjson", output_form::ndjson},
                                               {"table", output_form::table},
                                               {"binary", output_form::binary}};

struct span {
    std::int64_t from_us, to_us;
};

// Nothing after a usage error was said.
[[nodiscard]] std::optional<span> span_of(command_context& context, const arguments& given) {
    const auto from = given.from.empty() ? query_time_min_us : parse_query_time(given.from);
    // The future limit keeps later ticks out, unless somebody has widened it.
    const auto to = given.to.empty() ? query_time_max_us : parse_query_time(given.to);
    if (from && to) return span{*from, *to};
    std::fprintf(stderr, "tickd: %s is no time such as 2026-01-31 or 2026-01-31T09:30:00Z\n",
                 from ? given.to.c_str() : given.from.c_str());
    context.result = exit_code::usage;
    return std::nullopt;
}

[[nodiscard]] std::optional<pg_connection> open_reader(command_context& context,
                                                       const arguments& given) {
    const auto target = log_target(context, given.database);
    if (!target) return std::nullopt;
    pg_target reader = *target;
    reader.application_name = "tickd query";
    auto connection = pg_connection::connect(reader);
    if (connection) return std::move(*connection);
    std::fprintf(stderr, "tickd: %s\n", to_text(connection.error()).c_str());
    context.result = exit_code::unavailable;
    return std::nullopt;
}

void write_out(std::string_view bytes) {
    static_cast<void>(std::fwrite(bytes.data(), 1, bytes.size(), stdout));
}

// A pipe that was closed, or a full disk, is no success.
void end_output(command_context& context) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    std::fprintf(stderr, "tickd: the output cannot be written\n");
    context.result = exit_code::io_error;
}

void fail(command_context& context, const pg_error& error) {
    std::fprintf(stderr, "tickd: %s\n", to_text(error).c_str());
    context.result = error.sqlstate == "22023" ? exit_code::usage : exit_code_of(error);
}

void print_select(command_context& context, const arguments& given, const std::string& select) {
    auto connection = open_reader(context, given);
    if (!connection) return;
    if (auto printed = print_rows(*connection, select, given.form, write_out); !printed) {
        return fail(context, printed.error());
    }
    end_output(context);
}

[[nodiscard]] std::string literals(const arguments& given, const span& times) {
    return std::format("{}, '{}', '{}'", quote_literal(given.symbol),
                       ingest::to_rfc3339(times.from_us), ingest::to_rfc3339(times.to_us));
}

void query_ticks(command_context& context, const arguments& given) {
    const auto times = span_of(context, given);
    if (!times) return;
    auto connection = open_reader(context, given);
    if (!connection) return;
    tick_output output(given.form);
    std::string out;
    output.begin(out);
    write_out(out);
    progress_bar bar(STDERR_FILENO, !given.no_progress && ::isatty(STDOUT_FILENO) == 0, "ticks");
    bar.set_label(given.symbol);
    tick_query asked{.symbol = given.symbol,
                     .from_us = times->from_us,
                     .to_us = times->to_us,
                     .source = given.source.empty() ? std::nullopt : std::optional(given.source),
                     .metadata = given.form != output_form::table};
    std::uint64_t ticks = 0;
    const auto done =
        read_ticks(*connection, asked,
                   [&](const ingest::tick_columns& part, std::uint64_t day, std::uint64_t days) {
                       out.clear();
                       output.ticks(part, out);
                       write_out(out);
                       ticks += part.size();
                       bar.update({.records = ticks, .done = day, .total = days});
                   });
    if (!done) return fail(context, done.error());
    out.clear();
    output.end(out);
    write_out(out);
    end_output(context);
}

CLI::App* add_query(CLI::App& query, const std::shared_ptr<arguments>& given, const char* name,
                    const char* what, bool times) {
    CLI::App* const made = query.add_subcommand(name, what);
    made->add_option("--symbol", given->symbol, "Which one")->required();
    if (times) {
        made->add_option("--from", given->from, "First time, included; default: the first there is")
            ->type_name("TIME");
        made->add_option("--to", given->to, "Last time, not included; default: all there is")
            ->type_name("TIME");
    }
    // CLI11's own description would print the numbers behind the words, which are characters to it.
    made->add_option("--format", given->form, "Form of the output")
        ->transform(CLI::CheckedTransformer(forms).description("{csv,ndjson,table,binary}"))
        ->default_str("table")
        ->type_name("FORMAT");
    made->add_option("--database", given->database,
                     "Connection string, in place of the configuration's");
    return made;
}

}  // namespace

void add_query_command(CLI::App& app, command_context& context) {
    CLI::App* const query =
        app.add_subcommand("query", "Ticks, candles, aggregates and latest prices");
    query->require_subcommand(1);
    query->footer(
        "TIME is a day (2026-01-31, UTC), RFC 3339 with a zone, or seconds since 1970.\n"
        "Decimals are printed with all their digits; --format binary is COPY BINARY.");
    const auto given = std::make_shared<arguments>();

    CLI::App* const ticks =
        add_query(*query, given, "ticks", "Every tick, out of segments, in order of time", true);
    ticks->add_option("--source", given->source, "Only those of this source");
    ticks->add_flag("--no-progress", given->no_progress, "No progress bar");
    ticks->callback([&context, given] { query_ticks(context, *given); });

    CLI::App* const candles = add_query(*query, given, "candles", "Candles of mid", true);
    candles->add_option("--bucket", given->bucket, "Their length: a multiple of a minute")
        ->capture_default_str();
    candles->callback([&context, given] {
        if (const auto times = span_of(context, *given)) {
            print_select(context, *given,
                         std::format("SELECT * FROM public.tick_candles({}, {}::interval)",
                                     literals(*given, *times), quote_literal(given->bucket)));
        }
    });

    CLI::App* const aggregate = add_query(
        *query, given, "aggregate", "Exact count, bounds, sums and averages of a time range", true);
    aggregate->callback([&context, given] {
        if (const auto times = span_of(context, *given)) {
            print_select(
                context, *given,
                std::format("SELECT * FROM public.tick_aggregate({})", literals(*given, *times)));
        }
    });

    CLI::App* const latest = add_query(*query, given, "latest", "The newest tick", false);
    latest->callback([&context, given] {
        print_select(context, *given,
                     "SELECT time, symbol, bid, ask, mid, volume, source, metadata"
                     " FROM public.tick_latest(" +
                         quote_literal(given->symbol) + ')');
    });
}

}  // namespace tickd
