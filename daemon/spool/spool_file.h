// One file of a spool, and how it is read. All numbers are little-endian:
//
//   file    "tickd spool 1\n" | identity, 16 bytes | u32 crc of both
//           entry | entry | ...
//   entry   "TKSB" | u32 bytes of payload | i64 number | u8 has_doubt | i64 doubt epoch
//           | i64 doubt number | u32 payload crc | u32 header crc | payload (ingest/block_codec.h)
//
// The checksums are zlib's crc32. A header's begins with the identity and covers what stands before
// it but the magic; a payload's begins with the identity and the number. So an entry counts only in
// the spool and under the number it was written for, a producer who does not know the identity
// cannot send bytes that pass for an entry, and where a header is good its length can be trusted:
// an entry that runs over the file's end was torn, and one with a bad payload can be stepped over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/send/unique_fd.h"
#include "ingest/byte_buffer.h"
#include "ingest/lane_spool.h"

namespace tickd {

inline constexpr std::size_t spool_file_header_bytes = 34;
inline constexpr std::size_t spool_entry_header_bytes = 41;

[[nodiscard]] std::array<char, spool_file_header_bytes> spool_file_header(
    const ingest::uuid& identity);

enum class spool_header_state : std::uint8_t {
    good,
    newer,  // good, but of a format that only a newer version of tickd knows
    too_short,
    damaged,
};

// Reads a file's first bytes; `identity` is set when they are good.
[[nodiscard]] spool_header_state read_spool_file_header(std::string_view bytes,
                                                        ingest::uuid& identity);

// Writes an entry's header to `out`, which has room for spool_entry_header_bytes. The payload has
// less than 4 GiB.
void write_spool_entry_header(const ingest::uuid& identity, const ingest::spool_entry& entry,
                              std::string_view payload, char* out);

// Reads the entries of one file in order, in bounded memory: one header at a time, and a payload
// when it is asked for. Sees what is appended meanwhile. One thread.
class spool_reader {
public:
    enum class found : std::uint8_t {
        entry,        // entry() is there, its payload not yet read
        damage,       // skipped() bytes that are no entry; there is more behind them
        end,          // nothing is left; asked again, looks again
        torn,         // skipped() bytes of an entry that was never finished; nothing behind them
        damaged_end,  // skipped() bytes that are no entry; nothing behind them
        unreadable,   // the disk gives an error (errno)
    };

    // `file` stands behind a spool_file_header of this identity.
    spool_reader(unique_fd file, const ingest::uuid& identity);

    [[nodiscard]] found next();
    // Of the entry found last.
    [[nodiscard]] const ingest::spool_entry& entry() const noexcept { return entry_; }
    // Its payload, replacing what `into` held. False: it is damaged or cannot be read.
    [[nodiscard]] bool payload(ingest::byte_buffer& into) const;
    // Of what was found last, in the file.
    [[nodiscard]] std::uint64_t offset() const noexcept { return found_at_; }
    [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }

private:
    [[nodiscard]] bool take_header(std::string_view bytes);
    [[nodiscard]] found find_next(std::uint64_t size);
    [[nodiscard]] found end_of_file(std::uint64_t size);
    // Steps over the bytes up to `to`.
    void skip_to(std::uint64_t to) noexcept;

    unique_fd file_;
    ingest::uuid identity_;
    std::uint64_t next_at_ = spool_file_header_bytes;
    std::uint64_t found_at_ = 0;
    std::uint64_t skipped_ = 0;
    ingest::spool_entry entry_;
    std::uint32_t payload_bytes_ = 0;
    std::uint32_t payload_crc_ = 0;
    ingest::byte_buffer window_;  // of the search behind damage
};

}  // namespace tickd
