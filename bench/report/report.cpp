#include "bench/report/report.h"

#include <chrono>
#include <cstdio>
#include <format>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "bench/report/json_text.h"

namespace bench {

namespace {

namespace fs = std::filesystem;

std::string to_text(const facts& all) {
    std::string text;
    for (const auto& [name, value] : all) text += std::format("  {:<22} {}\n", name, value);
    return text;
}

std::string to_markdown(const facts& all) {
    std::string text;
    for (const auto& [name, value] : all) text += std::format("- {}: {}\n", name, value);
    return text;
}

boost::json::object to_json(const facts& all) {
    boost::json::object object;
    for (const auto& [name, value] : all) object[name] = value;
    return object;
}

void write_file(const fs::path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary);
    file << content;
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string markdown_of(const report& what, std::string_view when) {
    std::string text = std::format("# {}\n\n{} UTC.\n", what.title, when);
    for (const report_section& each : what.sections) {
        text += std::format("\n## {}\n\n{}", each.heading, each.table.to_markdown());
        for (const std::string& note : each.notes) text += std::format("\n{}\n", note);
    }
    if (!what.settings.empty()) {
        text += "\n## Settings\n\n" + to_markdown(what.settings);
    }
    return text + "\n## Machine\n\n" + to_markdown(what.environment);
}

}  // namespace

void print(const report& what) {
    std::string text = std::format("\n{}\n", what.title);
    for (const report_section& each : what.sections) {
        text += std::format("\n{}\n\n{}", each.heading, each.table.to_text());
        for (const std::string& note : each.notes) text += std::format("{}\n", note);
    }
    if (!what.settings.empty()) text += "\nSettings\n" + to_text(what.settings);
    text += "\nMachine\n" + to_text(what.environment);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

std::vector<fs::path> write_files(const report& what, const fs::path& folder) {
    if (folder.empty()) return {};
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const std::string when = std::format("{:%F %T}", now);
    fs::create_directories(folder);
    std::string stem = std::format("{}-{:%F}", what.name, now);
    if (fs::exists(folder / (stem + ".json")))
        stem = std::format("{}-{:%F-%H%M%S}", what.name, now);

    boost::json::object all;
    all["benchmark"] = what.name;
    all["time"] = std::format("{:%FT%TZ}", now);
    all["environment"] = to_json(what.environment);
    all["settings"] = to_json(what.settings);
    for (const auto& member : what.results) all[member.key()] = member.value();

    std::vector<fs::path> paths{folder / (stem + ".json"), folder / (stem + ".md")};
    write_file(paths[0], to_json_text(all));
    write_file(paths[1], markdown_of(what, when));
    return paths;
}

boost::json::object to_json(const summary& of) {
    return {{"median", of.median}, {"least", of.least}, {"most", of.most}, {"runs", of.runs}};
}

}  // namespace bench
