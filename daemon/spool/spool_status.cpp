#include "daemon/spool/spool_status.h"

#include <algorithm>
#include <filesystem>
#include <format>
#include <system_error>

#include "daemon/clock.h"
#include "daemon/log.h"

namespace tickd {

namespace {

namespace fs = std::filesystem;

[[nodiscard]] std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.append("\\").append(1, c);
        } else if (byte < 0x20 || byte == 0x7f) {
            out += std::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

[[nodiscard]] spool_status read_spool(const fs::path& folder) {
    spool_status found;
    found.lane = folder.filename().string();
    std::error_code failed;
    for (const auto& each : fs::directory_iterator(folder, failed)) {
        const std::string name = each.path().filename().string();
        if (name.ends_with(".damaged")) found.set_aside.push_back(name);
    }
    if (failed) {
        found.problem = failed.message();
        return found;
    }
    std::ranges::sort(found.set_aside);
    const auto identity = read_spool_identity(folder.string());
    if (!identity) return found;  // It was never used.
    auto contents = scan_spool(folder.string(), *identity);
    if (!contents) {
        found.problem = contents.error();
        return found;
    }
    found.contents = *std::move(contents);
    if (found.contents.oldest_us != 0) {
        found.age_s =
            std::max<std::int64_t>((unix_now_us() - found.contents.oldest_us) / 1'000'000, 0);
    }
    return found;
}

template <typename Range, typename Print>
[[nodiscard]] std::string json_list(const Range& of, Print print) {
    std::string out;
    for (const auto& each : of) out += (out.empty() ? "" : ",") + print(each);
    return '[' + out + ']';
}

}  // namespace

std::expected<std::vector<spool_status>, std::string> read_spools(const std::string& folder) {
    std::vector<spool_status> all;
    std::error_code failed;
    fs::directory_iterator each{folder, failed};
    if (failed == std::errc::no_such_file_or_directory) return all;
    while (!failed && each != fs::directory_iterator{}) {
        std::error_code ignored;
        const bool is_lane = each->path().filename().string().starts_with("lane-");
        if (is_lane && each->is_directory(ignored)) all.push_back(read_spool(each->path()));
        each.increment(failed);
    }
    if (failed) return std::unexpected(failed.message());
    std::ranges::sort(all, {}, &spool_status::lane);
    return all;
}

std::vector<std::string> to_lines(const spool_status& of) {
    if (!of.problem.empty()) return {of.lane + ": cannot be read: " + of.problem};
    const spool_recovery& in = of.contents.recovery;
    std::vector<std::string> lines{
        std::format("{}: {} blocks with {} records in {} files, {} bytes{}", of.lane, in.blocks,
                    in.rows, of.contents.files.size(), in.bytes,
                    of.age_s == 0 ? "" : std::format(", the oldest {} s old", of.age_s))};
    for (const auto& [name, producer] : of.contents.producers) {
        lines.push_back(
            std::format("  producer {}: up to sequence {}", printable(name), producer.newest_seq));
    }
    if (in.torn_bytes != 0) {
        lines.push_back(std::format("  {} bytes at the end are of a block that is being written",
                                    in.torn_bytes));
    }
    if (in.damaged_blocks != 0) {
        lines.push_back(std::format("  at least {} blocks are damaged", in.damaged_blocks));
    }
    for (const std::string& each : in.messages) lines.push_back("  " + each);
    for (const std::string& each : of.set_aside) lines.push_back("  set aside: " + each);
    return lines;
}

std::string to_json(const std::vector<spool_status>& all) {
    return "{\"lanes\":" +
           json_list(all,
                     [](const spool_status& of) {
                         const spool_recovery& in = of.contents.recovery;
                         return std::format(
                             "{{\"lane\":{},\"files\":{},\"bytes\":{},\"blocks\":{},\"records\":{},"
                             "\"oldest_age_s\":{},\"torn_bytes\":{},\"damaged_blocks\":{},\"set_"
                             "aside\":{},"
                             "\"problem\":{},\"messages\":{},\"producers\":{}}}",
                             json_text(of.lane), of.contents.files.size(), in.bytes, in.blocks,
                             in.rows, of.age_s, in.torn_bytes, in.damaged_blocks,
                             json_list(of.set_aside, json_text),
                             of.problem.empty() ? "null" : json_text(of.problem),
                             json_list(in.messages, json_text),
                             json_list(of.contents.producers, [](const auto& each) {
                                 return std::format("{{\"producer\":{},\"newest_seq\":{}}}",
                                                    json_text(each.first), each.second.newest_seq);
                             }));
                     }) +
           '}';
}

}  // namespace tickd
