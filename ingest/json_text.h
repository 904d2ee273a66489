// Reads JSON text strictly (RFC 8259) and writes it in normal form, in one pass and without a
// parser's tree. Text must be UTF-8: the caller has checked that, nothing here does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ingest/byte_buffer.h"
#include "ingest/json_object.h"
#include "ingest/json_scratch.h"
#include "ingest/verdict.h"

namespace ingest {

// One text. Use it once: after a verdict other than accepted it stands anywhere, and `out` holds
// a part. Depths count the levels of arrays and objects still allowed.
class json_text {
public:
    // Refuses with value_too_long once `out` is larger than `out_size_max`.
    json_text(std::string_view text, json_scratch& scratch, byte_buffer& out,
              std::size_t out_size_max) noexcept
        : at_(text.data()),
          end_(text.data() + text.size()),
          scratch_(scratch),
          out_(out),
          out_size_max_(out_size_max) {}

    // One value, and nothing but white space around it.
    [[nodiscard]] verdict whole_value(std::uint32_t depth_max);
    // One object, and nothing but white space around it: its members go to `object`.
    [[nodiscard]] verdict whole_members(object_builder& object, std::uint32_t depth_max);
    // The same for the object that the text begins with; `rest` is set to what is behind it.
    [[nodiscard]] verdict first_members(object_builder& object, std::uint32_t depth_max,
                                        const char*& rest);

private:
    [[nodiscard]] verdict value(std::uint32_t depth_max);
    [[nodiscard]] verdict array(std::uint32_t depth_max);
    [[nodiscard]] verdict object(std::uint32_t depth_max);
    [[nodiscard]] verdict members(object_builder& object, std::uint32_t depth_max);
    [[nodiscard]] verdict member(object_builder& object, std::uint32_t depth_max);
    [[nodiscard]] verdict word(std::string_view expected);
    [[nodiscard]] verdict nothing_left() noexcept;
    void skip_white() noexcept;
    // Passes over white space and then `c`, if that is what follows.
    [[nodiscard]] bool take(char c) noexcept;

    const char* at_;
    const char* const end_;
    json_scratch& scratch_;
    byte_buffer& out_;
    const std::size_t out_size_max_;
};

}  // namespace ingest
