// Any line is either refused for a reason or a record whose texts and numbers are within their
// bounds.
#include <algorithm>
#include <memory>

#include "ingest/record_parser.h"
#include "ingest/utf8.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::int64_t now_us = 1'723'161'255'000'000;
    static ingest::record_parser parser(ingest::limits::line_bytes_default);
    static ingest::record out;
    if (size == 0 || size > ingest::limits::line_bytes_default) return 0;
    // Memory of exactly this size: a read beyond the padding is seen.
    const auto bytes = std::make_unique<char[]>(size + ingest::line_padding_bytes);
    std::ranges::copy(tickd_fuzz::text_of(data, size), bytes.get());
    ingest::record_rules rules;
    rules.future_limit_us = 3'600'000'000;
    const auto why = parser.parse({bytes.get(), size}, rules, {}, now_us, out);
    if (!why.accepted()) {
        tickd_fuzz::require(!ingest::to_string(why.reason).empty());
        return 0;
    }
    tickd_fuzz::require(!out.tenant);
    tickd_fuzz::require(out.time_us <= now_us + rules.future_limit_us);
    return 0;
}
