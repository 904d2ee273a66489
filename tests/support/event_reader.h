// A reader of server-sent events, with nothing between the test and the bytes.
#pragma once

#include <optional>
#include <string>

#include "tests/support/http_client.h"
#include "tests/support/tcp_client.h"

namespace tickd::test {

class event_reader {
public:
    // Asks for `path` and waits for the head of the answer. `more`: further headers, each with its
    // line end.
    event_reader(const std::string& address, const std::string& path, const std::string& more = {});

    // The answer's head.
    [[nodiscard]] const http_answer& answer() const noexcept { return answer_; }
    // The next event's data. Nothing: the stream has ended, or says nothing any more.
    [[nodiscard]] std::optional<std::string> next();
    [[nodiscard]] tcp_client& connection() noexcept { return connection_; }

private:
    // Takes what stands before the next blank line.
    [[nodiscard]] std::optional<std::string> take_until(const std::string& mark);

    tcp_client connection_;
    std::string received_;
    http_answer answer_;
};

}  // namespace tickd::test
