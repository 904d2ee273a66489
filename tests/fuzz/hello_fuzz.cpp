// Any first line is a hello or none; one that is read can be written and read again.
#include "ingest/hello.h"
#include "ingest/limits.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view line = tickd_fuzz::text_of(data, size);
    const bool looks = ingest::looks_like_hello(line);
    const auto said = ingest::parse_hello(line);
    if (!said) {
        tickd_fuzz::require(!ingest::explain(said.error()).empty());
        return 0;
    }
    static_cast<void>(looks);
    std::string again = ingest::to_line(*said);
    again.pop_back();
    if (again.size() > ingest::limits::hello_bytes_max) return 0;  // Escapes made it longer.
    tickd_fuzz::require(ingest::looks_like_hello(again));
    const auto same = ingest::parse_hello(again);
    tickd_fuzz::require(same && same->producer == said->producer && same->ack == said->ack &&
                        same->token == said->token && same->source == said->source);
    return 0;
}
