#include "tests/support/event_reader.h"

#include <format>
#include <stdexcept>

namespace tickd::test {

event_reader::event_reader(const std::string& address, const std::string& path,
                           const std::string& more)
    : connection_(address) {
    connection_.send(std::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, more));
    const auto head = take_until("\r\n\r\n");
    if (head) answer_ = parse_http(*head + "\r\n\r\n");
}

std::optional<std::string> event_reader::next() {
    auto event = take_until("\n\n");
    if (!event) return std::nullopt;
    constexpr std::string_view field = "data: ";
    if (!event->starts_with(field)) throw std::runtime_error("no event: " + *event);
    return event->substr(field.size());
}

std::optional<std::string> event_reader::take_until(const std::string& mark) {
    std::size_t end = 0;
    while ((end = received_.find(mark)) == std::string::npos) {
        const auto part = connection_.read_some();
        if (!part || part->empty()) return std::nullopt;
        received_ += *part;
    }
    std::string taken = received_.substr(0, end);
    received_.erase(0, end + mark.size());
    return taken;
}

}  // namespace tickd::test
