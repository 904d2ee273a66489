#include "daemon/send/unacked_lines.h"

#include <utility>

#include "ingest/top_level_scan.h"

namespace tickd {

namespace {

constexpr std::string_view white_space = " \t\r";

// The line with `"seq":N` as its first member; unchanged when it does not begin like an object.
[[nodiscard]] std::string numbered(std::string_view line, std::uint64_t seq) {
    const std::size_t open = line.find_first_not_of(white_space);
    std::string text;
    if (open == std::string_view::npos || line[open] != '{') {
        text = line;
    } else {
        const std::size_t first = line.find_first_not_of(white_space, open + 1);
        const bool has_members = first != std::string_view::npos && line[first] != '}';
        text.reserve(line.size() + 32);
        text.append(line.substr(0, open + 1));
        text.append("\"seq\":").append(std::to_string(seq)).append(has_members ? "," : "");
        text.append(line.substr(open + 1));
    }
    text.push_back('\n');
    return text;
}

}  // namespace

void unacked_lines::add(std::string_view line) {
    const std::uint64_t own = ingest::salvage_seq(line);
    kept next{.seq = own, .text = {}, .sent_before = false};
    if (own > newest_seq_) {
        next.text.assign(line).push_back('\n');
    } else {
        next.seq = newest_seq_ + 1;
        next.text = own == 0 ? numbered(line, next.seq) : std::string(line) + '\n';
    }
    newest_seq_ = next.seq;
    bytes_ += next.text.size();
    lines_.push_back(std::move(next));
}

std::size_t unacked_lines::settle(std::uint64_t seq) {
    std::size_t dropped = 0;
    while (!lines_.empty() && lines_.front().seq <= seq) {
        bytes_ -= lines_.front().text.size();
        lines_.pop_front();
        ++dropped;
    }
    next_ = next_ > dropped ? next_ - dropped : 0;
    return dropped;
}

void unacked_lines::rewind() noexcept { next_ = 0; }

std::string_view unacked_lines::next() const noexcept {
    return all_sent() ? std::string_view{} : std::string_view(lines_[next_].text);
}

bool unacked_lines::sent() { return std::exchange(lines_[next_++].sent_before, true); }

}  // namespace tickd
