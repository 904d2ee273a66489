// A record parser for tests. Each line is given to it in memory of exactly its size and padding, so
// that AddressSanitizer sees a read beyond, and with several paddings, which must not matter.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ingest/record_parser.h"

namespace tickd_test {

// 2024-08-08T23:54:15Z.
inline constexpr std::int64_t now_us = 1'723'161'255'000'000;

struct parsed {
    ingest::refusal why;
    ingest::record out;  // texts are good until the next line

    [[nodiscard]] bool is(ingest::verdict reason, std::string_view field = {}) const {
        return why.reason == reason && why.field == field;
    }
};

class line_parser {
public:
    explicit line_parser(std::size_t line_bytes_max = ingest::limits::line_bytes_default)
        : parser_(line_bytes_max) {}

    ingest::record_rules rules;
    ingest::optional_text source;

    [[nodiscard]] parsed parse(std::string_view line, char padding = '\n') {
        // Without a bound, g++ at -O2 takes the sum for one that may wrap, and warns of the fill.
        if (line.size() > std::size_t{1} << 30U) throw std::length_error("a test line over 1 GiB");
        const std::size_t size = line.size() + ingest::line_padding_bytes;
        bytes_ = std::make_unique<char[]>(size);
        std::fill_n(bytes_.get(), size, padding);
        std::ranges::copy(line, bytes_.get());
        parsed result;
        result.why = parser_.parse({bytes_.get(), line.size()}, rules, source, now_us, result.out);
        return result;
    }

    // The same, checked to be the same whatever lies behind the line.
    [[nodiscard]] parsed parse_padded(std::string_view line) {
        const parsed first = parse(line, '}');
        for (const char padding : {']', ',', ':', '"', '{', '1', '\0', '\xff', '\n'}) {
            const parsed other = parse(line, padding);
            if (other.why.reason != first.why.reason || other.why.field != first.why.field ||
                other.out.seq != first.out.seq) {
                FAIL("padding " << int{padding} << " changes " << line);
            }
        }
        return parse(line);
    }

    // The verdict alone.
    [[nodiscard]] ingest::verdict verdict_of(std::string_view line) {
        return parse_padded(line).why.reason;
    }

private:
    ingest::record_parser parser_;
    std::unique_ptr<char[]> bytes_;
};

// A tick with `members` added, each as `,"key":value`.
[[nodiscard]] inline std::string tick_with(std::string_view members) {
    return R"({"type":"tick","symbol":"EURUSD","bid":1.5,"ask":1.75)" + std::string(members) + "}";
}
[[nodiscard]] inline std::string activity_with(std::string_view members) {
    return R"({"type":"activity","action_type":"order","action_payload":{"n":1})" +
           std::string(members) + "}";
}

}  // namespace tickd_test
