#include "tests/support/pg_wire_watch.h"

#include <algorithm>

namespace tickd::test {

std::size_t pg_message_count::take(std::string_view bytes, std::uint64_t messages_max) {
    constexpr std::size_t header_bytes = 5;  // type and length, which counts itself
    std::size_t at = 0;
    while (at < bytes.size() && messages_max != 0) {
        if (header_.size() < header_bytes) {
            header_ += bytes[at++];
            if (header_.size() < header_bytes) continue;
            std::uint32_t length = 0;
            for (const char each : std::string_view(header_).substr(1)) {
                length = length << 8U | static_cast<unsigned char>(each);
            }
            left_ = length - 4;
        }
        const std::size_t part = std::min(left_, bytes.size() - at);
        at += part;
        left_ -= part;
        if (left_ != 0) continue;
        header_.clear();
        ++messages_;
        --messages_max;
    }
    return at;
}

std::size_t pg_wire_watch::stream::take(std::string_view bytes) {
    const std::size_t header_bytes = typeless ? 4 : 5;
    std::size_t taken = 0;
    if (!in_body) {
        taken = std::min(header_bytes - header.size(), bytes.size());
        header.append(bytes.substr(0, taken));
        if (header.size() < header_bytes) return taken;
        std::uint32_t length = 0;
        for (const char each : std::string_view(header).substr(header_bytes - 4)) {
            length = length << 8U | static_cast<unsigned char>(each);
        }
        left = length - 4;  // The length counts itself.
        in_body = true;
    }
    const std::size_t part = std::min(left, bytes.size() - taken);
    if (type() == 'Q' || type() == 'C') body.append(bytes.substr(taken, part));
    left -= part;
    return taken + part;
}

void pg_wire_watch::stream::next() {
    header.clear();
    body.clear();
    in_body = typeless = false;
}

bool pg_wire_watch::commit_leaves() {
    if (client_.type() == 'Q' && client_.body.contains("COMMIT")) {
        copies_left_ = 0;
        constexpr std::string_view word = "COPY ";
        for (std::size_t at = 0; (at = client_.body.find(word, at)) != std::string::npos; ++at) {
            ++copies_left_;
        }
        return copies_left_ == 0;
    }
    return client_.type() == 'c' && copies_left_ > 0 && --copies_left_ == 0;
}

std::optional<std::size_t> pg_wire_watch::client_sends(std::string_view bytes) {
    std::optional<std::size_t> found;
    for (std::size_t at = 0; at < bytes.size();) {
        at += client_.take(bytes.substr(at));
        if (!client_.complete()) continue;
        if (commit_leaves()) found = at;
        client_.next();
    }
    return found;
}

bool pg_wire_watch::server_sends(std::string_view bytes) {
    bool answered = false;
    for (std::size_t at = 0; at < bytes.size();) {
        at += server_.take(bytes.substr(at));
        if (!server_.complete()) continue;
        const bool committed = server_.type() == 'C' && server_.body.starts_with("COMMIT");
        const bool query_over = server_.type() == 'Z';
        if (copies_left_ == 0 && (committed || query_over)) {
            answered = true;
            copies_left_ = -1;
        }
        server_.next();
    }
    return answered;
}

}  // namespace tickd::test
