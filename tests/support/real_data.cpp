#include "tests/support/real_data.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace tickd::test {

namespace fs = std::filesystem;

fs::path shared_data(std::string_view name) {
    const fs::path path = fs::path(TICKD_SOURCE_DIR) / ".." / "shared" / "data" / name;
    return fs::exists(path) ? path : fs::path();
}

real_files find_real_files() {
    real_files found;
    const fs::path quotes = shared_data("quotes-binance-2024-08.ndjson.gz");
    const fs::path decisions = shared_data("activity-agent-decisions.ndjson.gz");
    const fs::path audit = shared_data("activity-host-audit.ndjson.gz");
    if (!quotes.empty() && !decisions.empty() && !audit.empty()) {
        found.whole = true;
        found.ticks = {quotes};
        found.events = {decisions, audit};
        return found;
    }
    const fs::path sample = fs::path(TICKD_SOURCE_DIR) / "data";
    if (!fs::exists(sample)) return found;
    for (const auto& entry : fs::directory_iterator(sample)) {
        if (!entry.path().string().ends_with(".ndjson.gz")) continue;
        const bool is_events = entry.path().filename().string().starts_with("activity");
        (is_events ? found.events : found.ticks).push_back(entry.path());
    }
    return found;
}

std::string gunzip(const fs::path& path) {
    const gzFile file = ::gzopen(path.c_str(), "rb");
    if (file == nullptr) throw std::runtime_error("cannot open " + path.string());
    std::string text;
    std::array<char, 256 * 1024> part{};
    int got = 0;
    while ((got = ::gzread(file, part.data(), part.size())) > 0) {
        text.append(part.data(), static_cast<std::size_t>(got));
    }
    ::gzclose(file);
    if (got < 0) throw std::runtime_error("cannot read " + path.string());
    return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::vector<suite_document> json_test_suite() {
    std::vector<suite_document> all;
    const fs::path archive = shared_data("JSONTestSuite.tar.gz");
    if (archive.empty()) return all;
    // ustar: blocks of 512 bytes; name at 0, size in octal at 124, kind at 156.
    constexpr std::size_t block = 512;
    const std::string tar = gunzip(archive);
    for (std::size_t at = 0; at + block <= tar.size() && tar[at] != '\0';) {
        const std::string path(tar.c_str() + at);
        const std::size_t size = std::strtoul(tar.c_str() + at + 124, nullptr, 8);
        const char kind = tar[at + 156];
        const fs::path name = fs::path(path).filename();
        if ((kind == '0' || kind == '\0') && path.contains("/test_parsing/") &&
            name.extension() == ".json") {
            all.push_back({name.string(), tar.substr(at + block, size)});
        }
        at += block + (size + block - 1) / block * block;
    }
    std::ranges::sort(all, {}, &suite_document::name);
    return all;
}

}  // namespace tickd::test
