// dev/lib/compare_benchmarks.py, which decides whether dev/bench-compare fails.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"

namespace {

using namespace tickd::test;

std::string result_of(double frame_ns, double parse_us) {
    return std::format(
        R"({{"benchmarks":[{{"name":"frame","run_type":"iteration","cpu_time":{},"time_unit":"ns"}},)"
        R"({{"name":"frame_mean","run_type":"aggregate","cpu_time":1,"time_unit":"ns"}},)"
        R"({{"name":"parse","run_type":"iteration","cpu_time":{},"time_unit":"us"}}]}})",
        frame_ns, parse_us);
}

ended_process compare(const temporary_folder& folder, const std::string& threshold) {
    return run_program({"python3", TICKD_SOURCE_DIR "/dev/lib/compare_benchmarks.py", "--threshold",
                        threshold, folder.file(".")});
}

TEST_CASE("a benchmark that takes longer in the median of the rounds fails", "[bench]") {
    const temporary_folder folder;
    // frame: ratios 1.0, 1.3, 1.2; parse: 0.5, 3.0, 0.9.
    static_cast<void>(folder.write("before-1.json", result_of(100, 10)));
    static_cast<void>(folder.write("after-1.json", result_of(100, 5)));
    static_cast<void>(folder.write("before-2.json", result_of(100, 10)));
    static_cast<void>(folder.write("after-2.json", result_of(130, 30)));
    static_cast<void>(folder.write("before-3.json", result_of(200, 10)));
    static_cast<void>(folder.write("after-3.json", result_of(240, 9)));

    const ended_process slower = compare(folder, "10");
    CAPTURE(slower.out, slower.err);
    CHECK(slower.exit_code == 1);
    CHECK(slower.out.contains("1.20x  1.00 to 1.30  SLOWER"));
    CHECK(slower.out.contains("0.90x  0.50 to 3.00\n"));
    CHECK_FALSE(slower.out.contains("frame_mean"));
    CHECK(slower.out.contains("1 of 2 take more than 10 % longer"));

    const ended_process within = compare(folder, "25");
    CHECK(within.exit_code == 0);
    CHECK_FALSE(within.out.contains("SLOWER"));
}

TEST_CASE("without a benchmark in both there is nothing to say", "[bench]") {
    const temporary_folder folder;
    CHECK(compare(folder, "10").exit_code == 2);
    static_cast<void>(folder.write("before-1.json", R"({"benchmarks":[]})"));
    static_cast<void>(folder.write("after-1.json", result_of(1, 1)));
    CHECK(compare(folder, "10").exit_code == 2);
}

}  // namespace
