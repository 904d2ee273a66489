// What of a connection can be tried without a server.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "daemon/db/pg_connection.h"

using namespace tickd;

namespace {

pg_error refusal(const pg_target& target) {
    const auto connection = pg_connection::connect(target);
    REQUIRE_FALSE(connection.has_value());
    return connection.error();
}

// A file that goes with the test.
struct password_file {
    std::string path =
        (std::filesystem::temp_directory_path() / ("tickd-password-" + std::to_string(::getpid())))
            .string();
    explicit password_file(const std::string& content) {
        std::ofstream(path, std::ios::binary) << content;
    }
    ~password_file() { std::remove(path.c_str()); }
};

}  // namespace

TEST_CASE("a server that is not there is one line, and a lost connection") {
    pg_target target;
    target.conninfo = "host=/nonexistent dbname=tickd";
    const pg_error error = refusal(target);
    CHECK(error.connection_lost);
    CHECK(error.sqlstate.empty());
    CHECK(error.message.find("/nonexistent") != std::string::npos);
    CHECK(error.message.find_first_of("\n\t") == std::string::npos);
}

TEST_CASE("a password file that cannot serve is refused before anything is dialled") {
    pg_target target;
    target.conninfo = "host=/nonexistent";
    target.password_file = "/nonexistent/password";
    CHECK(refusal(target).message == "cannot read the password file /nonexistent/password");
    for (const std::string& content : {std::string(), std::string("\n"), std::string("a\0b", 3)}) {
        const password_file file(content);
        target.password_file = file.path;
        CHECK(refusal(target).message == "no usable password in " + file.path);
    }
    // One that can is not in the message of what fails next.
    const password_file file("correct horse\n");
    target.password_file = file.path;
    const std::string message = to_text(refusal(target));
    CHECK(message.find("/nonexistent") != std::string::npos);
    CHECK(message.find("horse") == std::string::npos);
}

TEST_CASE("an error is told with its state and its detail") {
    pg_error error;
    error.message = "permission denied";
    CHECK(to_text(error) == "permission denied");
    error.sqlstate = "42501";
    CHECK(to_text(error) == "permission denied (SQLSTATE 42501)");
    error.detail = "ask";
    CHECK(to_text(error) == "permission denied (SQLSTATE 42501): ask");
}

TEST_CASE("literals survive quotes and backslashes") {
    CHECK(quote_literal("") == "E''");
    CHECK(quote_literal("it's") == "E'it''s'");
    CHECK(quote_literal("a\\b") == "E'a\\\\b'");
}
