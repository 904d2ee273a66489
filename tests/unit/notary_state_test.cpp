#include "daemon/notary/notary_state.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/daemon_process.h"

using namespace tickd;

namespace {

checkpoint head_of(std::int64_t size) {
    checkpoint head{.origin = "example.com/log", .size = size, .root = {}};
    head.root.fill(static_cast<unsigned char>(size));
    return head;
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace

TEST_CASE("a state remembers its newest checkpoint", "[notary_state]") {
    const test::temporary_folder folder;
    const std::string path = folder.file("state");
    for (std::int64_t size = 1; size <= 3; ++size) {
        auto state = notary_state::open(path);
        REQUIRE(state);
        if (size == 1) CHECK_FALSE(state->newest());
        if (size > 1) CHECK(state->newest() == head_of(size - 1));
        REQUIRE(state->append(head_of(size)));
        CHECK(state->newest() == head_of(size));
    }
}

TEST_CASE("two notaries do not share a state", "[notary_state]") {
    const test::temporary_folder folder;
    const auto first = notary_state::open(folder.file("state"));
    REQUIRE(first);
    CHECK_FALSE(notary_state::open(folder.file("state")));
    CHECK_FALSE(notary_state::open(folder.file("none/state")));
}

TEST_CASE("a torn last line is cut, any other damage is refused", "[notary_state]") {
    const test::temporary_folder folder;
    const std::string path = folder.file("state");
    {
        auto state = notary_state::open(path);
        REQUIRE(state);
        for (std::int64_t size = 1; size <= 3; ++size) REQUIRE(state->append(head_of(size)));
    }
    const std::string whole = content_of(path);
    const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
    for (std::size_t cut = last; cut < whole.size(); ++cut) {
        write(path, whole.substr(0, cut));
        auto state = notary_state::open(path);
        REQUIRE(state);
        REQUIRE(state->newest() == head_of(2));
        REQUIRE(state->append(head_of(3)));
        REQUIRE(content_of(path) == whole);
    }
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string changed = whole;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        write(path, changed);
        const auto state = notary_state::open(path);
        CAPTURE(bit);
        // The origin's letters are checked against the log itself, and an end that is no newline
        // any more looks torn.
        if (state && state->newest() && state->newest()->origin == head_of(3).origin) {
            REQUIRE(bit / 8 == whole.size() - 1);
            REQUIRE(state->newest() == head_of(2));
        }
    }
}
