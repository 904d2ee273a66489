// Blocks for the tests of what is written to disk, and a way to compare them.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "ingest/block.h"

namespace tests {

// Block `number` of the producer `feed-a`: ten ticks whose sequences follow the block before.
[[nodiscard]] std::unique_ptr<ingest::block> numbered_block(std::int64_t number);
inline constexpr std::uint64_t rows_of_numbered_block = 10;

// Anything that a session thread may put into a block: ticks with extreme numbers, events, refused
// records, several producers and tenants. A few rows or up to `rows_max`.
void fill_randomly(ingest::block& to, std::mt19937_64& random, std::uint32_t rows_max);

// Everything that a writer reads of a block, as text; rows that are left out are left out.
[[nodiscard]] std::string describe(const ingest::block& from);

}  // namespace tests
