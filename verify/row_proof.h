// A proof that one row is in the log, which is checked without a database: a C2SP tlog-proof of
// the row's record, with the row and its place in the batch as extra data.
//
//   c2sp.org/tlog-proof@v1
//   extra <base64 of the text below>       ual-row-proof/v1
//   index <record's index>                 row <base64: int16 10 and the ten fields, COPY BINARY>
//   <base64 of a digest>                   position <place in the batch, from 0>
//   ...                                    path <base64 of a digest>     (any number)
//                                          record <base64 of its text>
//   <checkpoint, a signed note>
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "verify/log_record.h"
#include "verify/signed_note.h"

namespace verify {

inline constexpr std::size_t proof_bytes_max = 64 * 1024 * 1024;

struct row_proof {
    std::string row;  // int16 10 and the ten fields
    std::int64_t position = 0;
    std::vector<digest> batch_path;
    std::string record;
    std::int64_t index = 0;
    std::vector<digest> log_path;
    std::string checkpoint;  // the note
};

[[nodiscard]] std::string to_text(const row_proof& proof);
[[nodiscard]] std::expected<row_proof, std::string> parse_row_proof(std::string_view text);

// What a good proof shows.
struct proven_row {
    std::int64_t id = 0;
    digest hash{};
    log_record record;
    checkpoint note;
    std::vector<std::string> fields;  // as words; `NULL` where there is none
};
// Or the first step that does not hold.
[[nodiscard]] std::expected<proven_row, std::string> check_row_proof(const row_proof& proof,
                                                                     const verifier_key& key);

}  // namespace verify
