// A whole block as bytes, for the spool: everything the writer needs to commit it later, in another
// process, perhaps of a newer version. Little-endian, explicit widths, no padding; docs/delivery.md
// draws it. The reader trusts nothing: whatever the bytes are, it answers with a block or refuses.
#pragma once

#include <string_view>

#include "ingest/block.h"
#include "ingest/byte_buffer.h"

namespace ingest {

class block_codec {
public:
    // Written first; a reader refuses versions it does not know.
    static constexpr std::uint16_t version = 1;

    // Appends the block.
    static void encode(const block& from, byte_buffer& out);

    // Replaces `into` by what `bytes` hold, all of them. False: they are no block, and `into` is
    // empty.
    [[nodiscard]] static bool decode(std::string_view bytes, block& into);
};

}  // namespace ingest
