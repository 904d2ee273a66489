// All records of an activity log, one after the other: whether each may stand where it stands, and
// the root of the tree over them.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "ingest/activity_record.h"
#include "ingest/merkle.h"

namespace ingest {

class activity_chain {
public:
    // Takes the next record, or says what is wrong with it; then the chain is of no further use.
    [[nodiscard]] std::expected<activity_record, std::string> add(std::string_view text);

    [[nodiscard]] std::int64_t size() const noexcept {
        return static_cast<std::int64_t>(tree_.size());
    }
    [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
    [[nodiscard]] sha256_digest root() { return tree_.root(hash_); }

private:
    struct tenant_head {
        std::int64_t tseq = 0;
        std::string last = std::string(64, '0');
    };
    [[nodiscard]] std::string wrong_with_rows(const activity_record& record);

    sha256 hash_;
    merkle_tree tree_;
    std::string origin_;
    std::map<uuid, tenant_head> tenants_;       // the nil UUID: no tenant
    std::map<std::int64_t, std::int64_t> ids_;  // first to one past the last; neighbours joined
};

}  // namespace ingest
