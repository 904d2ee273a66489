#include "verify/finding.h"

#include <algorithm>
#include <format>
#include <numeric>
#include <tuple>
#include <utility>

namespace verify {

namespace {

constexpr std::array<std::string_view, level_count> names{"rows", "batches", "log",  "root",
                                                          "key",  "history", "fresh"};
constexpr std::array<std::string_view, level_count> claims{
    "every row's hash is the hash of its content",
    "every batch has all its rows in place, and their root is the one committed",
    "records are gapless and chained, no row lies outside a batch, heads agree",
    "the tree over all records has the roots of the head and of the checkpoints",
    "checkpoints are signed by the pinned key",
    "the log continues the checkpoints kept outside",
    "the newest signed record is fresh enough",
};

}  // namespace

std::string_view level_name(std::size_t level) noexcept { return names[level]; }

std::string_view level_claim(std::size_t level) noexcept { return claims[level]; }

std::string_view to_string(finding_class what) noexcept {
    switch (what) {
        case finding_class::modified: return "modified";
        case finding_class::missing: return "missing";
        case finding_class::extra: return "extra";
        case finding_class::reordered: return "reordered";
        case finding_class::truncated: return "truncated";
        case finding_class::forked: return "forked";
        case finding_class::bad_signature: return "bad_signature";
        case finding_class::stale: return "stale";
    }
    return "";
}

std::string_view to_string(level_state state) noexcept {
    switch (state) {
        case level_state::passed: return "passed";
        case level_state::failed: return "failed";
        case level_state::not_asked: return "not_asked";
    }
    return "";
}

std::string to_line(const finding& found) {
    std::string where;
    const auto say = [&where](std::string_view what) {
        if (!where.empty()) where += ", ";
        where += what;
    };
    if (found.first_id) {
        const std::int64_t last = found.last_id.value_or(*found.first_id);
        say(*found.first_id == last ? std::format("row {}", last)
                                    : std::format("rows {}..{}", *found.first_id, last));
    }
    if (found.record) say(std::format("record {}", *found.record));
    if (found.size) say(std::format("size {}", *found.size));
    return std::format("level {}  {:<13} {}{}{}", found.level, to_string(found.what), where,
                       where.empty() ? "" : ": ", found.detail);
}

std::string to_json(const finding& found) {
    std::string text =
        std::format(R"({{"finding":"{}","level":{})", to_string(found.what), found.level);
    const auto number = [&text](const char* name, const std::optional<std::int64_t>& value) {
        if (value) text += std::format(R"(,"{}":{})", name, *value);
    };
    number("record", found.record);
    number("first_id", found.first_id);
    number("last_id", found.last_id);
    number("size", found.size);
    return text + R"(,"detail":)" + json_text(found.detail) + '}';
}

bool comes_before(const finding& one, const finding& other) noexcept {
    const auto place = [](const finding& f) {
        return std::tuple(f.level, f.first_id, f.record, f.size, f.what);
    };
    return place(one) < place(other);
}

void findings::add(finding found) {
    ++counts_.at(found.level);
    if (kept_.size() < kept_max) kept_.push_back(std::move(found));
}

void findings::add(findings&& others) {
    for (std::size_t level = 0; level < level_count; ++level) {
        counts_[level] += others.counts_[level];
    }
    for (finding& each : others.kept_) {
        if (kept_.size() < kept_max) kept_.push_back(std::move(each));
    }
    others = {};
}

std::uint64_t findings::count() const noexcept {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

void findings::sort() {
    std::ranges::stable_sort(kept_, comes_before);
    std::vector<finding> joined;
    for (finding& each : kept_) {
        finding* const before = joined.empty() ? nullptr : &joined.back();
        // Only what has no record: rows outside of all batches, found by two threads.
        if (before != nullptr && each.first_id && !each.record && !before->record &&
            before->level == each.level && before->what == each.what && before->level == 2 &&
            before->last_id && *before->last_id + 1 == *each.first_id) {
            before->last_id = each.last_id;
            --counts_[each.level];
        } else {
            joined.push_back(std::move(each));
        }
    }
    kept_ = std::move(joined);
}

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += std::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out += '"';
}

}  // namespace verify
