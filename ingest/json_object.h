// One object's text while it is written: members in any order in, jsonb's order out.
//
// Members are appended as they come. While each key sorts behind the one before, that is already
// the final text and nothing is moved; otherwise the object is put in order once, when it closes.
#pragma once

#include <cstddef>

#include "ingest/byte_buffer.h"
#include "ingest/json_scratch.h"
#include "ingest/verdict.h"

namespace ingest {

// Objects nest like their lifetimes. The order of calls: begin_member, the key's literal appended
// by the caller, end_key, the value's text appended by the caller, ..., close.
class object_builder {
public:
    // The object begins where `out` ends now; nothing is written before the first member.
    object_builder(json_scratch& scratch, byte_buffer& out) noexcept;
    // Gives the scratch stacks back as they were.
    ~object_builder();
    object_builder(const object_builder&) = delete;
    object_builder& operator=(const object_builder&) = delete;

    [[nodiscard]] bool empty() const noexcept { return scratch_.members.size() == members_begin_; }

    void begin_member();
    // `escaped`: the literal has escapes. Verdicts: duplicate_key (found here only when the keys
    // come in order, else by close), value_too_long (limits::object_members_max).
    [[nodiscard]] verdict end_key(bool escaped);
    // The closing brace; sorts when needed. Verdict: duplicate_key.
    [[nodiscard]] verdict close();

private:
    using member = json_scratch::member;

    [[nodiscard]] const char* key_of(const member& m) const noexcept;
    [[nodiscard]] int compare(const member& left, const member& right) const noexcept;
    [[nodiscard]] verdict sort_members();

    json_scratch& scratch_;
    byte_buffer& out_;
    std::size_t out_begin_;
    std::size_t members_begin_;
    std::size_t keys_begin_;
    std::size_t text_begin_ = 0;  // of the member being written, from out_begin_
    bool ordered_ = true;
};

}  // namespace ingest
