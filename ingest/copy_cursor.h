// Writes the fields of COPY BINARY: see copy_encode.h for the format.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ingest/block.h"
#include "ingest/byte_buffer.h"
#include "ingest/numeric_wire.h"
#include "ingest/timestamp.h"

namespace ingest {

// Writes into memory that the caller has made large enough.
class copy_cursor {
public:
    explicit copy_cursor(char* at) noexcept : at_(at) {}

    template <std::signed_integral Int>
    void number(Int value) noexcept {
        if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    void bytes(std::string_view text) noexcept {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }

    void null() noexcept { number(std::int32_t{-1}); }
    void length(std::size_t bytes) noexcept { number(static_cast<std::int32_t>(bytes)); }
    void text(std::string_view text) noexcept {
        length(text.size());
        bytes(text);
    }
    void text_or_null(const block& in, text_ref ref) noexcept {
        ref.present() ? text(in.text(ref)) : null();
    }
    void jsonb(std::string_view text) noexcept {
        length(text.size() + 1);
        *at_++ = 1;
        bytes(text);
    }
    void jsonb_or_null(const block& in, text_ref ref) noexcept {
        ref.present() ? jsonb(in.text(ref)) : null();
    }
    void int2(std::int16_t value) noexcept {
        length(sizeof value);
        number(value);
    }
    void int4(std::int32_t value) noexcept {
        length(sizeof value);
        number(value);
    }
    void int8(std::int64_t value) noexcept {
        length(sizeof value);
        number(value);
    }
    void timestamptz(std::int64_t unix_us) noexcept { int8(unix_us - pg_epoch_us); }
    void uuid_or_null(const uuid* id) noexcept {
        if (id == nullptr) return null();
        length(id->bytes.size());
        std::memcpy(at_, id->bytes.data(), id->bytes.size());
        at_ += id->bytes.size();
    }
    void numeric(int128 value) noexcept {
        const std::size_t bytes = encode_numeric(value, at_ + sizeof(std::int32_t));
        length(bytes);
        at_ += bytes;
    }

    [[nodiscard]] char* at() const noexcept { return at_; }

private:
    char* at_;
};

// Makes room for the longest form a row can take, lets `write` fill it and keeps what was used.
template <typename Write>
void append_copy_row(byte_buffer& out, std::size_t bytes_max, Write write) {
    out.reserve_more(bytes_max);
    copy_cursor to(out.data() + out.size());
    write(to);
    static_cast<void>(out.extend(static_cast<std::size_t>(to.at() - (out.data() + out.size()))));
}

}  // namespace ingest
