// COPY BINARY as the server sends it: a header, tuples, a trailer, in pieces of any length.
//
//   "PGCOPY\n\xff\r\n\0" | int32 flags | int32 length of an extension | the extension
//   per tuple: int16 number of fields | per field: int32 length, or -1 for NULL | bytes
//   int16 -1
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

using copy_field = std::optional<std::string_view>;  // nothing: NULL

// One row of a query. The views live until the reader is given more bytes.
struct copy_tuple {
    std::vector<copy_field> fields;
    std::string_view bytes;  // the fields, each with its length: what follows the count
    // Where the field at this place begins in `bytes`, its length included.
    std::vector<std::size_t> starts;
};

// One thread at a time.
class copy_reader {
public:
    explicit copy_reader(std::size_t field_count) : field_count_(field_count) {}

    // The next piece of the stream, which stays the caller's until keep().
    void give(std::string_view bytes);
    // Copies what the pieces so far left incomplete.
    void keep();
    // The next whole tuple; null: more bytes are needed, or it is over, or it is wrong.
    [[nodiscard]] const copy_tuple* next();
    // The trailer has come, and nothing behind it.
    [[nodiscard]] bool ended() const noexcept { return ended_ && rest_.empty(); }
    // The bytes are no COPY BINARY of so many fields.
    [[nodiscard]] bool wrong() const noexcept { return wrong_; }

private:
    [[nodiscard]] bool take_header();
    [[nodiscard]] bool parse(std::string_view from, std::size_t& taken);

    std::size_t field_count_;
    bool header_taken_ = false, ended_ = false, wrong_ = false;
    std::string kept_;       // an incomplete end, and what was added to it
    std::string_view rest_;  // into kept_ or into the caller's piece
    copy_tuple tuple_;
};

// Big-endian integers of a field; nothing for NULL and for other lengths.
[[nodiscard]] std::optional<std::int64_t> int8_of(const copy_field& field);
[[nodiscard]] std::optional<std::int32_t> int4_of(const copy_field& field);
// The elements of a one-dimensional bytea[] without NULLs; nothing for anything else.
[[nodiscard]] std::optional<std::vector<std::string_view>> bytea_array_of(const copy_field& field);

}  // namespace verify
