// `tickd verify activity`.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/commands/verify_commands.h"
#include "daemon/progress_bar.h"
#include "daemon/verify/activity_verification.h"
#include "verify/encoding.h"

namespace tickd {

namespace {

struct arguments {
    std::string database, key, since, ids, tenant;
    std::vector<std::string> checkpoints;
    unsigned jobs = 0;
    double age_max_s = 0;
    bool json = false, no_progress = false;
};

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Adds the checkpoint of a file. A file that is none is no evidence of anything: false.
bool add_checkpoint(command_context& context, verification_request& request,
                    const std::string& path) {
    const auto text = read_evidence(context, path);
    if (!text) return false;
    auto note = verify::parse_checkpoint(*text);
    if (!note) {
        could_not_verify(context, path + " is no checkpoint: " + note.error());
        return false;
    }
    request.outside.push_back({path, std::move(*note)});
    return true;
}

// A file, or what the notary exported to a folder: `checkpoint` and `checkpoint-SIZE`.
bool add_checkpoints(command_context& context, verification_request& request,
                     const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) return add_checkpoint(context, request, path);
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
        const bool exported = entry.path().filename().string().starts_with("checkpoint");
        if (exported && entry.is_regular_file(error)) files.push_back(entry.path().string());
    }
    std::ranges::sort(files);
    if (files.empty()) could_not_verify(context, "no checkpoint in " + path);
    return !files.empty() && std::ranges::all_of(files, [&](const std::string& file) {
        return add_checkpoint(context, request, file);
    });
}

bool usage(command_context& context, const char* what) {
    std::fprintf(stderr, "tickd: %s\n", what);
    context.result = exit_code::usage;
    return false;
}

bool fill(command_context& context, const arguments& given, verification_request& request) {
    request.jobs = given.jobs != 0 ? given.jobs : std::max(1U, std::thread::hardware_concurrency());
    request.now_us = now_us();
    if (given.age_max_s > 0) {
        request.age_max_us = static_cast<std::int64_t>(given.age_max_s * 1e6);
    }
    if (!given.key.empty()) {
        request.key = pinned_key(context, given.key);
        if (!request.key) return false;
    }
    for (const std::string& path : given.checkpoints) {
        if (!add_checkpoints(context, request, path)) return false;
    }
    if (!given.since.empty()) {
        if (!add_checkpoint(context, request, given.since)) return false;
        request.since_record = request.outside.back().note.head.size;
    }
    if (!given.ids.empty()) {
        const std::size_t dots = given.ids.find("..");
        const auto first = verify::signed_decimal(given.ids.substr(0, dots));
        const auto last =
            dots == std::string::npos ? first : verify::signed_decimal(given.ids.substr(dots + 2));
        if (!first || !last || *first > *last) {
            return usage(context, "--ids takes one id, or two as FIRST..LAST");
        }
        request.ids = {*first, *last};
    }
    if (given.tenant == "-") {
        request.tenant = "";
    } else if (!given.tenant.empty()) {
        request.tenant = verify::from_uuid_text(given.tenant);
        if (!request.tenant) return usage(context, "--tenant takes a UUID in lower case, or -");
    }
    return true;
}

struct effort {
    double seconds, cpu_seconds;
};

void print_json(const verification_report& report, const effort& spent) {
    for (const auto& found : report.found.kept()) std::puts(verify::to_json(found).c_str());
    for (std::size_t level = 0; level < verify::level_count; ++level) {
        const auto& result = report.levels[level];
        std::puts(std::format(R"({{"level":{},"name":"{}","state":"{}","checked":{},)"
                              R"("findings":{},"note":{}}})",
                              level, verify::level_name(level), verify::to_string(result.state),
                              result.checked, result.findings, verify::json_text(result.note))
                      .c_str());
    }
    std::puts(std::format(
                  R"({{"result":"{}","findings":{},"origin":{},"size":{},"root":"{}",)"
                  R"("covered":{},"rows":{},"batches":{},"seconds":{:.3f},)"
                  R"("cpu_seconds":{:.3f},"rows_per_second":{:.0f},"rows_per_cpu_second":{:.0f}}})",
                  report.found.count() == 0 ? "clean" : "tampered", report.found.count(),
                  verify::json_text(report.origin), report.head.size,
                  verify::to_base64(verify::bytes_of(report.head.root)),
                  report.covered ? std::to_string(*report.covered) : "null", report.rows,
                  report.batches, spent.seconds, spent.cpu_seconds,
                  static_cast<double>(report.rows) / std::max(spent.seconds, 1e-6),
                  static_cast<double>(report.rows) / std::max(spent.cpu_seconds, 1e-6))
                  .c_str());
}

void print_words(const verification_report& report) {
    constexpr std::size_t shown_max = 100;
    const auto& found = report.found.kept();
    for (std::size_t i = 0; i < std::min(found.size(), shown_max); ++i) {
        std::puts(verify::to_line(found[i]).c_str());
    }
    if (report.found.count() > shown_max) {
        std::puts(std::format("and {} more; --json prints up to {}",
                              report.found.count() - shown_max, verify::findings::kept_max)
                      .c_str());
    }
    for (std::size_t level = 0; level < verify::level_count; ++level) {
        const auto& result = report.levels[level];
        std::string line = std::format("level {} {:<8}", level, verify::level_name(level));
        switch (result.state) {
            case verify::level_state::passed:
                line += std::format(" passed     {} ({} checked)", verify::level_claim(level),
                                    result.checked);
                break;
            case verify::level_state::failed:
                line += std::format(" FAILED     {} findings", result.findings);
                break;
            case verify::level_state::not_asked: line += " not asked "; break;
        }
        if (!result.note.empty()) line += (line.ends_with(' ') ? "" : "; ") + result.note;
        std::puts(line.c_str());
    }
    if (report.covered) {
        std::puts(std::format("verified up to record {} of {}, root {}", *report.covered - 1,
                              report.head.size - 1,
                              verify::to_base64(verify::bytes_of(report.head.root)))
                      .c_str());
    }
    std::puts(report.found.count() == 0 ? "clean" : "TAMPERED");
}

void run(command_context& context, const arguments& given) {
    verification_request request;
    if (!fill(context, given, request)) return;
    const auto target = log_target(context, given.database);
    if (!target) return;
    request.target = *target;
    const auto begun = std::chrono::steady_clock::now();
    progress_bar bar(STDERR_FILENO, !given.no_progress, "rows");
    bar.set_label("verifying");
    const auto report = verify_activity(request, [&](std::uint64_t rows, std::uint64_t total) {
        bar.update({.records = rows, .done = rows, .total = total});
    });
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!report) {
        if (given.json) {
            std::puts((R"({"result":"could_not_verify","error":)" +
                       verify::json_text(report.error()) + '}')
                          .c_str());
        }
        could_not_verify(context, report.error());
        return;
    }
    bar.finish(std::format(
        "{} rows of {} batches in {}, {}", format_count(report->rows),
        format_count(report->batches), format_elapsed(seconds),
        format_rate(static_cast<double>(report->rows) / std::max(seconds, 1e-6), "rows")));
    if (given.json) {
        print_json(*report, {seconds, cpu_seconds()});
    } else {
        print_words(*report);
    }
    context.result = report->found.count() == 0 ? exit_code::ok : exit_code::check_failed;
}

}  // namespace

void add_verify_activity_command(CLI::App& verify, command_context& context) {
    CLI::App* const activity = verify.add_subcommand(
        "activity",
        "The activity log: rows, batches, records, checkpoints; exit code 1: tampering");
    const auto given = std::make_shared<arguments>();
    activity->add_option("--key", given->key, "The log's verifier key, or a file that holds it")
        ->type_name("VKEY");
    activity
        ->add_option("--checkpoint", given->checkpoints,
                     "A checkpoint kept outside the database, or a folder of them")
        ->type_name("FILE");
    activity
        ->add_option("--since", given->since,
                     "Only rows committed after this checkpoint, which is checked as well")
        ->type_name("FILE");
    activity->add_option("--ids", given->ids, "Only batches with these ids: 7 or 7..1200");
    activity->add_option("--tenant", given->tenant, "Only this tenant's batches; - for none")
        ->type_name("UUID");
    activity
        ->add_option("--max-age", given->age_max_s,
                     "Greatest age of the newest signed record, in seconds")
        ->type_name("SECONDS");
    activity->add_option("--jobs", given->jobs, "Connections that read rows; default: one a core")
        ->check(CLI::Range(1U, 64U));
    activity->add_option("--database", given->database,
                         "Connection string, in place of the configuration's");
    activity->add_flag("--json", given->json, "JSON lines: findings, levels, result");
    activity->add_flag("--no-progress", given->no_progress, "No progress bar");
    activity->callback([&context, given] { run(context, *given); });
}

}  // namespace tickd
