// Memory that writing JSON in normal form reuses from one value to the next.
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/byte_buffer.h"

namespace ingest {

// One per thread. Each user leaves the stacks as it found them; their memory stays.
struct json_scratch {
    struct member {
        std::uint64_t key_prefix;  // orders keys of one length by their first bytes
        std::uint32_t key_length;
        std::uint32_t key_offset;  // of the key's decoded bytes: in `keys`, or in the object's text
        std::uint32_t text_offset;  // of `"key": value`, from the object's begin
        std::uint32_t text_length;  // set when the object is sorted
        bool key_in_keys;
    };
    std::vector<member> members;  // a stack: each open object's members lie above its parent's
    byte_buffer keys;             // a stack likewise, of the keys that are written with escapes
    byte_buffer sorted;           // one object's members in order, before they are copied back
};

}  // namespace ingest
