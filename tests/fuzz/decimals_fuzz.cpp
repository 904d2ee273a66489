// Any token is a decimal or none; what is read is below its limit, and its text reads as itself.
#include "ingest/decimal.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using ingest::decimal_error;
    const std::string_view token = tickd_fuzz::text_of(data, size);
    for (const auto limit : {ingest::price_limit, ingest::volume_limit}) {
        const auto exact = ingest::parse_decimal(token, ingest::excess_digits::reject, limit);
        const auto rounded = ingest::parse_decimal(token, ingest::excess_digits::round, limit);
        if (exact.error == decimal_error::none) {
            tickd_fuzz::require(exact.value < limit && exact.value > -limit);
            tickd_fuzz::require(rounded.error == decimal_error::none &&
                                rounded.value == exact.value);
            const auto again = ingest::parse_decimal(ingest::to_text(exact.value),
                                                     ingest::excess_digits::reject, limit);
            tickd_fuzz::require(again.error == decimal_error::none && again.value == exact.value);
        } else {
            tickd_fuzz::require(exact.value == 0);
        }
        // Rounding helps nothing but excess.
        if (exact.error != decimal_error::none && exact.error != decimal_error::too_precise) {
            tickd_fuzz::require(rounded.error == exact.error);
        }
    }
    return 0;
}
