// Follows one PostgreSQL connection of tickd as it passes, to know when COMMIT has left the client
// and when the server has answered it. Protocol 3, without TLS or GSS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tickd::test {

// Counts the whole messages of a server's side of a connection.
class pg_message_count {
public:
    // The next bytes, up to the end of `messages_max` more messages at most. How many it took.
    std::size_t take(std::string_view bytes, std::uint64_t messages_max);
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

private:
    std::string header_;
    std::size_t left_ = 0;
    std::uint64_t messages_ = 0;
};

class pg_wire_watch {
public:
    pg_wire_watch() { client_.typeless = true; }

    // The client's next bytes. Where in them the message ends after which the server will commit,
    // if that is here: the end of the last COPY of a query that holds COMMIT, or the query itself
    // when it has no COPY.
    [[nodiscard]] std::optional<std::size_t> client_sends(std::string_view bytes);
    // The server's next bytes. True: with them the query that holds COMMIT is answered.
    [[nodiscard]] bool server_sends(std::string_view bytes);

private:
    // Cuts a stream into messages; keeps the text of those that matter.
    struct stream {
        std::string header;  // type and length, as far as it has come
        std::string body;    // of a query or of a command's completion
        std::size_t left = 0;
        bool in_body = false;
        bool typeless = false;  // the client's first message has no type
        // Takes bytes up to a message's end at most. Their number.
        std::size_t take(std::string_view bytes);
        [[nodiscard]] bool complete() const noexcept { return in_body && left == 0; }
        [[nodiscard]] char type() const noexcept { return typeless ? '\0' : header[0]; }
        void next();
    };
    [[nodiscard]] bool commit_leaves();

    stream client_, server_;
    int copies_left_ = -1;  // of the query that holds COMMIT; -1: there is none under way
};

}  // namespace tickd::test
