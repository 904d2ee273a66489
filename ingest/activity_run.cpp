#include "ingest/activity_run.h"

#include <algorithm>
#include <format>

#include "ingest/batch.h"

namespace ingest {

void activity_runs::clear() noexcept {
    runs_.clear();
    tree_.clear();
    from_.clear();
}

void activity_runs::begin(const uuid* tenant, std::int64_t first_id) {
    activity_run run;
    run.tenant = tenant;
    run.first_id = first_id;
    runs_.push_back(std::move(run));
    tree_.clear();
    from_.clear();
}

void activity_runs::add(const sha256_digest& row_hash, std::uint32_t producer, sha256& hash) {
    ++runs_.back().count;
    tree_.add(row_hash, hash);
    // Rows of one producer come in a row: the last one is nearly always the one.
    if (producer == 0 || (!from_.empty() && from_.back() == producer)) return;
    std::erase(from_, producer);
    from_.push_back(producer);
}

void activity_runs::end(std::span<const producer_share> producers, sha256& hash) {
    activity_run& run = runs_.back();
    run.root = tree_.root(hash);
    for (const producer_share& share : producers) {
        if (!std::ranges::contains(from_, share.producer)) continue;
        run.sources += std::format("src {} {} {}\n", word_of_producer(share.name),
                                   share.expected_seq, share.newest_seq);
    }
}

std::string word_of_producer(std::string_view name) {
    std::string word;
    for (const char c : name) {
        if (c > ' ' && c <= '~' && c != '%') {
            word += c;
        } else {
            word += std::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return word;
}

}  // namespace ingest
