// What a verification finds, and what it says of each level.
//
//   0  rows      each row's stored hash is the hash of its content
//   1  batches   each batch has all its rows, in place, and their root is the record's
//   2  log       records follow one another without a gap; no row lies outside; heads agree
//   3  root      the tree over all records has the roots that the database's checkpoints name
//   4  key       checkpoints are signed by the pinned key, or by one it handed over to
//   5  history   the log continues the checkpoints that were kept outside
//   6  fresh     the newest signed record is younger than asked for
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

inline constexpr std::size_t level_count = 7;
[[nodiscard]] std::string_view level_name(std::size_t level) noexcept;
// What the level says when it passes.
[[nodiscard]] std::string_view level_claim(std::size_t level) noexcept;

enum class finding_class : std::uint8_t {
    modified,       // is there, and is not what was committed
    missing,        // was committed, and is not there
    extra,          // is there, and was not committed
    reordered,      // is there, at another's place
    truncated,      // the log ends before something that vouches for more
    forked,         // two histories carry a valid signature
    bad_signature,  // a signature that the key it names did not make
    stale,          // nothing newer than allowed
};
// `modified`, `bad_signature`, ...
[[nodiscard]] std::string_view to_string(finding_class what) noexcept;

struct finding {
    std::size_t level = 0;
    finding_class what = finding_class::modified;
    std::optional<std::int64_t> record{};    // index in the log
    std::optional<std::int64_t> first_id{};  // rows concerned
    std::optional<std::int64_t> last_id{};
    std::optional<std::int64_t> size{};  // of the checkpoint or head concerned
    std::string detail{};
};
// `level 1  modified   rows 5..9, record 3: ...`
[[nodiscard]] std::string to_line(const finding& found);
[[nodiscard]] std::string to_json(const finding& found);
// Order of output: by level, then rows, then record, then size.
[[nodiscard]] bool comes_before(const finding& one, const finding& other) noexcept;

// Findings of one checker, kept up to a bound and all of them counted.
class findings {
public:
    static constexpr std::size_t kept_max = 10'000;

    void add(finding found);
    void add(findings&& others);
    [[nodiscard]] std::uint64_t count(std::size_t level) const { return counts_.at(level); }
    [[nodiscard]] std::uint64_t count() const noexcept;
    [[nodiscard]] const std::vector<finding>& kept() const noexcept { return kept_; }
    // In order of output; runs of the same that follow one another become one.
    void sort();

private:
    std::array<std::uint64_t, level_count> counts_{};
    std::vector<finding> kept_;
};

enum class level_state : std::uint8_t { passed, failed, not_asked };

struct level_result {
    level_state state = level_state::not_asked;
    std::uint64_t checked = 0;  // rows, batches, records, checkpoints: whatever the level counts
    std::uint64_t findings = 0;
    std::string note;  // why it was not asked, or what it covers
};
[[nodiscard]] std::string_view to_string(level_state state) noexcept;

// A JSON string with its quotes.
[[nodiscard]] std::string json_text(std::string_view text);

}  // namespace verify
