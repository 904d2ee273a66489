// Any stream, cut into any reads, gives the lines that a plain split at newlines gives.
#include <algorithm>
#include <string>
#include <vector>

#include "ingest/frame_buffer.h"
#include "tests/fuzz/fuzz_text.h"

namespace {

constexpr std::size_t line_bytes_max = 5000;

std::vector<std::string> split(std::string_view stream) {
    std::vector<std::string> lines;
    while (!stream.empty()) {
        const std::size_t end = std::min(stream.find('\n'), stream.size());
        std::string_view line = stream.substr(0, end);
        stream.remove_prefix(std::min(end + 1, stream.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        const std::size_t kept = ingest::limits::too_long_kept_bytes;
        lines.emplace_back(line.size() > line_bytes_max ? line.substr(0, kept) : line);
    }
    return lines;
}

}  // namespace

// The first byte says how long the reads are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t read = 1 + data[0] * std::size_t{41};
    const std::string_view stream = tickd_fuzz::text_of(data + 1, size - 1);
    ingest::frame_buffer buffer(line_bytes_max);
    std::vector<std::string> lines;
    for (std::string_view left = stream; !left.empty();) {
        const std::span<char> room = buffer.room();
        const std::string_view part = left.substr(0, std::min(read, room.size()));
        std::ranges::copy(part, room.begin());
        buffer.received(part.size());
        left.remove_prefix(part.size());
        while (const auto line = buffer.next()) lines.emplace_back(line->line);
    }
    if (const auto last = buffer.finish()) lines.emplace_back(last->line);
    tickd_fuzz::require(lines == split(stream));
    tickd_fuzz::require(buffer.pending_bytes() == 0);
    return 0;
}
