// Levels 3 to 6 as far as they rest on checkpoints: those that the database keeps copies of, and
// those that somebody kept outside.
//
// The pinned key signs every size until a key record hands over to the next key: the checkpoint of
// exactly `from_index` carries the old key's signature, every larger one the new key's. A new key
// counts only if that checkpoint of the old key is there. Checkpoints before the pinned key's time
// are not judged.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "verify/finding.h"
#include "verify/log_check.h"
#include "verify/signed_note.h"

namespace verify {

// One thread at a time. Call take_outside for each, then take_stored in order of size, then finish.
class checkpoint_check {
public:
    // `log` is finished, has watched every size that is taken here, and stays the caller's.
    // Without a pinned key signatures are not looked at.
    checkpoint_check(const log_check& log, std::optional<verifier_key> pinned);

    // `where` names it in findings.
    void take_outside(std::string where, const checkpoint& kept);
    // A row of the database's copies.
    void take_stored(std::int64_t size_column, std::string_view note);
    // Without a greatest age level 6 is not looked at.
    void finish(std::int64_t now_us, std::optional<std::int64_t> age_max_us);

    // The newest checkpoint whose root is the log's and whose signature is good (or not looked at).
    [[nodiscard]] std::optional<std::uint64_t> covered() const noexcept { return covered_; }
    [[nodiscard]] std::uint64_t roots() const noexcept { return roots_; }
    [[nodiscard]] std::uint64_t signatures() const noexcept { return signatures_; }
    [[nodiscard]] std::uint64_t outside() const noexcept { return outside_.size(); }
    // Checkpoints of the keys before the pinned one, whose signatures nobody can judge here.
    [[nodiscard]] std::uint64_t not_judged() const noexcept { return not_judged_; }
    [[nodiscard]] findings& found() noexcept { return found_; }

private:
    struct key_term {
        verifier_key key;
        std::uint64_t after = 0;  // signs sizes larger than this
    };
    enum class standing : std::uint8_t { good, bad, not_judged };
    struct kept_outside {
        std::string where;
        checkpoint note;
        standing signature = standing::bad;
    };

    // The key that signs this size, or why none is trusted to.
    [[nodiscard]] std::expected<const key_term*, std::string> term_of(std::uint64_t size) const;
    [[nodiscard]] standing judge(const checkpoint& note, const std::string& where);
    void vouch(const checkpoint& note, standing signature);
    void compare_outside(const kept_outside& kept);

    const log_check& log_;
    std::vector<key_term> terms_;  // by `after`; empty: signatures are not looked at
    std::set<std::uint64_t> handed_over_;
    std::vector<kept_outside> outside_;
    std::optional<std::uint64_t> covered_;
    std::uint64_t roots_ = 0, signatures_ = 0, not_judged_ = 0;
    findings found_;
};

}  // namespace verify
