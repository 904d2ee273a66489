// Prints what a day of a symbol was like, from all of its ticks: how to read ticks in C++.
//
//     read_ticks CONNINFO SYMBOL FROM TO      times as 2014-05-01T00:00:00Z
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "clients/cpp/tick_reader.h"
#include "ingest/timestamp.h"

int main(int count, char** arguments) {
    if (count != 5) {
        std::fprintf(stderr, "usage: read_ticks CONNINFO SYMBOL FROM TO\n");
        return 64;
    }
    const auto from = ingest::parse_rfc3339(arguments[3]);
    const auto to = ingest::parse_rfc3339(arguments[4]);
    if (from.error != ingest::time_error::none || to.error != ingest::time_error::none) {
        std::fprintf(stderr, "read_ticks: times are written as 2014-05-01T00:00:00Z\n");
        return 64;
    }
    auto reader = tickd::client::tick_reader::connect(arguments[1]);
    if (!reader) {
        std::fprintf(stderr, "read_ticks: %s\n", reader.error().message.c_str());
        return 69;
    }
    ingest::tick_columns ticks;
    const auto begin = std::chrono::steady_clock::now();
    const auto read = reader->read(arguments[2], from.unix_us, to.unix_us, {}, ticks);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (!read) {
        std::fprintf(stderr, "read_ticks: %s\n", read.error().message.c_str());
        return 69;
    }
    std::printf("%zu ticks in %.1f ms\n", *read, took.count());
    if (*read == 0) return 0;

    // Columns are plain vectors; `bid[i]` works whatever the prices' size.
    ingest::int128 lowest = ticks.bid[0], highest = ticks.ask[0], sum = 0;
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        lowest = std::min(lowest, ticks.bid[i]);
        highest = std::max(highest, ticks.ask[i]);
        sum += ticks.mid[i];
    }
    const auto print = [](const char* what, ingest::int128 price) {
        std::printf("%-12s %s\n", what, ingest::to_text(price).c_str());
    };
    std::printf("%-12s %s\n", "first", ingest::to_rfc3339(ticks.time_us.front()).c_str());
    std::printf("%-12s %s\n", "last", ingest::to_rfc3339(ticks.time_us.back()).c_str());
    print("lowest bid", lowest);
    print("highest ask", highest);
    print("mean mid", sum / static_cast<ingest::int128>(ticks.size()));
    return 0;
}
