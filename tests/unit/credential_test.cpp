#include <catch2/catch_test_macros.hpp>

#include "daemon/identity/credential.h"

using tickd::credential;
using tickd::matches;

TEST_CASE("a pattern without a star is a name") {
    CHECK(matches("feed-a", "feed-a"));
    CHECK_FALSE(matches("feed-a", "feed-ab"));
    CHECK_FALSE(matches("feed-a", "feed-"));
    CHECK_FALSE(matches("feed-a", ""));
    CHECK(matches("", ""));
    CHECK_FALSE(matches("", "a"));
}

TEST_CASE("a star stands for any characters or none, wherever it is") {
    CHECK(matches("*", ""));
    CHECK(matches("*", "anything"));
    CHECK(matches("feed-*", "feed-"));
    CHECK(matches("feed-*", "feed-eu-1"));
    CHECK_FALSE(matches("feed-*", "old-feed-1"));
    CHECK(matches("*-eu", "feed-eu-eu"));
    CHECK(matches("a*b*c", "aXbYbZc"));
    CHECK_FALSE(matches("a*b*c", "aXbYbZ"));
    CHECK(matches("**a**", "a"));
    // As much of each as there is, and the end does not fit: no more than the product of lengths.
    CHECK_FALSE(matches("*a*a*a*a*a*a*a*a*b", std::string(4000, 'a')));
}

TEST_CASE("a credential covers what it lists, or everything") {
    CHECK(credential{.name = {}, .tenant = {}, .producers = {}}.covers("any"));
    const credential some{.name = {}, .tenant = {}, .producers = {"feed-a", "eu-*"}};
    CHECK(some.covers("feed-a"));
    CHECK(some.covers("eu-3"));
    CHECK_FALSE(some.covers("feed-b"));
    CHECK_FALSE(some.covers(""));
}
