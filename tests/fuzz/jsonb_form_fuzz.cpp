// Any JSON has one normal form, which is its own.
#include <memory>
#include <string>

#include "ingest/byte_buffer.h"
#include "ingest/json_normal_form.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static ingest::json_normalizer former;
    ingest::byte_buffer once, twice;
    const auto verdict = former.normalize(tickd_fuzz::text_of(data, size), 128, once);
    if (verdict != ingest::verdict::accepted) return 0;
    const std::string form(once.view());
    if (former.normalize(form, 128, twice) == ingest::verdict::accepted) {
        tickd_fuzz::require(twice.view() == form);
    } else {
        // Only a form near a bound may be beyond it when it is written out.
        tickd_fuzz::require(form.size() > size);
    }
    return 0;
}
