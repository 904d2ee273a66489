// Any payload of a spool is a block or none; what is read is written the same twice.

#include <string>

#include "daemon/spool/spool_file.h"
#include "ingest/block.h"
#include "ingest/block_codec.h"
#include "ingest/byte_buffer.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = tickd_fuzz::text_of(data, size);
    ingest::uuid identity;
    static_cast<void>(tickd::read_spool_file_header(bytes, identity));
    static ingest::block block;
    if (!ingest::block_codec::decode(bytes, block)) {
        tickd_fuzz::require(block.empty());
        return 0;
    }
    ingest::byte_buffer once, twice;
    ingest::block_codec::encode(block, once);
    static ingest::block again;
    tickd_fuzz::require(ingest::block_codec::decode(once.view(), again));
    ingest::block_codec::encode(again, twice);
    tickd_fuzz::require(once.view() == twice.view());
    block.reset();
    again.reset();
    return 0;
}
