// Any text is a time or none; what is read reads as itself when it is written.
#include "ingest/timestamp.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = tickd_fuzz::text_of(data, size);
    static_cast<void>(ingest::parse_epoch(text));
    const auto read = ingest::parse_rfc3339(text);
    if (read.error != ingest::time_error::none) return 0;
    const auto again = ingest::parse_rfc3339(ingest::to_rfc3339(read.unix_us));
    tickd_fuzz::require(again.error == ingest::time_error::none && again.unix_us == read.unix_us);
    return 0;
}
