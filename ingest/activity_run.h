// The events of one tenant in a batch, under ids that follow one another: what one record of the
// activity log speaks for. Gathered while the rows are encoded.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/merkle.h"
#include "ingest/uuid.h"

namespace ingest {

struct producer_share;

struct activity_run {
    const uuid* tenant = nullptr;  // null: none; inside one of the batch's blocks
    std::int64_t first_id = 0;
    std::uint32_t count = 0;
    sha256_digest root{};  // RFC 6962, over the rows' hashes in order of id
    std::string sources;   // `src` lines of the acked producers it has events of
};

class activity_runs {
public:
    void clear() noexcept;
    // What follows is of this tenant.
    void begin(const uuid* tenant, std::int64_t first_id);
    // The next row: its hash, and the lane's number of its producer (0: a plain session).
    void add(const sha256_digest& row_hash, std::uint32_t producer, sha256& hash);
    // The run is whole.
    void end(std::span<const producer_share> producers, sha256& hash);

    [[nodiscard]] std::span<const activity_run> all() const noexcept { return runs_; }

private:
    std::vector<activity_run> runs_;
    merkle_tree tree_;
    std::vector<std::uint32_t> from_;  // producers of the run so far, each once
};

// A producer's name as one word: what is no visible ASCII character, and the percent sign, as %XX.
[[nodiscard]] std::string word_of_producer(std::string_view name);

}  // namespace ingest
