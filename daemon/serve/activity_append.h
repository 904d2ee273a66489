// The statement that puts a batch's activity runs into the log's tree, within the batch's own
// transaction.
#pragma once

#include <cstdint>
#include <string>

#include "ingest/batch.h"

namespace tickd {

// Empty when the batch has no events. They must be numbered. `time_us`: the writer's claim, since
// 1970. Draws a fresh nonce for each record; throws std::runtime_error when there is no randomness.
[[nodiscard]] std::string append_call(const ingest::batch& rows, std::uint32_t lane,
                                      std::int64_t epoch, std::int64_t time_us);

// Sixteen random bytes in hex: they keep a record from being guessed by its hash.
[[nodiscard]] std::string fresh_nonce();

}  // namespace tickd
