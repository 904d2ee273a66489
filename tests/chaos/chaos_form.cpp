#include "tests/chaos/chaos_form.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace tickd::test {

namespace {

// 0: not set, or no number.
std::uint64_t number_from(const char* variable) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

}  // namespace

bool long_form() {
    const char* const asked = std::getenv("TICKD_TEST_LONG");
    return asked != nullptr && std::string_view(asked) == "1";
}

int how_many(int brief, int in_ten_minutes) {
    if (!long_form()) return brief;
    const std::uint64_t minutes = number_from("TICKD_TEST_MINUTES");
    if (minutes == 0) return std::max(brief, in_ten_minutes);
    const std::uint64_t scaled = static_cast<std::uint64_t>(in_ten_minutes) * minutes / 10;
    return std::max(brief, static_cast<int>(scaled));
}

std::uint64_t chaos_seed() {
    static const std::uint64_t seed = [] {
        const std::uint64_t given = number_from("TICKD_TEST_SEED");
        const std::uint64_t made = given != 0 ? given : std::random_device{}();
        std::fprintf(stderr, "seed %llu (TICKD_TEST_SEED repeats it)\n",
                     static_cast<unsigned long long>(made));
        return made;
    }();
    return seed;
}

void chaos_luck::pass_time(std::uint64_t most_ms) {
    std::this_thread::sleep_for(std::chrono::microseconds(between(0, 1000 * most_ms)));
}

void tell(const std::string& progress) {
    if (long_form()) std::fprintf(stderr, "  %s\n", progress.c_str());
}

}  // namespace tickd::test
