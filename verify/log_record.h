// The records of the log: what one entry of the tree commits to, as text.
//
//   ual-seg/v1                          ual-genesis/v1      ual-heartbeat/v1    ual-key/v1
//   origin <log>                        origin <log>        origin <log>        origin <log>
//   index <n>                           index 0             index <n>           index <n>
//   tenant <uuid or ->                  row ual-row/v1      time <us>           vkey <new key>
//   tseq <n, from 1>                    time <us>           nonce <32 hex>      from_index <n>
//   tprev <64 hex>                      nonce <32 hex>                          time <us>
//   ids <first> <count>                                                         nonce <32 hex>
//   root <64 hex>
//   src <producer> <after> <newest>  (any number)
//   writer <name> <epoch>
//   time <us since 1970>
//   nonce <32 hex>
//
// A key record's successor signs every checkpoint of a size larger than from_index, which is index
// + 1. ASCII, LF, keys in this order, one space between words, numbers without leading zeros.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/sha256.h"

namespace verify {

inline constexpr std::size_t record_bytes_max = 1024 * 1024;

enum class record_kind : std::uint8_t { batch, genesis, heartbeat, key, other };

// What the column `kind` says.
[[nodiscard]] std::string_view to_string(record_kind kind) noexcept;

// A producer's watermark before and behind the commit.
struct source_range {
    std::string name;
    std::int64_t after = 0, newest = 0;
};

struct log_record {
    record_kind kind = record_kind::other;
    std::string origin;
    std::int64_t index = 0;
    std::int64_t time_us = 0;  // since 1970; a claim of the writer

    // A batch's.
    std::optional<std::string> tenant;  // 16 bytes; nothing: `-`
    std::int64_t tenant_sequence = 0;
    digest previous{};  // entry of this tenant's record before, zeros for its first
    std::int64_t first_id = 0, row_count = 0;
    digest root{};
    std::vector<source_range> sources;
    std::string writer;
    std::int64_t epoch = 0;

    std::string row_format;       // a genesis'
    std::string new_key;          // a key's: the vkey that signs from now on
    std::int64_t from_index = 0;  // a key's
};

// The record, or what is wrong with the text. Kinds that this version does not know are read as
// far as origin and index.
[[nodiscard]] std::expected<log_record, std::string> parse_record(std::string_view text);

}  // namespace verify
